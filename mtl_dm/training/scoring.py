"""A checkpoint's metrics on data sets, printed and saved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import keras

from mtl_dm import data
from mtl_dm.files import strict_json, write_atomically
from mtl_dm.models import MultiTaskModel
from mtl_dm.training.evaluation import evaluate
from mtl_dm.training.record import commit, versions

METRICS_FILE = "metrics.json"


def load_model(path: str | Path) -> MultiTaskModel:
    """Return the model of a `.keras` file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file holds no multi-task model.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No checkpoint at {path}.")
    try:
        model = keras.saving.load_model(path)
    except Exception as error:
        # Keras raises whatever the damaged part provokes: zip, JSON, HDF5 or its own errors.
        raise ValueError(f"The checkpoint {path} cannot be read: {error}") from error
    if not isinstance(model, MultiTaskModel):
        raise ValueError(
            f"The checkpoint {path} holds a {type(model).__name__}, not a MultiTaskModel."
        )
    return model


def score(checkpoint: str, names: Sequence[str], data_dir: str, output: str | Path) -> None:
    """Evaluate a checkpoint on data sets; print the averages and write every metric.

    Args:
        checkpoint: A `.keras` file of this package.
        names: Data sets as for `mtl_dm.data.load`.
        data_dir: Folder of built data sets.
        output: Folder for metrics.json.

    Raises:
        FileNotFoundError: If the checkpoint or a data set does not exist.
        ValueError: If the checkpoint cannot be read or a data set has none of its tasks.
    """
    model = load_model(checkpoint)
    results = {}
    for name in names:
        source = data.load(
            name, data_dir=data_dir, tasks=model.tasks, image_size=model.backbone.input_shape[1]
        )
        if not source.element_spec[1]:
            raise ValueError(
                f"The data set {name!r} has none of the checkpoint's tasks, "
                f"{[task.name for task in model.tasks]}."
            )
        results[name] = evaluate(model, source)
        for task, metrics in results[name].items():
            averages = [
                f"{key} {value:.4f}"
                for key, value in metrics.items()
                if "/" not in key and not math.isnan(value)
            ]
            print(f"{name}  {task}  {'  '.join(averages) or 'not annotated'}")
    content = {
        "checkpoint": checkpoint,
        "metrics": results,
        "commit": commit(),
        "versions": versions(),
    }
    write_atomically(Path(output) / METRICS_FILE, strict_json(content))
