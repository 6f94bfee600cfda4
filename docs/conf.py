"""How Sphinx builds the site: `make docs`."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE / "_ext")]
# Pages that run start in one folder, so that they share the faces that the first one draws, and
# find the library whether or not it is installed.
WORK = HERE / "_build" / "work"
WORK.mkdir(parents=True, exist_ok=True)
os.environ["MTL_DM_DOCS_WORK"] = str(WORK)
os.environ["MTL_DM_DOCS_TUTORIALS"] = str(HERE / "tutorials")
# `python` of the pages' commands is the one that builds them.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])
)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

project = "mtl_dm"
author = "the authors of mtl_dm"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "outputs",
    "prose",
    "reference",
    "studies",
]
exclude_patterns = ["_build", "_ext"]
# A name in backticks links to what is documented under it, and is code otherwise.
default_role = "py:obj"

html_theme = "furo"
html_title = "mtl_dm"
suppress_warnings = ["mystnb.unknown_mime_type"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "executed")
nb_execution_timeout = 900
nb_execution_raise_on_error = True
nb_merge_streams = True
# What libraries say when they are loaded.
nb_output_stderr = "remove"

autosummary_generate = False
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "member-order": "bysource"}
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_ivar = True
