"""A checkpoint and a state of the layout before terms had providers still load."""

import json
import os
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from mtl_dm.models import MultiTaskModel
from mtl_dm.training.resuming import restore_state


@pytest.fixture(scope="module")
def folder():
    default = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    found = Path(os.environ.get("MTL_DM_TEST_DATA", default)) / "checkpoints" / "old_layout"
    if not found.is_dir():
        pytest.skip(
            "the old checkpoint is not here: set MTL_DM_TEST_DATA to the folder of the data"
        )
    return found


@pytest.fixture(scope="module")
def model(folder):
    return keras.saving.load_model(folder / "last.keras")


def test_predicts_what_it_did(folder, model):
    assert isinstance(model, MultiTaskModel)
    with np.load(folder / "expected.npz") as expected:
        inputs = expected["inputs"]
        for task in model.tasks:
            got = keras.ops.convert_to_numpy(model(inputs, training=False)[task.name])
            np.testing.assert_allclose(got, expected[task.name], rtol=1e-5, atol=1e-5)


def test_is_built_of_the_same_names(folder, model):
    history = json.loads((folder / "run.json").read_text(encoding="utf-8"))["history"]
    logged = {f"{name}_loss" for name in model.term_trackers}
    assert logged <= set(history)
    assert type(model.balancing).__name__ == "EqualWeighting"


def test_its_state_resumes(folder, model, tmp_path):
    shutil.copytree(folder / "state", tmp_path / "state")
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    progress = restore_state(tmp_path, model)
    assert progress.epochs == 3
    test_predicts_what_it_did(folder, model)
