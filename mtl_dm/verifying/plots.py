"""Drawings of verified pairs: the ROC, and the distances of both kinds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_dm.metrics.verification_roc import Roc
from mtl_dm.reporting.page.svg import Drawing, Scale, axes, circle, line, path, short, text, ticks

_SIDE, _LEFT, _TOP, _BOTTOM = 300.0, 46.0, 10.0, 42.0
_WIDTH, _HEIGHT = _LEFT + _SIDE + 16, _TOP + _SIDE + _BOTTOM
_BINS = 50


def roc_drawing(curve: Roc, equal_error: float) -> Drawing:
    """Return the ROC with the point of equal errors and chance."""
    x, y = _scales(0.0, 1.0), _upwards(1.0)
    stairs = [(x(far), y(tar)) for far, tar in _thinned(curve.far, curve.tar)]
    content = axes(x, y, ticks(0, 1, 5), ticks(0, 1, 5))
    content += line(x(0), y(0), x(1), y(1), "diagonal")
    # Where FAR = 1 - TAR.
    content += line(x(0), y(1), x(1), y(0), "rule")
    content += path(stairs, "curve c1")
    tip = f"equal errors: {equal_error:.1%}"
    content += circle(x(equal_error), y(1 - equal_error), 4.5, "dot c1", tip)
    content += _names("false accept rate", "true accept rate")
    return Drawing(_WIDTH, _HEIGHT, content, "ROC: true over false accept rate")


def low_rates_drawing(curve: Roc, pairs: int) -> Drawing:
    """Return the ROC where few pairs of two people are accepted: FAR in powers of ten.

    Args:
        curve: The ROC.
        pairs: Of two people; no rate but 0 is below 1 / pairs.
    """
    powers = range(-int(np.log10(max(pairs, 10))), 1)
    x, y = _scales(float(powers[0]), 0.0), _upwards(1.0)
    inside = curve.far >= 10.0 ** powers[0]
    logs = np.log10(curve.far[inside])
    points = [(x(far), y(tar)) for far, tar in _thinned(logs, curve.tar[inside])]
    content = axes(x, y, [], ticks(0, 1, 5))
    for power in powers:
        content += line(x(power), y.start, x(power), y.end, "rule")
        content += text(x(power), y.start + 17, short(10.0**power), "tick middle")
    content += path(points, "curve c1")
    content += _names("false accept rate", "true accept rate")
    return Drawing(_WIDTH, _HEIGHT, content, "ROC at low false accept rates")


def distances_drawing(distances: np.ndarray, same: np.ndarray, thresholds: np.ndarray) -> Drawing:
    """Return how the distances of both kinds are spread, and where the thresholds lie.

    Args:
        distances: [P].
        same: bool [P].
        thresholds: Of the folds.
    """
    edges = np.linspace(distances.min(), max(distances.max(), distances.min() + 1e-9), _BINS + 1)
    kinds = (same, ~same)
    shares = [100 * np.histogram(distances[kind], edges)[0] / kind.sum() for kind in kinds]
    x, y = _scales(float(edges[0]), float(edges[-1])), _upwards(max(map(np.max, shares)) * 1.05)
    content = axes(x, y, ticks(x.low, x.high), ticks(0, y.high))
    for number, (share, name) in enumerate(zip(shares, ("one person", "two people"), strict=True)):
        colour = f"c{number + 1}"
        outline = [(x(edges[0]), y(0))]
        for low, high, value in zip(edges[:-1], edges[1:], share, strict=True):
            outline += [(x(low), y(value)), (x(high), y(value))]
        outline.append((x(edges[-1]), y(0)))
        content += path(outline, f"band {colour}", closed=True) + path(outline, f"curve {colour}")
        content += text(_LEFT + 8, _TOP + 14 + 16 * number, name, f"who {colour}")
    for threshold in thresholds:
        content += line(x(threshold), y.start, x(threshold), y.end, "yes")
    content += _names("distance; dashed: thresholds of the folds", "% of the pairs")
    return Drawing(_WIDTH, _HEIGHT, content, "distances of pairs of one person and of two")


def _scales(low: float, high: float) -> Scale:
    return Scale(low, high, _LEFT, _LEFT + _SIDE)


def _upwards(high: float) -> Scale:
    return Scale(0.0, high, _TOP + _SIDE, _TOP)


def _names(below: str, aside: str) -> str:
    return text(_LEFT + _SIDE / 2, _HEIGHT - 6, below, "name middle") + text(
        12, _TOP + _SIDE / 2, aside, "name middle", turn=-90
    )


def _thinned(across: np.ndarray, up: np.ndarray) -> Sequence[tuple[float, float]]:
    """Return a curve's points where it turns: thousands of steps make a large page."""
    points = np.stack([across, up], axis=1)
    if len(points) < 3:
        return [(float(a), float(u)) for a, u in points]
    before, after = np.diff(points[:-1], axis=0), np.diff(points[1:], axis=0)
    turns = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]) > 1e-15
    kept = points[np.concatenate([[True], turns, [True]])]
    return [(float(a), float(u)) for a, u in kept]
