"""The head around the features: outline, ears, neck, hair, beard, freckles."""

from __future__ import annotations

import numpy as np

from mtl_dm.synthetic.canvas import Canvas, curve, ellipse, mix, shift
from mtl_dm.synthetic.identity import Identity
from mtl_dm.synthetic.muscles import Muscles

# Right half of the average head, from the crown to the chin: distance from the midline, height.
_PROFILE = np.array(
    [
        [0.0, 0.09], [0.17, 0.12], [0.285, 0.23], [0.325, 0.38], [0.325, 0.52], [0.30, 0.66],
        [0.235, 0.80], [0.125, 0.89], [0.0, 0.92],
    ]
)  # fmt: skip
_JAW_SHARE = np.array([0, 0, 0, 0, 0, 0.5, 1, 1, 1])
_INK = (25.0, 18.0, 18.0)


def mirrored(half: np.ndarray) -> np.ndarray:
    """Return the closed outline of a half given as (distance from the midline, height)."""
    right = half * (1, 1) + (0.5, 0)
    left = half[-2:0:-1] * (-1, 1) + (0.5, 0)
    return np.concatenate([right, left])


def jaw_drop(muscles: Muscles) -> float:
    """Return how far the chin is below its resting place, a share of the frame."""
    return 0.072 * muscles.middle[26] - 0.014 * muscles.middle[17]


def head_controls(identity: Identity, muscles: Muscles) -> np.ndarray:
    """Return the control points of the right half of the head."""
    half = _PROFILE.copy()
    half[:, 0] *= identity.face_width * (1 + (identity.jaw_width - 1) * _JAW_SHARE)
    lower = np.clip((half[:, 1] - 0.60) / 0.30, 0, 1)
    half[:, 1] += lower * (jaw_drop(muscles) + 0.25 * (identity.chin_length - 1))
    half[4, 0] += 0.006 * (muscles.middle[6] + muscles.middle[12])
    return half


def draw_behind(canvas: Canvas, identity: Identity, muscles: Muscles) -> None:
    """Draw what is behind the face: hair that falls, neck, clothes and ears."""
    width = identity.face_width
    style = identity.hair_style
    if style in ("long", "bob"):
        low = 1.12 if style == "long" else 0.84
        spread = 0.37 + identity.hair_volume
        fall = np.array(
            [
                [0, 0.05 - identity.hair_volume], [0.26, 0.10], [spread, 0.36],
                [spread + 0.02, 0.65],                [spread, low], [0, low],
            ]
        )  # fmt: skip
        canvas.polygon(
            curve(mirrored(fall * (width, 1)), 40, closed=True), _shade(identity.hair, 0.8)
        )
    if style == "bun":
        canvas.polygon(ellipse(0.5, 0.03, 0.13, 0.10), _shade(identity.hair, 0.85))
    neck = np.array([[0, 0.7], [0.19, 0.7], [0.19, 0.98], [0.30, 1.12], [0, 1.12]])
    canvas.polygon(mirrored(neck * (width, 1)), _shade(identity.skin, 0.78))
    clothes = np.array([[0, 1.07], [0.18, 0.98], [0.42, 1.03], [0.6, 1.3], [0, 1.3]])
    canvas.polygon(mirrored(clothes), identity.cloth)
    if style != "bob":
        for side in (-1, 1):
            x = 0.5 + side * 0.335 * width
            canvas.polygon(ellipse(x, 0.50, 0.035, 0.075), _shade(identity.skin, 0.88))


def draw_head(canvas: Canvas, identity: Identity, muscles: Muscles) -> None:
    """Draw the bare face and what grows on it: beard and freckles."""
    half = head_controls(identity, muscles)
    canvas.polygon(curve(mirrored(half), 48, closed=True), identity.skin)
    if identity.beard > 0:
        _draw_beard(canvas, identity, half)
    if identity.freckles:
        places = np.random.default_rng(identity.texture).uniform(
            (-0.2, 0.50), (0.2, 0.64), (identity.freckles, 2)
        )
        for x, y in places:
            canvas.polygon(
                ellipse(0.5 + x, y, 0.006, 0.006, 6), mix(identity.skin, (120, 70, 40), 0.5)
            )


def _draw_beard(canvas: Canvas, identity: Identity, half: np.ndarray) -> None:
    colour = mix(identity.skin, mix(identity.hair, _INK, 0.2), 0.25 + 0.6 * identity.beard)
    outer = half[4:] * (0.985, 1.0)
    corner = outer[0, 0]
    inner = np.array(
        [
            [0.0, 0.805],
            [0.09, 0.80],
            [0.15, 0.755],
            [0.17, 0.70],
            [0.25, 0.66],
            [corner - 0.03, 0.53],
        ]
    )
    canvas.polygon(mirrored(np.concatenate([inner, curve(outer, 16)])), colour)
    if identity.beard > 0.45:
        moustache = np.array([[0, 0.655], [0.06, 0.665], [0.14, 0.715], [0.15, 0.75], [0, 0.69]])
        canvas.polygon(mirrored(moustache), colour)


def draw_hair(canvas: Canvas, identity: Identity) -> None:
    """Draw the hair in front of the forehead."""
    style, width, volume = identity.hair_style, identity.face_width, identity.hair_volume
    if style == "bald":
        return
    if style == "curly":
        _draw_curls(canvas, identity)
    low = 0.50 if style in ("long", "bob") else 0.40
    crown = np.array(
        [
            [-0.335, low], [-0.345, 0.30], [-0.28, 0.155], [-0.16, 0.085], [0, 0.06],
            [0.16, 0.085], [0.28, 0.155], [0.345, 0.30], [0.335, low],
        ]
    )  # fmt: skip
    crown[1:-1] *= 1.0 + np.array([[0.9, 0.0]]) * volume
    crown[1:-1, 1] -= 0.6 * volume
    outer = curve(crown, 28)
    outer[:, 0] *= width
    hair = np.concatenate([outer, curve(_hairline(identity, low) * (width, 1), 24)])
    canvas.polygon(shift(hair, 0.5, 0), identity.hair)
    _draw_strands(canvas, identity)


def _hairline(identity: Identity, low: float) -> np.ndarray:
    """Return control points of the lower edge of the hair, from the image's right to its left."""
    recede = 0.05 * identity.age * (not identity.feminine)
    part = identity.parting
    if identity.hair_style == "fringe":
        tops = [
            [0.26, 0.265],
            [0.12, 0.25 + 0.01 * part],
            [0, 0.245],
            [-0.12, 0.25],
            [-0.26, 0.265],
        ]
    elif identity.hair_style in ("side", "long"):
        ends = 0.27 + 0.04 * part, 0.27 - 0.04 * part
        tops = [[0.27, ends[0]], [0.2, 0.20], [0.12 * part, 0.155], [-0.2, 0.20], [-0.27, ends[1]]]
    else:
        tops = [[0.27, 0.26], [0.19, 0.185], [0, 0.185], [-0.19, 0.185], [-0.27, 0.26]]
    line = np.array([[0.305, low], *tops, [-0.305, low]])
    line[1:-1, 1] -= recede
    return line


def _draw_curls(canvas: Canvas, identity: Identity) -> None:
    rng = np.random.default_rng(identity.texture)
    for angle in np.linspace(np.pi * 0.98, np.pi * 2.02, 13):
        x = 0.5 + 0.34 * identity.face_width * np.cos(angle)
        y = 0.38 + 0.31 * np.sin(angle)
        size = 0.06 + identity.hair_volume * rng.uniform(0.4, 1.0)
        canvas.polygon(ellipse(x, y, size, size, 12), _shade(identity.hair, rng.uniform(0.8, 1.1)))


def _draw_strands(canvas: Canvas, identity: Identity) -> None:
    """Draw a few lighter strands, so that hair is no flat patch."""
    light = mix(identity.hair, (255, 235, 205), 0.11)
    rng = np.random.default_rng(identity.texture)
    start = 0.5 + 0.12 * identity.parting
    for end in rng.uniform(-0.27, 0.27, 5):
        points = np.array(
            [[start + 0.3 * end, 0.07], [start + 0.75 * end, 0.10], [0.5 + end, 0.17]]
        )
        canvas.line(curve(points, 6), light, 0.008)


def _shade(colour: tuple[float, float, float], factor: float) -> tuple[float, float, float]:
    red, green, blue = (min(255.0, part * factor) for part in colour)
    return red, green, blue
