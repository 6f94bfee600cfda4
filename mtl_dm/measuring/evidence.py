"""What a report shows beside the metrics: curves, calibration, relatedness, samples.

Shapes: N test images, S labels of a task (K classes, M attributes).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from scipy.special import expit, softmax

from mtl_dm.measuring.samples import Judged, samples
from mtl_dm.metrics.calibration import reliability
from mtl_dm.models import MultiTaskModel
from mtl_dm.relatedness import Relatedness, implied_conditional
from mtl_dm.tasks import Task

MOST_CLASSES = 1000
"""Of a task with more classes nobody reads a table of them, which would be large."""

_BATCH = 256

History = Mapping[str, Sequence[float]]


class Fitted(NamedTuple):
    """A trained model, the unbatched source to look at it with, and its training history.

    The history holds, by the names Keras logs, the value of every epoch.
    """

    model: MultiTaskModel
    source: tf.data.Dataset
    history: History


def collect(
    fitted: Sequence[Fitted],
    *,
    columns: Mapping[str, np.ndarray] | None = None,
    thresholds: Mapping[str, np.ndarray] | None = None,
    sample_count: int = 12,
) -> dict[str, Any]:
    """Return the evidence of one cell, as JSON values.

    Args:
        fitted: The models of the cell: one, or one a task. Their sources give the same images in
            the same order (the inputs may be scaled differently).
        columns: By task name, float [S] with 1 for labels to judge and 0 for others; None: all.
        thresholds: By task name, the chosen ones [S], kept for whoever asks what they were.
        sample_count: Images to show; none are shown where the inputs are no images.

    Returns:
        history: For each model its tasks, epochs and the values of each loss term.
        calibration: By task name, the reliability of its probabilities.
        relatedness: P(attribute | class): "prior" of the coupling, "implied" by the predictions,
            "observed" in the labels; None without a multiclass and a multilabel task, and for more
            than `MOST_CLASSES` classes, of which [N, K] probabilities are not kept either.
        samples: Images with what is true and what was predicted, the wrong ones first.
        thresholds: By task name and label; none where none were chosen.

    Raises:
        ValueError: If the sources differ in length.
    """
    judged: dict[str, Judged] = {}
    for part in fitted:
        judged.update(_judge(part, columns or {}))
    lengths = {name: len(each.labels) for name, each in judged.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"All sources must give the same images, got the lengths {lengths}.")
    return {
        "history": [_history(part) for part in fitted],
        "calibration": {
            name: found for name, each in judged.items() if (found := _calibration(each))
        },
        "relatedness": _relatedness(judged, fitted),
        "samples": samples(judged, fitted[0].source, sample_count),
        "thresholds": {
            # Unrounded: a collapsed attribute has its threshold near 0.
            name: dict(zip(judged[name].task.labels, values.tolist(), strict=True))
            for name, values in (thresholds or {}).items()
        },
    }


def _judge(part: Fitted, columns: Mapping[str, np.ndarray]) -> dict[str, Judged]:
    """Return labels, masks and probabilities of the tasks that the source is annotated for."""
    names = set(part.source.element_spec[1])
    tasks = [t for t in part.model.tasks if t.name in names and t.kind != "regression"]
    batches: dict[str, list[Judged]] = {task.name: [] for task in tasks}
    for inputs, labels, masks in part.source.batch(_BATCH).prefetch(tf.data.AUTOTUNE):
        logits = part.model(inputs, training=False)
        for task in tasks:
            scored = np.asarray(columns.get(task.name, np.ones(task.size)), bool)
            numbers = keras.ops.convert_to_numpy(logits[task.name]).astype(np.float64)
            label, mask = labels[task.name].numpy(), masks[task.name].numpy()
            batches[task.name].append(_judge_batch(task, label, mask, numbers, scored))
    return {name: _joined(parts) for name, parts in batches.items()}


def _judge_batch(
    task: Task, labels: np.ndarray, mask: np.ndarray, logits: np.ndarray, scored: np.ndarray
) -> Judged:
    """Return what is kept of a batch: of many classes the label and the prediction alone."""
    if task.kind != "multiclass":
        probabilities = expit(logits)
        return Judged(task, labels, mask, probabilities > 0.5, probabilities, scored)
    classes = softmax(logits, axis=1)
    ids = np.stack([labels.argmax(axis=1), classes.argmax(axis=1)], axis=1)
    stated = np.take_along_axis(classes, ids, axis=1)
    kept = classes if task.size <= MOST_CLASSES else None
    return Judged(task, ids[:, 0], mask, ids[:, 1], stated, scored, kept)


def _joined(parts: Sequence[Judged]) -> Judged:
    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    rows: dict[str, Any] = {
        name: joined(name) for name in ("labels", "mask", "predicted", "probabilities")
    }
    return parts[0]._replace(
        **rows, classes=None if parts[0].classes is None else joined("classes")
    )


def _history(part: Fitted) -> dict[str, Any]:
    terms = {
        name.removesuffix("_loss"): [_number(value) for value in values]
        for name, values in part.history.items()
        if name.endswith("loss") and not name.startswith("val_")
    }
    return {
        "tasks": [task.name for task in part.model.tasks],
        "epochs": list(range(1, 1 + max(map(len, terms.values()), default=0))),
        "terms": terms,
    }


def _calibration(judged: Judged) -> dict[str, Any] | None:
    """Return the reliability of a task's statements; None where nothing is annotated."""
    if judged.task.kind == "multiclass":
        rows = judged.mask > 0
        stated, true = judged.probabilities[rows, 1], (judged.predicted == judged.labels)[rows]
    else:
        entries = (judged.mask > 0) & judged.scored
        stated, true = judged.probabilities[entries], judged.labels[entries] > 0.5
    if not len(stated):
        return None
    found = reliability(np.clip(stated, 0.0, 1.0), true)  # Softmax may exceed 1 by rounding.
    return {
        "kind": judged.task.kind,
        "error": _number(found.error),
        "edges": _numbers(found.edges),
        "confidence": _numbers(found.confidence),
        "outcome": _numbers(found.outcome),
        "count": found.count.tolist(),
    }


def _relatedness(judged: Mapping[str, Judged], fitted: Sequence[Fitted]) -> dict[str, Any] | None:
    couplings = [each for part in fitted for each in part.model.couplings]
    coupling = next((each for each in couplings if isinstance(each.relation, Relatedness)), None)
    kinds = {each.task.kind: each.task.name for each in reversed(list(judged.values()))}
    names = (kinds.get("multiclass", ""), kinds.get("multilabel", ""))
    if coupling is not None:
        names = (coupling.source, coupling.target)
    if not all(name in judged for name in names):
        return None
    classes, attributes = judged[names[0]], judged[names[1]]
    if classes.classes is None:
        return None
    one_hot = (classes.labels[:, None] == np.arange(classes.task.size)) * classes.mask[:, None]
    prior = None
    if coupling is not None:
        whole = np.full((classes.task.size, attributes.task.size), np.nan)
        relatedness = coupling.relation
        rows = [classes.task.labels.index(name) for name in relatedness.classes]
        places = [attributes.task.labels.index(name) for name in relatedness.attributes]
        whole[np.ix_(rows, places)] = relatedness.conditional
        prior = _numbers(whole)
    implied = implied_conditional(classes.classes, attributes.probabilities)
    return {
        "classes": list(classes.task.labels),
        "attributes": list(attributes.task.labels),
        # Attributes that the metrics of the task leave out.
        "left_out": [
            name
            for name, scored in zip(attributes.task.labels, attributes.scored, strict=True)
            if not scored
        ],
        "prior": prior,
        "implied": _numbers(implied),
        "observed": _numbers(implied_conditional(one_hot, attributes.labels, attributes.mask)),
    }


def _number(value: float) -> float | None:
    # Strict JSON has no NaN.
    return round(float(value), 5) if math.isfinite(value) else None


def _numbers(array: np.ndarray) -> Any:
    return [_numbers(row) if np.ndim(row) else _number(row) for row in array]
