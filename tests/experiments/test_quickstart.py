"""The notebook runs from top to bottom."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.built_faces import built_faces

NOTEBOOK = Path(__file__).parents[2] / "experiments" / "notebooks" / "quickstart.ipynb"


# Jupyter's own parts warn about each other.
@pytest.mark.filterwarnings("ignore")
def test_quickstart_runs(tmp_path, tmp_path_factory):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    # The story in a few steps, on few faces; that they are built on first use is tested elsewhere.
    shutil.copytree(built_faces(tmp_path_factory), tmp_path / "build" / "datasets")
    setup = next(cell for cell in notebook.cells if "STEPS = " in cell.source)
    assert setup.source.count("300") == 1
    # Eager steps: to compile three networks' takes longer than they do.
    eager = "import tensorflow as tf\n\ntf.config.run_functions_eagerly(True)\n"
    setup.source = eager + setup.source.replace("300", "3")
    resources = {"metadata": {"path": str(tmp_path)}}
    # A cell that hangs is not told from a slow one; the limit is for the first alone.
    NotebookClient(notebook, timeout=3600, resources=resources).execute()
    printed = "".join(
        output.get("text", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    assert "annotated for expressions: 32 of 64" in printed
    assert "distribution_matching_loss" in printed
    assert "default" in printed


def test_quickstart_is_stored_with_its_results():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    assert not any(output.output_type == "error" for output in outputs)
