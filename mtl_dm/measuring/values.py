"""Real values as labelled and as predicted, of a few test images.

Shapes: N test images, R values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from mtl_dm.measuring.evaluation import annotated_predictions
from mtl_dm.measuring.rounding import numbers
from mtl_dm.models import MultiTaskModel

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
    there = source.element_spec[1]
    tasks = [task for task in model.tasks if task.kind == "regression" and task.name in there]
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
