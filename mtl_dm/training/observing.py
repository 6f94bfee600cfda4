"""What training images are labelled for, and what a model predicts of the rest."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.special import expit, softmax

from mtl_dm import processes
from mtl_dm.data.batch_sizes import fitting_batch
from mtl_dm.data.deferred import every
from mtl_dm.models import Coupling, MultiTaskModel, RelationCoupling
from mtl_dm.relatedness import Observations

LIMIT = 20_000
"""Images a source that are looked at: more would not make an estimate much better."""

Rows = tuple[np.ndarray, ...]
"""Arrays with a row for each image."""


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

    def look(inputs: Any, labels: Any, masks: Any) -> Rows:
        logits = forward(inputs)
        classes = softmax(keras.ops.convert_to_numpy(logits[coupling.classes])[:, k], axis=1)
        attributes = expit(keras.ops.convert_to_numpy(logits[coupling.attributes])[:, m])
        ids, named = _class_ids(coupling.classes, labels, masks, k, len(classes))
        known = _labelled(coupling.attributes, labels, masks, m, attributes.shape, -1.0)
        return classes, attributes, ids, known, named

    nothing = *_none(len(k), len(m)), np.zeros(0, np.int64), *_none(len(m)), np.zeros(0, bool)
    *seen, named = _looked_at(sources, limit, batch_size, look, nothing)
    # An image of a class that the relatedness does not name is of none of its classes.
    return Observations(*(rows[named] for rows in seen))


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
    forward = _forward(model)

    def look(inputs: Any, labels: Any, masks: Any) -> Rows:
        logits = forward(inputs)[coupling.source]
        classes = softmax(keras.ops.convert_to_numpy(logits)[:, k], axis=1)
        ids, named = _class_ids(coupling.source, labels, masks, k, len(classes))
        values = _labelled(coupling.target, labels, masks, r, (len(classes), len(r)), np.nan)
        return classes, ids, values, named

    nothing = *_none(len(k)), np.zeros(0, np.int64), *_none(len(r)), np.zeros(0, bool)
    classes, ids, values, named = _looked_at(sources, limit, batch_size, look, nothing)
    return classes[named], ids[named], values[named]


def _none(*columns: int) -> tuple[np.ndarray, ...]:
    return tuple(np.zeros((0, each)) for each in columns)


def _looked_at(
    sources: Sequence[tf.data.Dataset],
    limit: int,
    batch_size: int,
    look: Callable[[Any, Any, Any], Rows],
    nothing: Rows,
) -> list[np.ndarray]:
    """Return what is seen of the images of each source, of a larger one of every n-th.

    Of several processes each looks at its share of them, and has what all have seen.

    Args:
        sources: As for `observe`.
        limit: Likewise.
        batch_size: Likewise.
        look: Returns arrays with a row for each image of a batch.
        nothing: The same arrays without a row.
    """
    found = [nothing]
    for source in sources:
        apart = max(1, -(-int(source.cardinality()) // limit)) * processes.count()
        own = every(source, apart, apart // processes.count() * processes.index())
        batches = own.batch(fitting_batch(source, batch_size)).prefetch(tf.data.AUTOTUNE)
        seen = _joined([nothing, *itertools.starmap(look, batches)])
        found.append(tuple(_woven(processes.gathered(rows)) for rows in seen))
    return _joined(found)


def _joined(parts: Sequence[Rows]) -> list[np.ndarray]:
    return [np.concatenate(rows) for rows in zip(*parts, strict=True)]


def _woven(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return the first row of each part, then the second one of each, and so on."""
    woven = np.concatenate(parts)
    for index, rows in enumerate(parts):
        woven[index :: len(parts)] = rows
    return woven


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
