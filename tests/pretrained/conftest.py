import importlib

import keras
import numpy as np
import pytest

from experiments.pretraining.recipe import TASKS
from experiments.pretraining.shipping import ship
from mtl_dm.cards.card import CARD_FILE
from mtl_dm.files import strict_json
from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.pretrained import DEFAULT, PRETRAINED
from mtl_dm.runs.record import write_record

WIDTH = 2
SHARE = {"value": 0.641, "low": 0.625, "high": 0.657, "of": 3589}
CARD = {
    "name": DEFAULT,
    "about": "7 expressions, and 12 facial movements as MediaPipe measures them",
    "caution": "for research, not validated for any decision about people",
    "tasks": {task.name: list(task.labels) for task in TASKS},
    "tests": {
        "FER2013 PublicTest": {
            "tasks": {"expression": {"kind": "multiclass", "accuracy": SHARE}},
        }
    },
}


def slim(patch):
    """Make the shipped network small enough for a test."""
    # Not `import ... as`: the package has the function under the module's name.
    patch.setattr(importlib.import_module("mtl_dm.models.backbones.pretrained"), "WIDTH", WIDTH)


@pytest.fixture(scope="session")
def trained():
    """A model as the recipe trains it, with weights that are not the initial ones."""
    keras.utils.set_random_seed(3)
    model = MultiTaskModel(BACKBONES.create(f"small_resnet(width={WIDTH})", (48, 48, 1)), TASKS)
    model(np.zeros((1, 48, 48, 1), np.float32))
    rng = np.random.default_rng(0)
    for weight in model.backbone.weights:
        if len(weight.shape) == 1:  # Normalisation and its statistics.
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return model


@pytest.fixture(scope="session")
def file(trained, tmp_path_factory):
    """The shipped file of it, with a card and a run record beside it."""
    path = tmp_path_factory.mktemp("shipped") / DEFAULT / f"{DEFAULT}.keras"
    with pytest.MonkeyPatch.context() as patch:
        slim(patch)
        ship(trained, path)
    (path.parent / CARD_FILE).write_text(strict_json(CARD), encoding="utf-8")
    write_record(path.parent, config={"datasets": ["FER2013"]}, annotated={"expression": 5})
    return path


@pytest.fixture
def shipped(file, monkeypatch):
    """The same, as if it had come with the package."""
    slim(monkeypatch)
    monkeypatch.setitem(PRETRAINED._entries, DEFAULT, file)
    return file


@pytest.fixture
def absent(tmp_path, monkeypatch):
    """No checkpoint has come with the package."""
    monkeypatch.setitem(PRETRAINED._entries, DEFAULT, tmp_path / "absent.keras")
