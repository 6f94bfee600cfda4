"""Real values as labelled and as predicted, of a few test images.

Shapes: N test images, R values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_dm.measuring.evaluation import annotated_predictions
from mtl_dm.measuring.rounding import numbers
from mtl_dm.models import MultiTaskModel
from mtl_dm.tasks import Task

LIMIT = 300
"""Images that are kept: more dots hide each other."""


def values_of(
    model: MultiTaskModel, source: tf.data.Dataset, limit: int = LIMIT
) -> dict[str, dict[str, Any]]:
    """Return labels and predictions of the regressions that a source is annotated for, by task.

    Args:
        model: A built model.
        source: Unbatched (inputs, labels, masks); of a larger one every n-th image is taken.
        limit: Most images.

    Returns:
        JSON values by task name: "labels", the names; "bounds" or None; "true" and "predicted",
        [N][R], null where a label is missing. Tasks without a labelled image are left out.
    """
    tasks = _regressions(model, source)
    if not tasks:
        return {}
    images = int(source.cardinality())
    spread = source.shard(max(1, -(-images // limit)), 0).take(limit)
    found = annotated_predictions(model, spread, [task.name for task in tasks])
    kept = {}
    for task in tasks:
        predicted, labels, masks = found[task.name]
        known = masks > 0
        rows = known.any(axis=1)
        if rows.any():
            kept[task.name] = {
                "labels": list(task.labels),
                "bounds": None if task.bounds is None else list(task.bounds),
                "true": numbers(np.where(known, labels, np.nan)[rows]),
                "predicted": numbers(np.where(known, predicted, np.nan)[rows]),
            }
    return kept


def values_at(
    model: MultiTaskModel, source: tf.data.Dataset, rows: Sequence[int]
) -> dict[str, list[dict[str, Any]]]:
    """Return what is true and predicted of some images, by name of each regression.

    Args:
        model: A built model.
        source: Unbatched (inputs, labels, masks).
        rows: Places of the images in the source, at least one.

    Returns:
        JSON values, one a row in their order: "kind"; "labels", the names; "true" (null where
        the label is missing) and "predicted", [R].
    """
    tasks = _regressions(model, source)
    if not tasks:
        return {}
    wanted = np.unique(rows)
    numbered = source.take(int(wanted[-1]) + 1).enumerate()
    chosen = numbered.filter(lambda place, _: tf.reduce_any(place == wanted))
    found = annotated_predictions(
        model, chosen.map(lambda _, example: example), [task.name for task in tasks]
    )
    places = np.searchsorted(wanted, rows)
    told = {}
    for task in tasks:
        predicted, labels, masks = found[task.name]
        true = np.where(masks > 0, labels, np.nan)
        told[task.name] = [
            {
                "kind": task.kind,
                "labels": list(task.labels),
                "true": numbers(true[place]),
                "predicted": numbers(predicted[place]),
            }
            for place in places
        ]
    return told


def _regressions(model: MultiTaskModel, source: tf.data.Dataset) -> list[Task]:
    there = source.element_spec[1]
    return [task for task in model.tasks if task.kind == "regression" and task.name in there]
