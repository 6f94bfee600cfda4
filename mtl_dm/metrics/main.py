"""The one metric that stands for a task where one number is wanted."""

from __future__ import annotations

from mtl_dm.tasks import Task

MAIN_METRICS = {"multiclass": "accuracy", "multilabel": "afa", "regression": "ccc"}
"""By kind of task."""


def main_metric(task: Task) -> str:
    """Return the name of a task's main metric."""
    return MAIN_METRICS[task.kind]
