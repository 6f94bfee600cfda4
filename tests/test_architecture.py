"""Imports point down, and the library keeps its habits."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mtl_dm"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Lower number = lower layer; a module imports its own layer or one below.
LAYERS = {
    "registry": 0,
    "files": 0,
    "tasks": 0,
    "labels": 1,
    "faces": 1,
    "relatedness": 2,
    "losses": 3,
    "metrics": 3,
    "synthetic": 3,
    "balancing": 4,
    "datasets": 4,
    "models": 5,
    "data": 5,
    "reporting": 6,
    "training": 6,
    "train": 7,
    "evaluate": 7,
    "advise": 7,
    "calibrate": 7,
    "launch": 7,
    "predicting": 7,
    "exporting": 8,
    "predict": 8,
    "export": 9,
}


def part(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"relative import in {path}"
            names = [node.module]
            if node.module == "mtl_dm":
                names = [f"mtl_dm.{alias.name}" for alias in node.names]
        for name in names:
            pieces = name.split(".")
            if pieces[0] == "mtl_dm" and len(pieces) > 1:
                yield pieces[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    own = part(path)
    if own == "__init__":
        return
    for other in imported_parts(path):
        if other != own:
            assert LAYERS[other] < LAYERS[own], f"{path} imports {other}"


def test_every_part_has_a_layer():
    assert {part(path) for path in MODULES} - {"__init__"} == set(LAYERS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_library_has_no_assert_and_no_flags(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    asserts = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert not asserts
    if path != PACKAGE / "training" / "flags.py":
        assert "flags.DEFINE" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["losses", "models", "balancing", "metrics"])
def test_the_model_is_free_of_tensorflow(name):
    # Replicas under tf.distribute are the one thing that needs it, imported where it is used.
    for path in (PACKAGE / name).rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                assert "tensorflow" not in ast.unparse(node), path


def test_top_level_is_what_the_house_says():
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    made = {"build", "runs"} | {name for name in visible if name.endswith(".egg-info")}
    assert visible - made == {
        "setup.py", "README.md", "mtl_dm", "experiments", "data_prep", "tests", "Makefile",
    }  # fmt: skip
