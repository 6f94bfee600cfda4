"""Tasks, batches and the objective in NumPy that the tests of the model share."""

import keras
import numpy as np
import tensorflow as tf

from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.relatedness import Relatedness
from mtl_dm.tasks import Task
from tests.losses import references

CLASSES = ("neutral", "happiness", "sadness", "fear")
ATTRIBUTES = ("AU1", "AU2", "AU6", "AU12", "AU15")
EXPRESSION = Task.multiclass("expression", CLASSES)
UNITS = Task.multilabel("action_units", ATTRIBUTES)
AFFECT = Task.regression("affect", ["valence", "arousal"])
TABLE = Relatedness(
    CLASSES,
    ATTRIBUTES,
    [[0, 0, 0, 0, 0], [0, 0, 1, 1, 0], [1, 0, 1, 0, 1], [1, 1, 0, 0, 0]],
    [[0, 0, 0, 0, 0], [0, 0, 0.51, 1, 0], [0.6, 0, 0.5, 0, 1], [1, 0.57, 0, 0, 0]],
    "in the manner of Table 1, 2014",
)
PRINTED = {"matching_form": "paper", "co_annotation_form": "paper"}
FEATURES = 3


def trunk(**options):
    """A backbone on vectors without dropout."""
    return keras.Sequential(
        [keras.Input((FEATURES,)), keras.layers.Dense(6, activation="relu", **options)]
    )


def coupled_model(backbone=None, couplings=None, tasks=(EXPRESSION, UNITS), **options):
    """Coupled by the printed forms where nothing else is said."""
    couplings = [Coupling(relatedness=TABLE, **PRINTED)] if couplings is None else couplings
    return MultiTaskModel(backbone or trunk(), tasks, couplings, **options)


def random_batch(rows=20, seed=0, junk=0.0, tasks=(EXPRESSION, UNITS)):
    """Inputs, labels and masks, partly annotated; labels under mask 0 are `junk`."""
    rng = np.random.default_rng(seed)
    labels, masks = {}, {}
    for task in tasks:
        label, shape = rng.normal(size=(rows, task.size)), (rows, *task.mask_shape)
        if task.kind == "multiclass":
            label = np.eye(task.size)[rng.integers(0, task.size, rows)]
        elif task.kind == "multilabel":
            label = rng.integers(0, 2, (rows, task.size))
        mask = rng.random(shape) < 0.5
        # Some images have no annotation at all, some all of it.
        mask[: rows // 4], mask[-1] = False, True
        entries = mask if mask.ndim == 2 else mask[:, None]
        labels[task.name] = np.where(entries, label, junk).astype(np.float32)
        masks[task.name] = mask.astype(np.float32)
    return rng.normal(size=(rows, FEATURES)).astype(np.float32), labels, masks


def dataset(batch, size):
    return tf.data.Dataset.from_tensor_slices(batch).batch(size)


def numpy(values):
    return {name: keras.ops.convert_to_numpy(value) for name, value in values.items()}


def term_values(logits, labels, masks, table=TABLE):
    """{term: (values, weights) per image} of eq. 1, float64, printed forms."""
    e, u = "expression", "action_units"
    annotated = masks[u].max(axis=1)
    matching = references.matching_paper(logits[e], logits[u], table.conditional)
    soft = references.soft_labels(np.nan_to_num(labels[u]), masks[u], table.weights)
    return {
        e: (references.cross_entropy(labels[e], logits[e], masks[e]), masks[e]),
        u: (references.binary_cross_entropy(labels[u], logits[u], masks[u]), annotated),
        "distribution_matching": (matching, np.ones(len(matching))),
        "soft_co_annotation": (references.co_annotation_paper(logits[e], soft), annotated),
    }


def means(terms):
    return {name: references.weighted_mean(*parts) for name, parts in terms.items()}
