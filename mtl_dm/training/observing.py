"""What training images are labelled for, and what a model predicts of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.special import expit, softmax

from mtl_dm import processes
from mtl_dm.data.batch_sizes import fitting_batch
from mtl_dm.models import Coupling, MultiTaskModel, RelationCoupling
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
    k = [tasks[coupling.classes].positions[name] for name in coupling.relatedness.classes]
    m = [tasks[coupling.attributes].positions[name] for name in coupling.relatedness.attributes]
    forward = _forward(model)
    parts = []
    for inputs, labels, masks in _spread(sources, limit, batch_size):
        logits = forward(inputs)
        classes = softmax(keras.ops.convert_to_numpy(logits[coupling.classes])[:, k], axis=1)
        attributes = expit(keras.ops.convert_to_numpy(logits[coupling.attributes])[:, m])
        ids, named = _class_ids(coupling.classes, labels, masks, k, len(classes))
        known = _labelled(coupling.attributes, labels, masks, m, attributes.shape, -1.0)
        # An image of a class that the relatedness does not name is of none of its classes.
        parts.append((classes[named], attributes[named], ids[named], known[named]))
    if not parts:
        nothing = np.zeros((0, len(k))), np.zeros((0, len(m)))
        return Observations(*nothing, np.zeros(0, np.int64), np.zeros((0, len(m))))
    return Observations(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def observe_values(
    model: MultiTaskModel,
    sources: Sequence[tf.data.Dataset],
    coupling: RelationCoupling,
    limit: int = LIMIT,
    batch_size: int = 256,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return class probabilities, class labels and labelled values of training images.

    Args:
        model: As for `observe`.
        sources: Likewise.
        coupling: By moments, which name the labels.
        limit: As for `observe`.
        batch_size: Likewise.

    Returns:
        [N, K]; int [N], -1 where there is no label; [N, R], NaN where there is none.
    """
    tasks = {task.name: task for task in model.tasks}
    k = [tasks[coupling.source].positions[name] for name in coupling.relation.classes]
    r = [tasks[coupling.target].positions[name] for name in coupling.relation.values]
    forward, parts = _forward(model), []
    for inputs, labels, masks in _spread(sources, limit, batch_size):
        logits = forward(inputs)[coupling.source]
        classes = softmax(keras.ops.convert_to_numpy(logits)[:, k], axis=1)
        ids, named = _class_ids(coupling.source, labels, masks, k, len(classes))
        values = _labelled(coupling.target, labels, masks, r, (len(classes), len(r)), np.nan)
        parts.append((classes[named], ids[named], values[named]))
    if not parts:
        return np.zeros((0, len(k))), np.zeros(0, np.int64), np.zeros((0, len(r)))
    classes, ids, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return classes, ids, values


def _spread(sources: Sequence[tf.data.Dataset], limit: int, batch_size: int) -> Iterator[Any]:
    """Yield batches of each source, of a larger one of every n-th image."""
    for source in sources:
        spread = source.shard(max(1, -(-int(source.cardinality()) // limit)), 0)
        size = fitting_batch(source, batch_size)
        yield from spread.batch(size).prefetch(tf.data.AUTOTUNE)


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
    # Labels without a mask are annotated, as for the model.
    labelled = masks[name].numpy() > 0 if name in masks else np.ones(size, bool)
    found = one_hot.max(axis=1) > 0
    return np.where(labelled & found, one_hot.argmax(axis=1), -1), found | ~labelled


def _labelled(
    name: str, labels: Any, masks: Any, columns: list[int], shape: tuple[int, ...], missing: float
) -> np.ndarray:
    """Return labels [B, size of `columns`], `missing` where there is none."""
    if name not in labels:
        return np.full(shape, missing)
    values = labels[name].numpy()[:, columns]
    if name not in masks:
        return values
    return np.where(masks[name].numpy()[:, columns] > 0, values, missing)
