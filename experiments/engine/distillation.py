"""Teachers: networks of another row label what a source lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.special import expit, softmax

from experiments.engine.problem import Problem
from mtl_dm import data
from mtl_dm.measuring.evaluation import predict
from mtl_dm.models import MultiTaskModel
from mtl_dm.tasks import Task

_LINKS: dict[str, Callable[[np.ndarray], Any]] = {
    "multiclass": lambda logits: softmax(logits, axis=1),
    "multilabel": expit,
    "regression": lambda values: values,
}


def with_teachers(
    problem: Problem,
    source: tf.data.Dataset,
    lacking: Sequence[Task],
    teacher: Callable[[Task], MultiTaskModel],
) -> tf.data.Dataset:
    """Return a source with the teachers' predictions as labels of the tasks that it lacks.

    Source: Kollias et al. 2024, row S-T NC MT of Table 2.

    Args:
        problem: Says which labels a teacher has learned.
        source: Unbatched (input, labels, masks).
        lacking: The tasks that it has no label of, or, where the problem has gaps, not of all.
        teacher: Returns the network that predicts a task.
    """
    labelled = source
    for task in lacking:
        predicted = _LINKS[task.kind](predict(teacher(task), source)[task.name])
        known = np.ones(task.size)
        if task.kind != "multiclass":
            known = np.asarray(problem.scored.get(task.name, known))
        labelled = data.with_soft_labels(labelled, task, predicted, known, gaps=problem.gaps)
    return labelled
