"""The best and the last weights of a run, never half written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mtl_dm.tasks import Task

BEST, LAST = "best.keras", "last.keras"

MAIN_METRICS = {"multiclass": "accuracy", "multilabel": "afa", "regression": "ccc"}
"""The metric that stands for a task where one number is wanted, by kind of task."""


def mean_main_metric(logs: Mapping[str, float], tasks: Sequence[Task], prefix: str = "") -> float:
    """Return the mean over tasks of each task's main metric in `logs`."""
    return float(
        np.mean([logs[f"{prefix}{task.name}_{MAIN_METRICS[task.kind]}"] for task in tasks])
    )


class Checkpoints(keras.callbacks.Callback):
    """Saves `last.keras` after every epoch and `best.keras` when validation improves.

    Best is the highest mean over tasks of their main metrics on the validation data (on the
    training data where there are none).

    Args:
        folder: Where the files go.
        tasks: The model's tasks.
        validated: Whether `fit` gets validation data.
    """

    def __init__(self, folder: str | Path, tasks: Sequence[Task], validated: bool) -> None:
        super().__init__()
        self._folder = Path(folder)
        self._tasks = tuple(tasks)
        self._prefix = "val_" if validated else ""
        self._best = -np.inf

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Save what the epoch earned."""
        del epoch
        save_model(self.model, self._folder / LAST)
        score = mean_main_metric(logs or {}, self._tasks, self._prefix)
        if score > self._best:
            self._best = score
            save_model(self.model, self._folder / BEST)


def save_model(model: keras.Model, path: str | Path) -> None:
    """Save a whole model as a `.keras` file that is either complete or not there."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Keras picks the format by the suffix, so the temporary name keeps it.
    temporary = path.with_name(f".writing-{path.name}")
    model.save(temporary)
    temporary.replace(path)
