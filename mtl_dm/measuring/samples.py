"""A few test images with what is true and what was predicted, the wrong ones first.

Shapes: N test images, S labels of a task.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from mtl_dm.measuring.predictions import Predictions

_SIDE = 96
_WRONG_SHARE = 2 / 3


def pick(found: Predictions, count: int) -> list[int]:
    """Return the rows to show of a multiclass task: wrong predictions first, surest first.

    Two thirds are wrong ones as far as there are that many; the rest are right ones. Ties keep
    the order of the set, so the choice is the same on every run.
    """
    surest = np.argsort(-found.probabilities[:, 1], kind="stable")
    surest = surest[found.mask[surest] > 0]
    wrong = found.predicted != found.labels
    misses, hits = surest[wrong[surest]], surest[~wrong[surest]]
    enough = min(len(misses), max(round(count * _WRONG_SHARE), count - len(hits)))
    return [*misses[:enough].tolist(), *hits[: count - enough].tolist()]


def samples(
    found: Mapping[str, Predictions], source: tf.data.Dataset, count: int
) -> list[dict[str, Any]]:
    """Return the samples of a cell as JSON values; none without a multiclass task.

    Args:
        found: Labels and predictions by task name.
        source: Unbatched, of the same images.
        count: How many.

    Returns:
        "image" is a data URL, or None where the inputs hold no colour image.
    """
    leading = next((each for each in found.values() if each.task.kind == "multiclass"), None)
    rows = [] if leading is None else pick(leading, count)
    if leading is None or not rows:
        return []
    images = _thumbnails(source, rows)
    return [
        {
            "image": images.get(row),
            "index": row,
            "correct": _named(leading, row)["true"] == _named(leading, row)["predicted"],
            "tasks": {name: _named(each, row) for name, each in found.items()},
        }
        for row in rows
    ]


def _thumbnails(source: tf.data.Dataset, rows: Sequence[int]) -> dict[int, str]:
    """Return the images of some rows; none where the inputs hold no image."""
    place = image_place(source.element_spec[0])
    if place is None:
        return {}
    wanted, images = set(rows), {}
    inputs = source.map(lambda inputs, labels, masks: inputs[place] if place else inputs)
    for row, image in enumerate(inputs.take(max(rows) + 1).as_numpy_iterator()):
        if row in wanted:
            images[row] = thumbnail(image)
    return images


def image_place(spec: Any) -> str | None:
    """Return where an element's inputs hold a colour image [H, W, 3].

    Args:
        spec: Of the inputs: one array, or a dictionary of arrays by name.

    Returns:
        "" if they are the image, its name in a dictionary ("image", else the first of them), None
        if there is none.
    """
    if not isinstance(spec, Mapping):
        return "" if _is_image(spec) else None
    names = [name for name in sorted(spec) if _is_image(spec[name])]
    return "image" if "image" in names else next(iter(names), None)


def _is_image(spec: Any) -> bool:
    shape: Any = getattr(spec, "shape", ())
    return len(shape) == 3 and shape[-1] == 3


def _named(found: Predictions, row: int) -> dict[str, Any]:
    """Return the names of the true and the predicted labels, and these names' probabilities."""
    stated: Any = found.probabilities[row]
    if found.task.kind == "multiclass":
        label, guess = int(found.labels[row]), int(found.predicted[row])
        true, predicted = [label] if found.mask[row] > 0 else [], [guess]
        stated = dict(zip((label, guess), stated, strict=True))
    else:
        annotated = (found.mask[row] > 0) & found.scored
        true = np.flatnonzero(annotated & (found.labels[row] > 0.5)).tolist()
        predicted = np.flatnonzero(annotated & found.predicted[row]).tolist()
    names = found.task.labels
    return {
        "kind": found.task.kind,
        "true": [names[place] for place in true],
        "predicted": [names[place] for place in predicted],
        "probabilities": {
            names[place]: round(float(stated[place]), 4) for place in sorted({*true, *predicted})
        },
    }


def thumbnail(image: np.ndarray) -> str:
    """Return an image in [-1, 1] as a small JPEG in a data URL."""
    pixels = np.clip((image + 1.0) * 127.5, 0, 255).astype(np.uint8)
    height, width = pixels.shape[:2]
    if max(height, width) > _SIDE:
        scale = _SIDE / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")
