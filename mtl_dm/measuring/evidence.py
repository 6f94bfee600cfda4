"""What a report shows beside the metrics: curves, calibration, relatedness, samples.

Shapes: N test images, S labels of a task (K classes, M attributes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from mtl_dm.measuring import conditionals
from mtl_dm.measuring.predictions import Predictions, predictions_of
from mtl_dm.measuring.rounding import number, numbers
from mtl_dm.measuring.samples import samples
from mtl_dm.measuring.values import values_at, values_of
from mtl_dm.metrics.calibration import reliability
from mtl_dm.models import MultiTaskModel

History = Mapping[str, Sequence[float]]


class Fitted(NamedTuple):
    """A trained model, the unbatched source to measure it on, and its training history.

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
        columns: By task name, float [S] with 1 for labels to score and 0 for others; None: all.
        thresholds: By task name, the chosen ones [S], kept for whoever asks what they were.
        sample_count: Samples to show.

    Returns:
        history: For each model its tasks, epochs and the values of each loss term; under "balance"
            the terms' weights and the cosines between their gradients, where they were logged.
        calibration: By task name, the reliability of its probabilities.
        relatedness: P(attribute | class) of the first coupling, or without one of the first
            multiclass and multilabel task, as `mtl_dm.measuring.conditionals` says: "prior" of
            the coupling, "implied" by the predictions, "observed" in the labels, where there is
            one "learned" in training, with the share of the prior that labels "confirmed". None
            without such tasks, and for more than `MOST_CLASSES` classes, of which [N, K]
            probabilities are not kept either.
        couplings: The same of every coupling, by its name; empty without.
        values: Of regressions, labels and predictions of a few hundred images, by task name.
        samples: What is true and what was predicted, regressions included, the wrong ones first,
            with the image where the inputs hold one.
        thresholds: By task name and label; none where none were chosen.

    Raises:
        ValueError: If the sources differ in length.
    """
    found: dict[str, Predictions] = {}
    for part in fitted:
        found.update(predictions_of(part.model, part.source, columns or {}))
    lengths = {name: len(each.labels) for name, each in found.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"All sources must give the same images, got the lengths {lengths}.")
    couplings = [told for part in fitted for told in conditionals.told_by(part.model)]
    return {
        "history": [_history(part) for part in fitted],
        "calibration": {
            name: reliable for name, each in found.items() if (reliable := _calibration(each))
        },
        "relatedness": conditionals.of_first(found, couplings),
        "couplings": conditionals.of_couplings(found, couplings),
        "values": {
            name: each
            for part in fitted
            for name, each in values_of(part.model, part.source).items()
        },
        "samples": _samples(found, fitted, sample_count),
        "thresholds": {
            # Unrounded: a collapsed attribute has its threshold near 0.
            name: dict(zip(found[name].task.labels, values.tolist(), strict=True))
            for name, values in (thresholds or {}).items()
        },
    }


def _samples(
    found: Mapping[str, Predictions], fitted: Sequence[Fitted], count: int
) -> list[dict[str, Any]]:
    shown = samples(found, fitted[0].source, count)
    rows = [sample["index"] for sample in shown]
    for part in fitted if rows else ():
        for name, values in values_at(part.model, part.source, rows).items():
            for sample, value in zip(shown, values, strict=True):
                sample["tasks"][name] = value
    return shown


def _history(part: Fitted) -> dict[str, Any]:
    terms = {
        name.removesuffix("_loss"): [number(value) for value in values]
        for name, values in part.history.items()
        if name.endswith("loss") and not name.startswith("val_")
    }
    balance = {
        name: [number(value) for value in values]
        for name, values in part.history.items()
        if name in part.model.balance_trackers
    }
    found = {
        "tasks": [task.name for task in part.model.tasks],
        "epochs": list(range(1, 1 + max(map(len, terms.values()), default=0))),
        "terms": terms,
    }
    return {**found, "balance": balance} if balance else found


def _calibration(found: Predictions) -> dict[str, Any] | None:
    """Return the reliability of a task's probabilities; None where nothing is annotated."""
    if found.task.kind == "multiclass":
        rows = found.mask > 0
        confidence, true = found.probabilities[rows, 1], (found.predicted == found.labels)[rows]
    else:
        entries = (found.mask > 0) & found.scored
        confidence, true = found.probabilities[entries], found.labels[entries] > 0.5
    if not len(confidence):
        return None
    # Softmax may exceed 1 by rounding.
    measured = reliability(np.clip(confidence, 0.0, 1.0), true)
    return {
        "kind": found.task.kind,
        "error": number(measured.error),
        "edges": numbers(measured.edges),
        "confidence": numbers(measured.confidence),
        "outcome": numbers(measured.outcome),
        "count": measured.count.tolist(),
    }
