"""Labels of two tasks, drawn from a table that is known."""

import numpy as np

from mtl_dm.relatedness import Relatedness
from mtl_dm.tasks import Task

KIND = Task.multiclass("kind", ("a", "b", "c"))
SIGNS = Task.multilabel("signs", ("u", "v", "w", "x"))
TASKS = (KIND, SIGNS)
P = np.array([[0.9, 0.1, 0.5, 0.5], [0.1, 0.9, 0.5, 0.5], [0.1, 0.1, 0.9, 0.5]])


def table(conditional=P, classes=KIND.labels, attributes=SIGNS.labels, prior=None):
    return Relatedness(classes, attributes, conditional, conditional, "test 2000", prior)


def drawn(rows, seed=0, shuffle=False, conditional=P):
    """One data set, labelled for both tasks: (labels, masks) by task name."""
    rng = np.random.default_rng(seed)
    classes, attributes = conditional.shape
    ids = rng.integers(0, classes, rows)
    active = (rng.random((rows, attributes)) < conditional[ids]).astype(np.float32)
    if shuffle:
        active = rng.permutation(active)
    return {
        "kind": (np.eye(classes, dtype=np.float32)[ids], np.ones(rows, np.float32)),
        "signs": (active, np.ones((rows, attributes), np.float32)),
    }


def hidden(arrays, task, rows=slice(None)):
    """The same without the labels of a task on some rows."""
    labels, mask = (each.copy() for each in arrays[task])
    labels[rows] = 0
    mask[rows] = 0
    return {**arrays, task: (labels, mask)}


def only(arrays, task):
    return {task: arrays[task]}
