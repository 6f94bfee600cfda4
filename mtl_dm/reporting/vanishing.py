"""A drawing of the vanishing gradient of the dynamic weight unit (Ming et al. 2019, Figure 7)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtl_dm.balancing.vanishing import printed_slopes
from mtl_dm.files import write_atomically
from mtl_dm.reporting.page.picture import Key, Titled, picture
from mtl_dm.reporting.page.svg import Drawing, Scale, axes, line, path, text, ticks

POWERS = np.linspace(-2.0, 9.0, 111)
"""Of ten, the sizes a_1 along the drawing; a_1 = 1 is among them."""
PRINTED_END = 8e6
"""Where the gradient "vanishes" in the paper."""
_WIDTH, _HEIGHT = 380.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 16.0, 10.0, 40.0
_KEYS = (Key(1, "c1", "one large: a2 = 1"), Key(2, "c2", "both large: a2 = a1 / 2"))


def vanishing_plot(target: str | Path) -> None:
    """Draw the factor of eq. 8 for two terms against a_1, as printed and with logits of length 1.

    Args:
        target: SVG.

    Raises:
        ValueError: If the path does not end in ".svg".
    """
    if Path(target).suffix != ".svg":
        raise ValueError(f"path must end in .svg, got {str(target)!r}.")
    panels = [
        Titled("logits as they are", _drawing(normalised=False)),
        Titled("logits of unit length", _drawing(normalised=True)),
    ]
    title = "Slope w1 (1 - w1) of the first weight against a1 = exp(f1)"
    write_atomically(Path(target), picture(panels, columns=2, legend=_KEYS, title=title))


def curves(normalised: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the factor along `POWERS` with a_2 = 1 and with a_2 = a_1 / 2.

    Args:
        normalised: As for `printed_slopes`.
    """
    first = 10.0**POWERS
    one_large = np.stack([first, np.ones_like(first)], axis=-1)
    both_large = np.stack([first, first / 2], axis=-1)
    found = [printed_slopes(each, normalised)[:, 0] for each in (one_large, both_large)]
    return found[0], found[1]


def _drawing(normalised: bool) -> Drawing:
    x = Scale(float(POWERS[0]), float(POWERS[-1]), _LEFT, _WIDTH - _RIGHT)
    y = Scale(0.0, 0.27, _HEIGHT - _BOTTOM, _TOP)
    end = x(float(np.log10(PRINTED_END)))
    parts = [
        axes(x, y, ticks(x.low, x.high, 6), ticks(y.low, y.high)),
        text((x.start + x.end) / 2, _HEIGHT - 6, "a1, power of ten", "name middle"),
        line(end, y.start, end, y.end, "diagonal"),
        text(end - 4, y.end + 12, "8e6", "tick end"),
    ]
    for key, values in zip(_KEYS, curves(normalised), strict=True):
        parts.append(path(_points(x, y, values), f"curve {key.colour}", key.name))
    how = "unit length" if normalised else "unscaled"
    return Drawing(_WIDTH, _HEIGHT, "".join(parts), f"slope of a weight, {how} logits")


def _points(x: Scale, y: Scale, values: Sequence[float] | np.ndarray) -> list[tuple[float, float]]:
    return [(x(float(at)), y(float(value))) for at, value in zip(POWERS, values, strict=True)]
