"""Eyes, brows and glasses."""

from __future__ import annotations

import numpy as np

from mtl_dm.synthetic.canvas import Canvas, curve, ellipse, mix, shift
from mtl_dm.synthetic.identity import Identity
from mtl_dm.synthetic.muscles import Muscles

EYE_X, EYE_Y = 0.15, 0.42
_WHITE = (244.0, 241.0, 238.0)
_INK = (22.0, 16.0, 16.0)


def draw_eyes(
    canvas: Canvas, identity: Identity, muscles: Muscles, gaze: tuple[float, float]
) -> None:
    """Draw both eyes.

    Args:
        canvas: Where to draw.
        identity: Whose eyes.
        muscles: Opens (5) and narrows (6, 7) the lids.
        gaze: Displacement of the irises (x, y), share of the frame.
    """
    for side in (-1, 1):
        _draw_eye(canvas, identity, side, muscles.at(side), gaze)


def lids(identity: Identity, side: int, unit: dict[int, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the upper and the lower lid as curves from the image's left to its right."""
    x = 0.5 + side * EYE_X * identity.eye_spacing
    size = identity.eye_size
    half = 0.078 * size
    raise_, narrow = unit[5], unit[7]
    upper = 0.040 * size * (1 + 0.75 * raise_) * (1 - 0.42 * narrow) - 0.004 * unit[9]
    lower = 0.025 * size * (1 - 0.70 * narrow) - 0.013 * unit[6] + 0.004 * raise_
    upper, lower = max(upper, 0.007), max(lower, -0.004)
    corner = -0.006 * side  # the outer corner is a little higher
    places = np.array([-1, -0.55, 0, 0.55, 1]) * half + x
    ends = EYE_Y + np.array([corner, 0, 0, 0, -corner])
    top = np.stack([places, ends - upper * np.array([0, 0.82, 1, 0.82, 0])], axis=1)
    bottom = np.stack([places, ends + lower * np.array([0, 0.80, 1, 0.80, 0])], axis=1)
    return curve(top, 13), curve(bottom, 13)


def _draw_eye(
    canvas: Canvas,
    identity: Identity,
    side: int,
    unit: dict[int, float],
    gaze: tuple[float, float],
) -> None:
    upper, lower = lids(identity, side, unit)
    canvas.polygon(np.concatenate([upper, lower[::-1]]), _WHITE)
    x = 0.5 + side * EYE_X * identity.eye_spacing + gaze[0]
    y = EYE_Y - 0.008 + gaze[1]
    radius = 0.036 * identity.eye_size
    for size, colour in ((radius, identity.iris), (0.45 * radius, _INK)):
        disc = ellipse(x, y, size, size, 20)
        # Cut by the lids: no masks, so the edge stays smooth.
        top = np.interp(disc[:, 0], upper[:, 0], upper[:, 1])
        disc[:, 1] = np.clip(disc[:, 1], top, np.maximum(top, np.interp(disc[:, 0], *lower.T)))
        canvas.polygon(disc, colour)
    if upper[6, 1] < y - 0.012:
        canvas.polygon(ellipse(x + 0.009, y - 0.009, 0.006, 0.006, 8), (255, 255, 255))
    lash = 0.014 if identity.feminine else 0.010
    dark = mix(identity.skin, _INK, 0.85)
    canvas.line(upper, dark, lash)
    canvas.line(lower, mix(identity.skin, _INK, 0.35 + 0.2 * unit[7]), 0.006)
    # The fold of the upper lid goes away under a raised lid and a lowered brow.
    fold = upper[2:-2] - (0, 0.018 * (1 - 0.45 * unit[5]))
    canvas.line(fold, mix(identity.skin, _INK, 0.30), 0.006)
    if identity.feminine:
        corner = upper[-1] if side > 0 else upper[0]
        canvas.line(np.stack([corner, shift(corner, 0.016 * side, -0.012)]), dark, 0.009)


def brow(identity: Identity, side: int, unit: dict[int, float]) -> np.ndarray:
    """Return the closed outline of a brow."""
    rest, slant = identity.brow_height, identity.brow_slant
    inner = np.array([0.062 - 0.024 * unit[4], 0.338 + rest - slant])
    middle = np.array([0.145 - 0.010 * unit[4], 0.315 + rest])
    outer = np.array([0.232, 0.342 + rest + slant])
    inner[1] += -0.052 * unit[1] + 0.040 * unit[4] + 0.014 * unit[9]
    middle[1] += -0.016 * unit[1] - 0.046 * unit[2] + 0.036 * unit[4] + 0.005 * unit[9]
    outer[1] += -0.050 * unit[2] + 0.012 * unit[4] + 0.004 * unit[6]
    spine = np.stack([inner, 0.5 * (inner + middle) - (0, 0.004), middle, outer])
    spine = curve(spine * (side, 1) + (0.5, 0), 10)
    thickness = (
        0.013 * identity.brow_weight * np.array([0.75, 1, 1, 1, 1, 0.95, 0.85, 0.7, 0.45, 0.1])
    )
    offset = np.stack([np.zeros(10), thickness], axis=1)
    return np.concatenate([spine - offset, (spine + offset)[::-1]])


def draw_brows(canvas: Canvas, identity: Identity, muscles: Muscles) -> None:
    """Draw both brows."""
    colour = mix(mix(identity.hair, _INK, 0.45), identity.skin, 0.08)
    for side in (-1, 1):
        canvas.polygon(brow(identity, side, muscles.at(side)), colour)


def draw_glasses(canvas: Canvas, identity: Identity) -> None:
    """Draw glasses where the person wears them."""
    if not identity.glasses:
        return
    colour = mix(identity.cloth, _INK, 0.75)
    for side in (-1, 1):
        x = 0.5 + side * EYE_X * identity.eye_spacing
        frame = ellipse(x, 0.432, 0.112, 0.088, 20)
        if identity.glasses == 2:
            frame = np.array([[x + dx, 0.432 + dy] for dx, dy in _SQUARE])
        canvas.line(frame, colour, 0.012, closed=True)
        temple = np.array([[x + side * 0.105, 0.42], [0.5 + side * 0.34, 0.41]])
        canvas.line(temple, colour, 0.012)
    canvas.line(np.array([[0.455, 0.425], [0.5, 0.415], [0.545, 0.425]]), colour, 0.012, lift=0.15)


_SQUARE = (
    (-0.10, -0.07), (0.10, -0.07), (0.105, -0.05), (0.095, 0.07), (-0.095, 0.07), (-0.105, -0.05),
)  # fmt: skip
