"""A photo with its faces boxed and numbered, and a card a face beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from mtl_dm import faces
from mtl_dm.faces.geometry import rescale
from mtl_dm.predicting import cards
from mtl_dm.predicting.finding import Found
from mtl_dm.predicting.lettering import font, write
from mtl_dm.predicting.predictor import Prediction
from mtl_dm.tasks import Task

LONG_SIDE = 1280
"""Larger photos are shrunk to it in annotated pictures."""

_QUALITY = 90
_COLOURS = ("#D55E00", "#009E73", "#CC79A7", "#0072B2", "#E69F00", "#56B4E9")


@dataclasses.dataclass(frozen=True, eq=False)
class Canvas:
    """A photo small enough to be kept until its faces are predicted.

    Args:
        image: uint8 [height, width, 3], red first.
        scale: Its pixels for one of the photo's, (x, y).
    """

    image: faces.Image
    scale: Any

    @classmethod
    def of(cls, image: faces.Image, scale: int = 1) -> Canvas:
        """Return the canvas of a photo that was read at 1 / `scale` of its size."""
        if max(image.shape[:2]) <= LONG_SIDE:
            return cls(image, np.ones(2) / scale)
        smaller, shrunk = rescale(image, LONG_SIDE)
        return cls(smaller, shrunk / scale)


def annotated(
    canvas: Canvas,
    found: Sequence[Found],
    predictions: Sequence[Prediction],
    tasks: Sequence[Task],
    note: str | None = None,
) -> bytes:
    """Return the picture as JPEG.

    Args:
        canvas: The photo.
        found: Its faces.
        predictions: One a face.
        tasks: The model's tasks.
        note: Stands below the photo.
    """
    photo = Image.fromarray(canvas.image)
    draw = ImageDraw.Draw(photo)
    thickness = max(2, round(max(photo.size) / 400))
    made = []
    for place, (face, predicted) in enumerate(zip(found, predictions, strict=True)):
        colour = _COLOURS[place % len(_COLOURS)]
        _box(draw, canvas, face.face.box, colour, thickness, place + 1)
        made.append(cards.card(place + 1, colour, face.crop, predicted, tasks))
    sheet = cv2.cvtColor(np.asarray(_beside(photo, made, note)), cv2.COLOR_RGB2BGR)
    # Not by Pillow, which would keep all other threads waiting meanwhile.
    _, data = cv2.imencode(".jpg", sheet, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    return data.tobytes()


def _box(
    draw: Any, canvas: Canvas, box: faces.Box, colour: str, thickness: int, number: int
) -> None:
    corners = (np.reshape(box, (2, 2)) + 0.5) * canvas.scale - 0.5
    left, top, right, bottom = corners.ravel().tolist()
    draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour, width=thickness)
    text, size = str(number), max(12, thickness * 6)
    # Above the box, or inside where that would leave the photo.
    where = max(0.0, left), top - size * 1.25 if top > size * 1.25 else max(0.0, top)
    draw.rectangle(draw.textbbox(where, text, font=font(size)), fill=colour)
    write(draw, where, text, "#ffffff", size)


def _beside(photo: Image.Image, made: Sequence[Image.Image], note: str | None) -> Image.Image:
    """Return photo and cards on one sheet; cards fill columns as high as the photo."""
    footer = 20 if note else 0
    each = made[0].height if made else 1
    rows = max(1, photo.height // each)
    # Fewer columns than a low photo with a crowd would need: as wide as the photo at most.
    most = max(1, photo.width // cards.WIDTH)
    columns = min(most, -(-len(made) // rows))
    rows = -(-len(made) // columns) if columns else 0
    width = photo.width + columns * cards.WIDTH
    sheet = Image.new("RGB", (width, max(photo.height, rows * each) + footer), cards.PAPER)
    sheet.paste(photo, (0, 0))
    for place, card in enumerate(made):
        column, row = divmod(place, rows)
        sheet.paste(card, (photo.width + column * cards.WIDTH, row * each))
    if note:
        draw = ImageDraw.Draw(sheet)
        write(draw, (6, sheet.height - footer + 3), note, cards.INK, 12)
    return sheet
