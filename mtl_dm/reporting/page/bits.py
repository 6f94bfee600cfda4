"""Values by name as horizontal bars."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mtl_dm.reporting.page.svg import Scale, chart, line, rect, short, text, ticks

_HIGH = 19.0
_LETTER = 7.0
_WIDE = 190.0


def value_bars(names: Sequence[str], values: Sequence[float], weak: Sequence[bool]) -> str:
    """Return one bar a name, from 0.

    Args:
        names: Drawn in this order, downwards.
        values: >= 0; NaN draws no bar.
        weak: Drawn in grey, for values that are no more than chance.
    """
    left = 10 + _LETTER * max(map(len, names))
    highest = max((value for value in values if not math.isnan(value)), default=0.0)
    x = Scale(0.0, highest or 1.0, left, left + _WIDE)
    bottom = 6 + _HIGH * len(names)
    pieces = []
    for tick in ticks(0.0, x.high, 3):
        pieces.append(line(x(tick), 4, x(tick), bottom, "rule"))
        pieces.append(text(x(tick), bottom + 15, short(tick), "tick middle"))
    for place, (name, value, grey) in enumerate(zip(names, values, weak, strict=True)):
        y = 6 + place * _HIGH
        pieces.append(text(left - 6, y + 13, name, "tick wide end"))
        if math.isnan(value):
            pieces.append(text(left + 6, y + 13, "no value", "tick"))
            continue
        kind = "bits weak" if grey else "bits"
        pieces.append(rect(left, y + 2, x(value) - left, _HIGH - 5, kind, f"{name}: {value:.3f}"))
        pieces.append(text(x(value) + 5, y + 13, f"{value:.3f}", "tick"))
    return chart(left + _WIDE + 45, bottom + 22, "".join(pieces), "bars: bits by attribute")
