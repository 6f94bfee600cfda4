"""Light and creases on the skin: what the muscles fold and bulge, and what age has left."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import cv2
import numpy as np

from mtl_dm.synthetic.canvas import Canvas, Pose, curve, ellipse, shift
from mtl_dm.synthetic.head import jaw_drop
from mtl_dm.synthetic.identity import Identity
from mtl_dm.synthetic.muscles import Muscles

NEUTRAL = 192  # the shading that leaves a colour as it is; 255 brightens by a third


@dataclasses.dataclass(frozen=True)
class Crease:
    """A line in the skin.

    Attributes:
        points: [N, 2] face coordinates.
        depth: Darkening, 0 none to 1 black.
        width: Share of the frame.
    """

    points: np.ndarray
    depth: float
    width: float = 0.009


@dataclasses.dataclass(frozen=True)
class Bulge:
    """A soft patch of light (positive) or shadow (negative).

    Attributes:
        outline: [N, 2] face coordinates.
        light: Change of the brightness, -1 to 0.33.
    """

    outline: np.ndarray
    light: float


def shade(canvas: Canvas, identity: Identity, muscles: Muscles, pose: Pose) -> None:
    """Multiply creases and soft light into what is drawn on the canvas so far."""
    side = canvas.side // 2  # a layer at the output's resolution is sharp enough for skin
    soft = Canvas(side // 2, pose, _layer(side // 2))
    for bulge in _bulges(identity, muscles):
        if abs(bulge.light) > 0.01:
            soft.polygon(bulge.outline, float(np.clip(NEUTRAL * (1 + bulge.light), 0, 255)))
    blurred = cv2.GaussianBlur(soft.render(), (0, 0), 0.02 * side)
    blurred = cv2.resize(blurred, (side, side), interpolation=cv2.INTER_LINEAR)
    layer = Canvas(side, pose, blurred)
    for crease in _creases(identity, muscles):
        if crease.depth > 0.02:
            layer.line(crease.points, NEUTRAL * (1 - min(crease.depth, 0.75)), crease.width)
    smooth = cv2.resize(layer.render(), (canvas.side, canvas.side), interpolation=cv2.INTER_LINEAR)
    pixels = canvas.render()
    cv2.multiply(pixels, cv2.cvtColor(smooth, cv2.COLOR_GRAY2RGB), pixels, 1.0 / NEUTRAL)


def _layer(side: int) -> np.ndarray:
    return np.full((side, side), NEUTRAL, np.uint8)


def _mirror(side: int, points: list[list[float]], count: int = 8) -> np.ndarray:
    """Return a curve through points given as (distance from the midline, height)."""
    return shift(curve(np.array(points) * (side, 1), count), 0.5, 0)


def _bulges(identity: Identity, muscles: Muscles) -> Iterator[Bulge]:
    middle = muscles.middle
    drop = jaw_drop(muscles)
    yield Bulge(ellipse(0.5, 0.25, 0.15, 0.07), 0.06)
    yield Bulge(ellipse(0.5, 0.50, 0.03, 0.10), 0.10)
    yield Bulge(ellipse(0.5, 0.665, 0.06, 0.02), -0.14)
    # Chin: raised, it stands out; under the lower lip a shadow grows.
    yield Bulge(ellipse(0.5, 0.865 + drop, 0.075, 0.035), 0.06 + 0.16 * middle[17])
    under = 0.14 + 0.22 * middle[17] + 0.2 * middle[24]
    yield Bulge(ellipse(0.5, 0.805 + drop, 0.08, 0.016), -under)
    # Lips pressed together bulge above and below.
    yield Bulge(ellipse(0.5, 0.70, 0.09, 0.014), 0.2 * middle[24])
    yield Bulge(ellipse(0.5, 0.375, 0.035, 0.05), -0.14 * middle[4])
    for side in (-1, 1):
        unit = muscles.at(side)
        raised = max(unit[6], 0.6 * unit[12])
        x = 0.5 + side * 0.19
        yield Bulge(ellipse(x, 0.58 - 0.03 * raised, 0.085, 0.05), 0.05 + 0.17 * raised)
        yield Bulge(ellipse(x, 0.655, 0.07, 0.025), -0.16 * raised)
        yield Bulge(ellipse(0.5 + side * 0.15, 0.40, 0.08, 0.05), -0.10)
        yield Bulge(ellipse(0.5 + side * 0.085, 0.60, 0.02, 0.05), -0.12 * max(unit[9], unit[10]))


def _creases(identity: Identity, muscles: Muscles) -> Iterator[Crease]:
    yield from _forehead(identity, muscles)
    for side in (-1, 1):
        unit = muscles.at(side)
        yield from _around_the_eye(side, unit, identity)
        yield from _beside_the_nose(side, unit, identity)
        yield from _around_the_mouth(side, unit, identity, jaw_drop(muscles))
    yield from _chin(muscles)


def _forehead(identity: Identity, muscles: Muscles) -> Iterator[Crease]:
    inner, frown = muscles.middle[1], muscles.middle[4]
    old = 0.16 * max(identity.age - 0.45, 0)
    for row, y in enumerate((0.225, 0.255)):
        bow = np.array([[0.415, y + 0.006], [0.5, y - 0.006], [0.585, y + 0.006]])
        yield Crease(curve(bow, 8), 0.42 * inner * (0.75 + 0.25 * row) + old)
        for side in (-1, 1):
            arc = [[0.10, y - 0.005], [0.17, y - 0.012], [0.24, y + 0.014]]
            yield Crease(_mirror(side, arc), 0.42 * muscles.at(side)[2] + old)
    for side in (-1, 1):
        fold = [[0.020, 0.315], [0.026, 0.35], [0.017, 0.385]]
        yield Crease(_mirror(side, fold, 6), 0.6 * frown, 0.011)


def _around_the_eye(side: int, unit: dict[int, float], identity: Identity) -> Iterator[Crease]:
    old = 0.16 * max(identity.age - 0.4, 0)
    # Cheek raiser: crow's-feet outside the eye and a furrow below the lower lid.
    for end in (0.385, 0.42, 0.455):
        feet = [
            [0.245, 0.42 + 0.25 * (end - 0.42)],
            [0.272, 0.42 + 0.7 * (end - 0.42)],
            [0.298, end],
        ]
        yield Crease(_mirror(side, feet, 5), 0.5 * unit[6] + old)
    pouch = [[0.075, 0.475], [0.13, 0.492], [0.20, 0.482], [0.235, 0.455]]
    yield Crease(_mirror(side, pouch), 0.45 * unit[6] + 0.10 + old)
    # Lid tightener: a fold right under the lower lid.
    fold = [[0.09, 0.452], [0.15, 0.459], [0.21, 0.447]]
    yield Crease(_mirror(side, fold), 0.42 * unit[7])


def _beside_the_nose(side: int, unit: dict[int, float], identity: Identity) -> Iterator[Crease]:
    # Nose wrinkler: lines across the root and down the sides of the nose.
    for row, y in enumerate((0.405, 0.435, 0.465)):
        start = 0.008 + 0.008 * row
        wrinkle = [[start, y], [start + 0.025, y + 0.004], [start + 0.05, y + 0.022]]
        yield Crease(_mirror(side, wrinkle, 6), 0.5 * unit[9])
    # The nasolabial furrow: its top follows 9 and 10, its middle 11, all of it bends out with 12.
    out, old = 0.03 * unit[12], 0.14 * identity.age
    lift = 0.02 * max(unit[9], unit[10])
    top = [[0.062, 0.545 - lift], [0.09, 0.58 - lift], [0.118, 0.62 - lift]]
    yield Crease(_mirror(side, top, 6), max(0.5 * unit[10], 0.42 * unit[9], 0.3 * unit[12]) + old)
    low = [[0.09, 0.60], [0.122 + out, 0.645], [0.150 + out, 0.70], [0.152 + 1.2 * out, 0.735]]
    depth = max(0.55 * unit[11], 0.34 * unit[12], 0.34 * unit[10])
    yield Crease(_mirror(side, low), depth + old)


def _around_the_mouth(
    side: int, unit: dict[int, float], identity: Identity, drop: float
) -> Iterator[Crease]:
    # Lip corner depressor: a fold down from the corner. Stretcher: short lines outside it.
    fold = [[0.132, 0.785], [0.148, 0.81], [0.144, 0.84]]
    yield Crease(_mirror(side, fold, 6), 0.52 * unit[15] + 0.10 * max(identity.age - 0.4, 0))
    for bend in (-0.012, 0.016):
        line = [[0.192, 0.752 + bend], [0.208, 0.758 + 2.2 * bend], [0.214, 0.765 + 3.6 * bend]]
        yield Crease(_mirror(side, line, 5), 0.38 * unit[20])
    # Tightened lips pucker: short upright lines above and below them.
    for x in (0.02, 0.055):
        for y in (0.688, 0.792 + drop):
            yield Crease(
                np.array([[0.5 + side * x, y], [0.5 + side * x * 1.15, y + 0.024]]), 0.34 * unit[23]
            )
    # Pressed lips dimple at the corners.
    press = np.array(
        [[0.5 + side * 0.128, 0.715], [0.5 + side * 0.142, 0.74], [0.5 + side * 0.128, 0.765]]
    )
    yield Crease(press, 0.5 * unit[24], 0.012)


def _chin(muscles: Muscles) -> Iterator[Crease]:
    raised, drop = muscles.middle[17], jaw_drop(muscles)
    bow = np.array([[0.41, 0.835], [0.455, 0.812], [0.5, 0.806], [0.545, 0.812], [0.59, 0.835]])
    yield Crease(curve(shift(bow, 0, drop), 10), 0.45 * raised)
    for x, y in ((-0.035, 0.855), (0.0, 0.845), (0.035, 0.855), (-0.018, 0.88), (0.018, 0.88)):
        dimple = np.array([[0.5 + x, y + drop], [0.5 + x + 0.008, y + 0.01 + drop]])
        yield Crease(dimple, 0.3 * raised)
