"""Nose and mouth."""

from __future__ import annotations

import dataclasses

import numpy as np

from mtl_dm.synthetic.canvas import Canvas, Colour, curve, ellipse, mix, shift
from mtl_dm.synthetic.identity import Identity
from mtl_dm.synthetic.muscles import Muscles

_INK = (30.0, 16.0, 16.0)
_CAVITY = (70.0, 20.0, 24.0)
_TONGUE = (176.0, 82.0, 82.0)
_TEETH = (246.0, 243.0, 232.0)
_LIPS = (178.0, 62.0, 66.0)
_MOUTH_Y = 0.742


@dataclasses.dataclass(frozen=True)
class Lips:
    """Four curves from the image's left corner to its right, [N, 2] each.

    Attributes:
        top: Upper edge of the upper lip.
        upper: Lower edge of the upper lip.
        lower: Upper edge of the lower lip.
        bottom: Lower edge of the lower lip.
        gap: Opening at the midline, share of the frame.
    """

    top: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    bottom: np.ndarray
    gap: float


def lips(identity: Identity, muscles: Muscles) -> Lips:
    """Return the lips as the muscles move them."""
    unit = muscles.middle
    press, tight = unit[24], unit[23]
    # Lips part with 25 only; 26 alone lowers a closed mouth, 24 keeps it shut.
    gap = ((0.030 + 0.014 * unit[12]) * unit[25] + 0.105 * unit[26] * min(1.0, 2.5 * unit[25])) * (
        1 - 0.85 * press
    )
    thin = (1 - 0.50 * tight) * (1 - 0.72 * press) * (1 - 0.30 * unit[20]) * (1 - 0.2 * unit[12])
    full_top = 0.023 * identity.lip_fullness * thin * (1 + 0.25 * unit[10])
    full_bottom = 0.031 * identity.lip_fullness * thin * (1 + 0.25 * unit[17])
    closed_drop = 0.052 * unit[26] * (1 - min(1.0, 2.5 * unit[25]))
    lift = 0.030 * unit[10]
    push = 0.026 * unit[17]
    y = _MOUTH_Y + closed_drop - 0.005 * unit[9]
    left, right = _corner(identity, muscles, -1, y, gap), _corner(identity, muscles, 1, y, gap)

    def through(heights: tuple[float, float], corners: float = 0.0) -> np.ndarray:
        """Return a curve with the given heights halfway and at the midline."""
        halfway, middle = heights
        bend = 0.33  # how far the points halfway follow their corner
        middle_x = 0.5 * (left[0] + right[0])
        controls = [shift(left, 0, corners)]
        for share, corner in ((0.5, left), (0.0, left), (0.5, right)):
            x = middle_x + share * (corner[0] - middle_x)
            height = halfway if share else middle
            controls.append(
                np.array([x, height + bend * (share > 0) * (corner[1] - y - 0.25 * gap)])
            )
        controls.append(shift(right, 0, corners))
        return curve(np.stack(controls), 17)

    upper_y = y - 0.30 * gap - 0.5 * lift - push
    lower_y = y + 0.70 * gap - 0.5 * lift - push
    upper = through((upper_y + 0.07 * gap - 0.2 * lift, upper_y))
    lower = through((lower_y - 0.07 * gap, lower_y))
    top = through(
        (upper_y - 0.85 * full_top - 0.9 * lift, upper_y - 0.85 * full_top - 0.45 * lift), -0.003
    )
    bottom = through((lower_y + 0.78 * full_bottom - 0.1 * gap, lower_y + full_bottom), 0.003)
    return Lips(top, upper, lower, bottom, gap)


def _corner(identity: Identity, muscles: Muscles, side: int, y: float, gap: float) -> np.ndarray:
    unit = muscles.at(side)
    half = 0.128 * identity.mouth_width
    half += 0.030 * unit[12] + 0.052 * unit[20] - 0.036 * unit[23] - 0.010 * unit[24] - 0.20 * gap
    height = y + 0.25 * gap - identity.mouth_curve
    height += -0.062 * unit[12] + 0.044 * unit[15] + 0.012 * unit[20] + 0.008 * unit[17]
    return np.array([0.5 + side * half, height])


def draw_mouth(canvas: Canvas, identity: Identity, muscles: Muscles) -> None:
    """Draw lips, teeth and tongue."""
    shape = lips(identity, muscles)
    colour = mix(mix(identity.skin, (150, 60, 60), 0.40), _LIPS, identity.lip_colour)
    canvas.polygon(np.concatenate([shape.top, shape.bottom[::-1]]), colour)
    canvas.polygon(np.concatenate([shape.top, shape.upper[::-1]]), mix(colour, _INK, 0.14))
    if shape.gap > 0.004:
        _draw_opening(canvas, shape)
    seam = shape.upper if shape.gap <= 0.012 else shape.upper[1:-1]
    pressed = muscles.middle[24]
    canvas.line(seam, mix(colour, _INK, 0.7), 0.007 + 0.005 * pressed)
    if shape.gap > 0.012:
        canvas.line(shape.lower, mix(colour, _INK, 0.35), 0.006)


def _draw_opening(canvas: Canvas, shape: Lips) -> None:
    inside = np.concatenate([shape.upper, shape.lower[::-1]])
    canvas.polygon(inside, _CAVITY)
    depth = min(0.034, 0.85 * shape.gap)
    # Teeth follow a smile, but end in a straight edge under an arched upper lip.
    gum = shape.upper[2:-2]
    teeth = gum.copy()
    teeth[:, 1] = np.minimum(gum[:, 1], gum[len(gum) // 2, 1]) + depth
    teeth[:, 1] = np.clip(teeth[:, 1], gum[:, 1], np.maximum(gum[:, 1], shape.lower[2:-2, 1]))
    canvas.polygon(np.concatenate([gum, teeth[::-1]]), _TEETH)
    if shape.gap > 0.06:
        arch = shape.lower[4:-4].copy()
        arch[:, 1] -= 0.30 * shape.gap * np.sin(np.linspace(0, np.pi, len(arch)))
        canvas.polygon(np.concatenate([shape.lower[4:-4], arch[::-1]]), _TONGUE)


def draw_nose(canvas: Canvas, identity: Identity, muscles: Muscles) -> None:
    """Draw nostrils, wings and the side of the bridge."""
    tip = 0.42 + 0.205 * identity.nose_length
    dark: Colour = mix(identity.skin, _INK, 0.42)
    for side in (-1, 1):
        unit = muscles.at(side)
        lift = 0.022 * unit[9] + 0.008 * unit[10]
        width = 0.058 * identity.nose_width * (1 + 0.22 * unit[9])
        wing = np.array(
            [
                [0.75 * width, tip - 0.045], [width, tip - 0.012], [0.85 * width, tip + 0.012],
                [0.5 * width, tip + 0.010],
            ]
        )  # fmt: skip
        wing[:3, 1] -= lift
        canvas.line(curve(wing * (side, 1) + (0.5, 0), 9), dark, 0.010, lift=0.25)
        nostril = ellipse(0.5 + side * 0.48 * width, tip + 0.006 - 0.5 * lift, 0.017, 0.008, 10)
        canvas.polygon(nostril, mix(identity.skin, _INK, 0.65), lift=0.25)
    tip_line = np.array([[0.478, tip + 0.012], [0.5, tip + 0.018], [0.522, tip + 0.012]])
    canvas.line(curve(tip_line, 6), dark, 0.008, lift=0.3)
    bridge = np.array([[0.533, 0.40], [0.525, 0.47], [0.537, tip - 0.06]])
    canvas.line(curve(bridge, 8), mix(identity.skin, _INK, 0.12), 0.010, lift=0.15)
