"""Imports point down, and the library keeps its habits."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mtl_dm"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Lower number = lower layer; a module imports its own layer or one below.
LAYERS = {
    "quiet": -3,
    "stopping": -3,
    "version": -3,
    "spec": -2,
    "options": -1,
    "files": -1,
    "registry": 0,
    "plugins": 0,
    "memory": 0,
    "progress": 0,
    "processes": 0,
    "draws": 0,
    "tasks": 0,
    "streams": 1,
    "command_line": 1,
    "labels": 1,
    "outputs": 1,
    "pretrained": 1,
    "faces": 1,
    "runs": 1,
    "relatedness": 2,
    "losses": 3,
    "metrics": 3,
    "synthetic": 3,
    "balancing": 4,
    "datasets": 4,
    "cards": 5,
    "models": 5,
    "data": 5,
    "reporting": 6,
    "training": 6,
    "measuring": 6,
    "advising": 7,
    "compound": 7,
    "verifying": 7,
    "train": 8,
    "evaluate": 8,
    "advise": 8,
    "calibrate": 8,
    "launch": 8,
    "verify": 8,
    "predicting": 7,
    "exporting": 8,
    "predict": 8,
    "export": 9,
    "encoders": 8,
    "fusing": 9,
    "distilling": 10,
    "distill": 11,
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


def test_no_file_imports_itself_through_others():
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in MODULES}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    graph = {name: imported_files(path, names) - {name} for name, path in names.items()}
    sorter = graphlib.TopologicalSorter(graph)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"These files import each other in a circle: {error.args[1]}")


def imported_files(path, names):
    """Return the modules that a file imports anywhere in it, for type checking too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & set(names)
            found |= inner or {node.module}
    return found & set(names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_library_has_no_assert_and_no_flags(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    asserts = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert not asserts
    if path != PACKAGE / "training" / "flags.py":
        assert "flags.DEFINE" not in path.read_text(encoding="utf-8")


LOOPS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.For)
NAMES = (".labels.index", ".classes.index", ".attributes.index", ".values.index")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_loop_searches_names(path):
    # Of 100,000 names, as an identity task may have, that takes minutes.
    tree = ast.parse(path.read_text(encoding="utf-8"))
    loops = [node for node in ast.walk(tree) if isinstance(node, LOOPS)]
    calls = [node for loop in loops for node in ast.walk(loop) if isinstance(node, ast.Call)]
    assert not [node.lineno for node in calls if ast.unparse(node.func).endswith(NAMES)]


def test_the_model_is_free_of_tensorflow():
    # Replicas under tf.distribute are the one thing that needs it, imported where it is used.
    # What makes a backend's step is imported with its backend.
    roots = [
        path
        for name in ("losses", "models", "balancing", "metrics")
        for path in (PACKAGE / name).rglob("*.py")
        if not (path.parent.name == "steps" and path.name.startswith(("tensorflow_", "jax_")))
    ]
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in MODULES}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    seen, left = set(), list(roots)
    while left:
        path = left.pop()
        seen.add(path)
        found = imported_at_once(path, names)
        assert not [name for name in found if name.partition(".")[0] == "tensorflow"], path
        left += [names[name] for name in found & set(names) if names[name] not in seen]
    assert PACKAGE / "processes.py" in seen


def imported_at_once(path, names):
    """Return the modules that a file imports when it is imported itself."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        found |= set(names_imported(node))
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} & set(names)
    return found


def test_top_level_is_what_the_house_says():
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    made = {"build", "runs"} | {name for name in visible if name.endswith(".egg-info")}
    assert visible - made == {
        "setup.py", "README.md", "mtl_dm", "experiments", "data_prep", "docs", "tests", "Makefile",
        "CHANGELOG.md", "CITATION.cff", "LICENSE", "SECURITY.md",
    }  # fmt: skip


def test_studies_start_tensorflow_with_the_library():
    # Which starts it without chatter; the bench has commands that do without the library.
    for path in (ROOT / "experiments").rglob("*.py"):
        heavy = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            heavy |= {name.partition(".")[0] for name in names_imported(node)}
        if heavy & {"tensorflow", "keras"} and path.parent.name != "bench":
            package = (path.parent / "__init__.py").read_text(encoding="utf-8")
            assert "import mtl_dm" in package, path


def names_imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
