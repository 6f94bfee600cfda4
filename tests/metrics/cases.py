"""Tasks and random sets that the tests of all metrics share."""

import numpy as np

from mtl_dm.tasks import Task

EXPRESSION = Task.multiclass("expression", ["neutral", "happiness", "sadness", "fear"])
UNITS = Task.multilabel("action_units", ["AU1", "AU2", "AU4"])
AFFECT = Task.regression("valence_arousal", ["valence", "arousal"])
TASKS = (EXPRESSION, UNITS, AFFECT)


def random_set(task, rows, seed=0, ties=False, annotated=0.7):
    """Labels, float32 scores and mask; imbalanced, NaN labels where the mask is 0."""
    rng = np.random.default_rng(seed)
    scores = 2 * rng.normal(size=(rows, task.size))
    if ties:
        scores = np.round(scores)
    if task.kind == "multiclass":
        shares = 0.5 ** np.arange(1, task.size + 1)
        classes = rng.choice(task.size, size=rows, p=shares / shares.sum())
        labels = np.eye(task.size)[classes]
    elif task.kind == "multilabel":
        labels = (rng.random((rows, task.size)) < np.linspace(0.1, 0.6, task.size)).astype(float)
    else:
        labels = 0.3 + np.tanh(0.3 * scores + 0.5 * rng.normal(size=scores.shape))
    mask = (rng.random((rows, *task.mask_shape)) < annotated).astype(np.float32)
    entries = mask if mask.ndim == 2 else mask[:, None]
    labels = np.where(entries == 1, labels, np.nan).astype(np.float32)
    return labels, scores.astype(np.float32), mask


def batches(arrays, size):
    """The arrays cut into batches of `size` rows."""
    for start in range(0, len(arrays[0]), size):
        yield tuple(array[start : start + size] for array in arrays)


def assert_same(actual, expected, rtol=1e-9, atol=1e-12):
    assert list(actual) == list(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(actual[key], value, rtol=rtol, atol=atol, err_msg=key)
