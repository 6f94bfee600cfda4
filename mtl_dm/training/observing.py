"""What training images are labelled for, and what a model predicts of the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.special import expit, softmax

from mtl_dm import processes
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.relatedness import Observations

LIMIT = 20_000
"""Images a source that are looked at: more would not make an estimate much better."""


def observe(
    model: MultiTaskModel,
    sources: Sequence[tf.data.Dataset],
    coupling: Coupling,
    limit: int = LIMIT,
    batch_size: int = 256,
) -> Observations:
    """Return labels and predictions of training images, over the labels a coupling covers.

    Images labelled with a class that the relatedness does not name are left out.

    Args:
        model: A built model; its predictions are those without dropout.
        sources: Unbatched (input, labels, masks).
        coupling: Its relatedness names the labels.
        limit: Most images a source; of a larger one every n-th is taken.
        batch_size: Images per prediction.
    """
    tasks = {task.name: task for task in model.tasks}
    k = [tasks[coupling.classes].labels.index(name) for name in coupling.relatedness.classes]
    m = [tasks[coupling.attributes].labels.index(name) for name in coupling.relatedness.attributes]
    forward = _forward(model)
    parts = []
    for source in sources:
        spread = source.shard(max(1, -(-int(source.cardinality()) // limit)), 0)
        for inputs, labels, masks in spread.batch(batch_size).prefetch(tf.data.AUTOTUNE):
            logits = forward(inputs)
            classes = softmax(keras.ops.convert_to_numpy(logits[coupling.classes])[:, k], axis=1)
            attributes = expit(keras.ops.convert_to_numpy(logits[coupling.attributes])[:, m])
            ids, named = _class_ids(coupling.classes, labels, masks, k, len(classes))
            known = _attributes(coupling.attributes, labels, masks, m, attributes.shape)
            # An image of a class that the relatedness does not name is of none of its classes.
            parts.append((classes[named], attributes[named], ids[named], known[named]))
    return Observations(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _forward(model: MultiTaskModel) -> Callable[[Any], Any]:
    """Return the model as a function of a batch that this process has to itself."""
    if processes.count() == 1:
        return lambda inputs: model(inputs, training=False)
    # Weights lie on the devices of all processes, where nothing is computed with local images.
    weights = [
        [keras.ops.convert_to_numpy(variable) for variable in variables]
        for variables in (model.trainable_variables, model.non_trainable_variables)
    ]
    return lambda inputs: model.stateless_call(*weights, inputs, training=False)[0]


def _class_ids(
    name: str, labels: Any, masks: Any, columns: list[int], size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return int [B], -1 where there is no label, and False where it is not among the columns."""
    if name not in labels:
        return np.full(size, -1, np.int64), np.ones(size, bool)
    one_hot = labels[name].numpy()[:, columns]
    labelled, found = masks[name].numpy() > 0, one_hot.max(axis=1) > 0
    return np.where(labelled & found, one_hot.argmax(axis=1), -1), found | ~labelled


def _attributes(
    name: str, labels: Any, masks: Any, columns: list[int], shape: tuple[int, ...]
) -> np.ndarray:
    """Return [B, M], -1 where there is no label."""
    if name not in labels:
        return np.full(shape, -1.0)
    known = masks[name].numpy()[:, columns] > 0
    return np.where(known, labels[name].numpy()[:, columns], -1.0)
