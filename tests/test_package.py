"""What an installed package has, promises and says of itself."""

import ast
import datetime
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mtl_dm
from experiments import commands
from mtl_dm.command_line import Parser
from mtl_dm.quiet import LEVEL, quiet_start
from mtl_dm.training import flags, main
from mtl_dm.version import VERSION

ROOT = Path(__file__).parents[1]
TOPS = ("mtl_dm", "data_prep", "experiments")
NOT_SHIPPED = {"experiments/figures", "experiments/notebooks"}
"""Pictures of the README and a notebook: nothing reads them."""
LIST_FILES = """
import sys, warnings
warnings.simplefilter("ignore")
from distutils.core import run_setup
made = run_setup("setup.py", ["-q"], stop_after="init")
build = made.get_command_obj("build_py")
build.build_lib = "LIB"
build.ensure_finalized()
print("\\n".join([made.get_version(), *build.get_outputs(include_bytecode=0)]))
"""
FRESH = """
import os, sys
os.environ["KERAS_BACKEND"] = "numpy"
from experiments.commands import main
assert main(["--help"]) == 0
heavy = {"tensorflow", "keras", "tensorflow_datasets", "numpy", "absl"} & set(sys.modules)
assert not heavy, heavy
import mtl_dm
mtl_dm.Task, mtl_dm.relatedness.facs(), mtl_dm.Coupling()
assert not {"tensorflow", "tensorflow_datasets"} & set(sys.modules)
from tests import public_names
now, listed = public_names.names(), public_names.listed()
assert not listed - now, f"names that users have: {sorted(listed - now)}"
assert not now - listed, f"python -m tests.public_names lists them: {sorted(now - listed)}"
"""


@pytest.fixture(scope="module")
def built():
    """Version and files of a wheel, as setup.py says; nothing is built."""
    command = [sys.executable, "-c", "import setuptools" + LIST_FILES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    version, *files = done.stdout.splitlines()
    return version, {str(Path(file).relative_to("LIB")) for file in files}


def test_the_wheel_has_every_file_that_git_has(built):
    listing = subprocess.run(
        ["git", "ls-files", *TOPS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.skip("no git checkout")
    missing = {
        file
        for file in set(listing.stdout.splitlines()) - built[1]
        if (ROOT / file).is_file() and "/".join(file.split("/")[:2]) not in NOT_SHIPPED
    }
    assert not missing


def test_one_version(built):
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^## \[(.+)\] - (.+)$", changes, re.MULTILINE)
    said = re.search(r'^version: (.+)\ndate-released: "(.+)"$', citation, re.MULTILINE)
    assert built[0] == VERSION == mtl_dm.__version__ == first[1] == said[1]
    assert first[2] == said[2]
    datetime.date.fromisoformat(first[2])


def test_what_a_fresh_process_imports_and_offers():
    """Light help, models without TensorFlow, and public names: tests register more of them."""
    done = subprocess.run([sys.executable, "-c", FRESH], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-1000:]


def test_every_command_is_a_command_of_the_script():
    marked = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
        for top in ("mtl_dm", "data_prep")
        for path in (ROOT / top).rglob("*.py")
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    }
    assert marked | {"experiments.demo"} == {each.module for each in commands.COMMANDS.values()}
    for each in commands.COMMANDS.values():
        assert each.about in commands.text()


def test_a_command_runs_as_with_python_m(monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(commands.runpy, "run_module", lambda *a, **b: ran.append((a, sys.argv, b)))
    monkeypatch.setattr(sys, "argv", ["mtl-dm", "check", "--dataset=x"])
    assert commands.main() == 0
    [(names, argv, options)] = ran
    assert (names, argv) == (("data_prep.check",), ["mtl-dm", "--dataset=x"])
    assert options == {"run_name": "__main__", "alter_sys": True}
    assert commands.main(["trian"]) == 2
    assert capsys.readouterr().err.startswith("error: unknown command 'trian'. Known: demo, advise")


def test_every_command_says_its_version(monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        Parser().parse_args(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"mtl-dm {VERSION}\n")
    monkeypatch.setattr(sys, "argv", ["train", "--version"])
    with pytest.raises(SystemExit) as ended:
        main.start(lambda: None, flags.define_train_flags)
    assert (ended.value.code, capsys.readouterr().out) == (None, f"mtl-dm {VERSION}\n")


def test_lazy_names_are_all_there():
    assert set(mtl_dm.__all__) <= set(dir(mtl_dm))
    for name in mtl_dm.__all__:
        assert getattr(mtl_dm, name) is getattr(mtl_dm, name)
    with pytest.raises(AttributeError, match="module 'mtl_dm' has no attribute 'nothing'"):
        _ = mtl_dm.nothing
    # Types know them too.
    tree = ast.parse((ROOT / "mtl_dm" / "__init__.py").read_text(encoding="utf-8"))
    conditional = [node for node in tree.body if isinstance(node, ast.If)]
    block = next(node for node in conditional if ast.unparse(node.test) == "TYPE_CHECKING")
    imports = [node for node in (*tree.body, *block.body) if isinstance(node, ast.ImportFrom)]
    known = {alias.asname or alias.name for node in imports for alias in node.names}
    assert set(mtl_dm.__all__) <= known | {"__version__"}


def test_a_command_starts_without_chatter_and_keeps_what_explains_an_error(monkeypatch, capfd):
    monkeypatch.setattr(sys, "argv", ["-m"])
    monkeypatch.delenv(LEVEL, raising=False)
    with quiet_start():
        os.write(2, b"chatter\n")
    os.write(2, b"said\n")
    assert os.environ[LEVEL] == "3"
    assert capfd.readouterr().err == "said\n"
    with pytest.raises(ImportError), quiet_start():
        os.write(2, b"no such library\n")
        raise ImportError
    assert capfd.readouterr().err == "no such library\n"


def test_who_imports_the_library_sees_what_tensorflow_says(monkeypatch, capfd):
    monkeypatch.setattr(sys, "argv", ["notebook.py"])
    monkeypatch.delenv(LEVEL, raising=False)
    with quiet_start():
        os.write(2, b"chatter\n")
    assert LEVEL not in os.environ
    assert capfd.readouterr().err == "chatter\n"
