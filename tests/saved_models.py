"""A tiny checkpoint of all three kinds of tasks, with a run record beside it."""

import json

import keras

from mtl_dm.models import MultiTaskModel
from mtl_dm.tasks import Task

SIZE = 16
TASKS = (
    Task.multiclass("expression", ["neutral", "happiness", "sadness"]),
    Task.multilabel("action_units", ["AU1", "AU2"]),
    Task.regression("valence_arousal", ["valence", "arousal"], bounds=(-1, 1)),
)
DRAWN = "synthetic_faces/expression_only_64px"


def save(folder, datasets=(DRAWN,), tasks=TASKS, seed=0, policy="float32"):
    """Return the path of a checkpoint whose outputs differ from face to face."""
    keras.utils.set_random_seed(seed)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = _model(tasks)
    finally:
        keras.config.set_dtype_policy(before)
    return save_model(model, folder, datasets)


def _model(tasks):
    backbone = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Conv2D(4, 3, strides=2, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(8, activation="tanh"),
        ]
    )
    model = MultiTaskModel(backbone, tasks)
    model(keras.ops.zeros((1, SIZE, SIZE, 3)))
    return model


def save_model(model, folder, datasets=(DRAWN,)):
    """Return the path of a model's checkpoint, with a run record beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "best.keras")
    record = {
        "config": {"datasets": list(datasets)},
        "annotated": {"expression": 5},
        "base_rates": {"action_units": {"AU1": 0.5, "AU2": None}},
        "commit": "abc",
    }
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return folder / "best.keras"


def calibrate(checkpoint, **temperatures):
    """Leave temperatures beside a checkpoint."""
    from mtl_dm.measuring.temperatures import calibration_file
    from mtl_dm.runs.origin import fingerprint

    tasks = {task: {"temperature": value} for task, value in temperatures.items()}
    content = {"sha256": fingerprint(checkpoint), "tasks": tasks}
    calibration_file(checkpoint).write_text(json.dumps(content), encoding="utf-8")
