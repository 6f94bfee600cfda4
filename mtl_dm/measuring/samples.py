"""A few test images with what is true and what was predicted, the wrong ones first.

Shapes: N test images, S labels of a task.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple

import cv2
import numpy as np
import tensorflow as tf

from mtl_dm.tasks import Task

_SIDE = 96
_WRONG_SHARE = 2 / 3


class Judged(NamedTuple):
    """A task's labels and what a model says of N images.

    Attributes:
        task: The task.
        labels: [N, M]; of a multiclass task the class ids [N].
        mask: The same shape.
        predicted: bool [N, M]; of a multiclass task the class ids [N].
        probabilities: [N, M]; of a multiclass task [N, 2], of the label and of the prediction.
        scored: [S], False for labels that are not judged.
        classes: Probabilities [N, K] of a multiclass task, None where they are too many to keep.
    """

    task: Task
    labels: np.ndarray
    mask: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray
    scored: np.ndarray
    classes: np.ndarray | None = None


def pick(judged: Judged, count: int) -> list[int]:
    """Return the rows to show of a multiclass task: wrong predictions first, surest first.

    Two thirds are wrong ones as far as there are that many; the rest are right ones. Ties keep
    the order of the set, so the choice is the same on every run.
    """
    surest = np.argsort(-judged.probabilities[:, 1], kind="stable")
    surest = surest[judged.mask[surest] > 0]
    wrong = judged.predicted != judged.labels
    misses, hits = surest[wrong[surest]], surest[~wrong[surest]]
    enough = min(len(misses), max(round(count * _WRONG_SHARE), count - len(hits)))
    return [*misses[:enough].tolist(), *hits[: count - enough].tolist()]


def samples(
    judged: Mapping[str, Judged], source: tf.data.Dataset, count: int
) -> list[dict[str, Any]]:
    """Return the samples of a cell as JSON values; none without images or classes.

    Args:
        judged: By task name.
        source: Unbatched, of the same images.
        count: How many.
    """
    shape: Any = getattr(source.element_spec[0], "shape", ())
    leading = next((each for each in judged.values() if each.task.kind == "multiclass"), None)
    if leading is None or len(shape) != 3 or shape[-1] != 3:
        return []
    rows = pick(leading, count)
    if not rows:
        return []
    wanted, images = set(rows), {}
    inputs = source.map(lambda image, labels, masks: image).take(max(rows) + 1)
    for row, image in enumerate(inputs.as_numpy_iterator()):
        if row in wanted:
            images[row] = _thumbnail(image)
    return [
        {
            "image": images[row],
            "index": row,
            "correct": _named(leading, row)["true"] == _named(leading, row)["predicted"],
            "tasks": {name: _named(each, row) for name, each in judged.items()},
        }
        for row in rows
    ]


def _named(judged: Judged, row: int) -> dict[str, Any]:
    """Return the names of the true and the predicted labels, and these names' probabilities."""
    stated: Any = judged.probabilities[row]
    if judged.task.kind == "multiclass":
        label, guess = int(judged.labels[row]), int(judged.predicted[row])
        true, predicted = [label] if judged.mask[row] > 0 else [], [guess]
        stated = dict(zip((label, guess), stated, strict=True))
    else:
        annotated = (judged.mask[row] > 0) & judged.scored
        true = np.flatnonzero(annotated & (judged.labels[row] > 0.5)).tolist()
        predicted = np.flatnonzero(annotated & judged.predicted[row]).tolist()
    names = judged.task.labels
    return {
        "kind": judged.task.kind,
        "true": [names[place] for place in true],
        "predicted": [names[place] for place in predicted],
        "probabilities": {
            names[place]: round(float(stated[place]), 4) for place in sorted({*true, *predicted})
        },
    }


def _thumbnail(image: np.ndarray) -> str:
    """Return an image in [-1, 1] as a small JPEG in a data URL."""
    pixels = np.clip((image + 1.0) * 127.5, 0, 255).astype(np.uint8)
    height, width = pixels.shape[:2]
    if max(height, width) > _SIDE:
        scale = _SIDE / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")
