"""The best and the last weights of a run, never half written."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mtl_dm import processes
from mtl_dm.files import written_beside
from mtl_dm.metrics import main_metric
from mtl_dm.tasks import Task
from mtl_dm.training.resuming import Progress, save_state

BEST, LAST = "best.keras", "last.keras"


def mean_main_metric(logs: Mapping[str, float], tasks: Sequence[Task], prefix: str = "") -> float:
    """Return the mean over tasks of each task's main metric in `logs`."""
    return float(np.mean([logs[f"{prefix}{task.name}_{main_metric(task)}"] for task in tasks]))


class Checkpoints(keras.callbacks.Callback):
    """Keeps what an epoch earned: `best.keras`, the state to go on from, at the end `last.keras`.

    Best is the highest mean over tasks of their main metrics on the validation data (on the
    training data where there are none).

    Args:
        folder: Where the files go.
        tasks: The model's tasks.
        validated: Whether `fit` gets validation data.
        progress: What earlier starts of the run have done.
        models: Where the models go; None: where the states do.
        before: Epochs of earlier stages, which `fit` counts and the progress does not.
    """

    def __init__(
        self,
        folder: str | Path,
        tasks: Sequence[Task],
        validated: bool,
        progress: Progress,
        *,
        models: str | Path | None = None,
        before: int = 0,
    ) -> None:
        super().__init__()
        self._folder = Path(folder)
        self.models = Path(folder if models is None else models)
        self._epochs_before = before
        self._tasks = tuple(tasks)
        self._prefix = "val_" if validated else ""
        self._started = time.perf_counter()
        self._before = progress
        self.progress = progress

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Save what the epoch earned."""
        logs = logs or {}
        score = mean_main_metric(logs, self._tasks, self._prefix)
        best = self.progress.best
        is_best = score > best  # Of a score that is NaN nothing is known: the best one stays.
        if is_best:
            # Before the state: a run killed in between repeats the epoch and saves it again.
            save_model(self.model, self.models / BEST)
        self.progress = Progress(
            epochs=epoch + 1 - self._epochs_before,
            best=score if is_best else best,
            seconds=self._before.seconds + time.perf_counter() - self._started,
            history={
                key: [*self.progress.history.get(key, []), float(value)]
                for key, value in logs.items()
            },
        )
        save_state(self._folder, self.model, self.progress)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Save the last weights."""
        del logs
        save_model(self.model, self.models / LAST)

    def require_last(self, model: keras.Model) -> None:
        """Save the last weights if a start that was killed could not do it any more."""
        if not (self.models / LAST).is_file():
            save_model(model, self.models / LAST)


def save_model(model: keras.Model, path: str | Path) -> None:
    """Save a whole model as a `.keras` file that is either complete or not there.

    Raises:
        OSError: If it cannot be written.
    """
    with written_beside(path) as written, processes.alone():
        model.save(written)
