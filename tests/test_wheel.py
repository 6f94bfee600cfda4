"""A wheel, built and installed elsewhere: what the checkout has besides it is not needed."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mtl_dm.version import VERSION

ROOT = Path(__file__).parents[1]
FIRST_WITH_WHEELS = (70, 1)
"""Of setuptools; earlier ones need another package for it."""
CHECK = f"""
import importlib.metadata, importlib.util, sys
from pathlib import Path
import mtl_dm
from experiments import commands
from mtl_dm import datasets, pretrained, reporting
from mtl_dm.reporting import page

home = Path(mtl_dm.__file__).parents[1]
assert home == Path(sys.argv[1]), home
about = importlib.metadata.distribution("mtl-dm")
assert Path(about.locate_file("")) == home and about.version == {VERSION!r}
assert [each.value for each in about.entry_points] == ["experiments.commands:main"]
assert "](docs" not in about.metadata["Description"], "a link that no index can follow"
assert list((Path(page.__file__).parent).glob("*.css")), "the pages have no style"
for name in ("table1", "table2", "table3", "table4", "table5"):
    assert len(reporting.published(name)), name
readers = {{name.partition("/")[0] for name in datasets.names()}}
readmes = {{path.parent.name for path in (home / "mtl_dm" / "datasets").glob("*/README.md")}}
assert "fer2013" in readmes and all("synthetic" in name for name in readers - readmes), readmes
checkpoint = Path(pretrained.checkpoint_at("small_faces"))
assert checkpoint.is_file() and (checkpoint.parent / "card.md").is_file()
assert (home / "mtl_dm" / "py.typed").is_file()
assert not (home / "tests").exists() and not (home / "docs").exists()
for command in commands.COMMANDS.values():
    assert home in Path(importlib.util.find_spec(command.module).origin).parents, command
commands.main(["--version"])
"""


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder into which the wheel was installed; dependencies are those of the tests."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("the environment has no pip")
    found = importlib.metadata.version("setuptools")
    if tuple(map(int, found.split(".")[:2])) < FIRST_WITH_WHEELS:
        pytest.skip(f"setuptools {found} builds no wheel by itself: pip install -e '.[dev]'")
    folder = tmp_path_factory.mktemp("wheel")
    # A build writes beside setup.py.
    for name in ("mtl_dm", "data_prep", "experiments"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / "sources" / name, ignore=ignored)
    for name in ("setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "sources")
    alone = ("--quiet", "--no-deps", "--no-index")
    pip("wheel", *alone, "--no-build-isolation", "-w", folder, folder / "sources")
    [wheel] = folder.glob("*.whl")
    pip("install", *alone, "--no-compile", "--target", folder / "installed", wheel)
    return folder / "installed"


def run(installed, *command):
    """Return what a program says that sees the wheel and not the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        cwd=installed.parent,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_what_it_brings(installed):
    # One process, for it is the imports that take time.
    assert run(installed, "-c", CHECK, installed).strip() == f"mtl-dm {VERSION}"


def test_the_script_lists_the_commands(installed):
    assert "from photos and videos" in run(installed, installed / "bin" / "mtl-dm", "--help")
