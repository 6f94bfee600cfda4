"""A parametric face in which every action unit moves its own part, as FACS describes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from mtl_dm.synthetic.canvas import SUPERSAMPLING, Canvas
from mtl_dm.synthetic.eyes import draw_brows, draw_eyes, draw_glasses
from mtl_dm.synthetic.head import draw_behind, draw_hair, draw_head
from mtl_dm.synthetic.identity import Identity
from mtl_dm.synthetic.mouth import draw_mouth, draw_nose
from mtl_dm.synthetic.muscles import muscles
from mtl_dm.synthetic.nuisance import (
    Nuisance,
    background,
    draw_occluder,
    photograph,
)
from mtl_dm.synthetic.skin import shade

MIN_SIZE = 32

REGIONS: dict[str, tuple[float, float, float, float]] = {
    "brows": (0.22, 0.19, 0.78, 0.41),
    "eyes": (0.18, 0.36, 0.82, 0.52),
    "upper_cheeks": (0.16, 0.40, 0.84, 0.69),
    "nose": (0.32, 0.31, 0.68, 0.70),
    "furrows": (0.28, 0.52, 0.72, 0.78),
    "lower_face": (0.20, 0.50, 0.80, 0.88),
    "mouth": (0.24, 0.64, 0.76, 0.86),
    "chin": (0.24, 0.66, 0.76, 1.0),
}
"""Boxes (left, top, right, bottom) in shares of an unposed image."""

AU_REGIONS: dict[str, str] = {
    "AU1": "brows", "AU2": "brows", "AU4": "brows", "AU5": "eyes",
    "AU6": "upper_cheeks", "AU7": "eyes", "AU9": "nose", "AU10": "lower_face", "AU11": "furrows",
    "AU12": "lower_face", "AU15": "mouth", "AU17": "chin", "AU20": "mouth", "AU23": "mouth",
    "AU24": "mouth", "AU25": "mouth", "AU26": "chin",
}  # fmt: skip
"""The region in which each action unit is mainly seen."""


def draw_face(
    identity: Identity, intensities: Any, nuisance: Nuisance | None = None, size: int = 112
) -> np.ndarray:
    """Return a drawn face, uint8 RGB [size, size, 3].

    Args:
        identity: Who is drawn.
        intensities: [17] in [0, 1], in the order of `ACTION_UNITS`.
        nuisance: How the picture was taken; None: frontal, evenly lit, sharp.
        size: Pixels along a side, at least 32.

    Raises:
        ValueError: If `size` is too small or no integer, or the intensities break their rule.
    """
    checked_size(size)
    moved = muscles(intensities, identity.lopsided)
    nuisance = nuisance or Nuisance()
    side = SUPERSAMPLING * int(size)
    canvas = Canvas(side, nuisance.pose, background(nuisance, side))
    draw_behind(canvas, identity, moved)
    draw_head(canvas, identity, moved)
    shade(canvas, identity, moved, nuisance.pose)
    draw_nose(canvas, identity, moved)
    draw_mouth(canvas, identity, moved)
    draw_eyes(canvas, identity, moved, nuisance.gaze)
    draw_brows(canvas, identity, moved)
    draw_hair(canvas, identity)
    draw_glasses(canvas, identity)
    if nuisance.occluder is not None:
        draw_occluder(canvas, nuisance.occluder)
    image = cv2.resize(canvas.render(), (int(size), int(size)), interpolation=cv2.INTER_AREA)
    return photograph(image, nuisance)


def checked_size(size: int) -> int:
    """Return `size`.

    Raises:
        ValueError: If it is no integer or too small to draw on.
    """
    if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < MIN_SIZE:
        raise ValueError(f"size must be an integer >= {MIN_SIZE}, got {size!r}.")
    return size
