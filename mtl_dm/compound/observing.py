"""What models say of images with a compound expression: probabilities, features, labels.

Shapes: N images, D features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from mtl_dm.data import class_ids
from mtl_dm.measuring.batches import batches_of
from mtl_dm.metrics import probabilities
from mtl_dm.models import MultiTaskModel
from mtl_dm.tasks import Task

_BATCH = 256


class Observed(NamedTuple):
    """N images as models see them.

    Attributes:
        outputs: By task of the models, [N, size]: probabilities, values of a regression.
        features: [N, D], of all models side by side.
        ids: Classes of the compound task, int [N].
    """

    outputs: Mapping[str, np.ndarray]
    features: np.ndarray
    ids: np.ndarray


def observe(models: Sequence[MultiTaskModel], source: tf.data.Dataset, task: Task) -> Observed:
    """Return what models say of the images of a source that carry a compound expression.

    Args:
        models: Built, with different tasks.
        source: Unbatched (inputs, labels, masks).
        task: The compound expressions, which no model has to know.

    Raises:
        ValueError: If no image carries a label of the task.
    """
    outputs: dict[str, list[np.ndarray]] = {}
    features, labels, masks = [], [], []
    for inputs, label, mask in batches_of(source, _BATCH, "images looked at"):
        seen = []
        for model in models:
            found, _ = model.extract(inputs, training=False)
            logits = model.logits_of(found)
            for each in model.tasks:
                numbers = keras.ops.convert_to_numpy(logits[each.name])
                outputs.setdefault(each.name, []).append(probabilities(each, numbers))
            seen += _features(found)
        features.append(np.concatenate(seen, axis=1))
        labels.append(label[task.name].numpy())
        masks.append(mask[task.name].numpy())
    ids = class_ids(np.concatenate(labels), np.concatenate(masks))
    kept = ids >= 0
    if not kept.any():
        raise ValueError(f"No image carries a label of the task {task.name!r}.")
    return Observed(
        {name: np.concatenate(parts)[kept] for name, parts in outputs.items()},
        np.concatenate(features)[kept],
        ids[kept],
    )


def _features(by_task: Mapping[str, Any]) -> list[np.ndarray]:
    """Return features that tasks share once, [N, D]; of a network in parts the parts' mean."""
    different = {id(each): each for each in by_task.values()}
    found = [keras.ops.convert_to_numpy(each) for each in different.values()]
    return [each.mean(axis=1) if each.ndim == 3 else each for each in found]
