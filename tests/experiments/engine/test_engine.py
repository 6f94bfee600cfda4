"""The engine knows no table."""

import ast
from pathlib import Path

import pytest

import experiments.engine

FILES = sorted(Path(experiments.engine.__file__).parent.glob("*.py"))
OF_TABLES = ("expression", "action_units", "category", "clothing", "faces", "facs", "cad")


def code(path):
    """The text of a file without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [
                each
                for each in body
                if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
            ]
    return ast.unparse(tree).lower()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_what_belongs_to_a_table(path):
    assert [word for word in OF_TABLES if word in code(path)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_imports_a_study(path):
    imported = [
        node.module or ""
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    ]
    outside = [name for name in imported if name.startswith("experiments.")]
    assert all(name.startswith("experiments.engine") for name in outside)


def test_models_are_built_in_one_place():
    builders = ("model_of", "MultiTaskModel(", "BACKBONES", "Coupling(")
    experiments_folder = FILES[0].parents[1]
    found = {
        path.relative_to(experiments_folder).as_posix()
        for path in experiments_folder.rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in builders)
    }
    # None of them trains rows of a study.
    elsewhere = ("bench/", "clothing_features.py", "pretraining/", "transferring/sources.py")
    assert {name for name in found if not name.startswith(elsewhere)} == {"engine/building.py"}
