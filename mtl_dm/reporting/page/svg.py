"""Charts as inline SVG; colours are CSS variables, so that they follow light and dark."""

from __future__ import annotations

import math
from typing import NamedTuple

from mtl_dm.reporting.page.markup import escape


class Scale(NamedTuple):
    """Maps [low, high] linearly onto pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return about `count` round numbers in [low, high]."""
    if not low < high:
        return [low]
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [0.0 if place == 0 else place * step for place in range(first, last + 1)]


def padded(values: list[float], share: float = 0.08) -> tuple[float, float]:
    """Return the range of values, widened; never empty."""
    low, high = min(values), max(values)
    margin = share * (high - low) or 0.5 * abs(high) or 0.5
    return low - margin, high + margin


def short(value: float) -> str:
    """Return a tick's label."""
    return f"{value:.4g}"


def number(value: float) -> str:
    """Return a coordinate."""
    return f"{value:.1f}".removesuffix(".0")


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a straight line of CSS class `kind`."""
    return (
        f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" '
        f'class="{kind}"/>'
    )


def rect(x: float, y: float, width: float, height: float, kind: str, title: str = "") -> str:
    """Return a rectangle, with a tooltip where `title` is given."""
    tip = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(max(width, 0))}" '
        f'height="{number(max(height, 0))}" class="{kind}">{tip}</rect>'
    )


def circle(x: float, y: float, radius: float, kind: str, title: str = "") -> str:
    """Return a circle, with a tooltip where `title` is given."""
    tip = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" class="{kind}">'
        f"{tip}</circle>"
    )


def text(x: float, y: float, content: str, kind: str = "", turn: float = 0.0) -> str:
    """Return a text; `kind` may hold "end" or "middle", `turn` is in degrees."""
    turned = f' transform="rotate({number(turn)} {number(x)} {number(y)})"' if turn else ""
    return f'<text x="{number(x)}" y="{number(y)}" class="{kind}"{turned}>{escape(content)}</text>'


def path(
    points: list[tuple[float, float]], kind: str, title: str = "", closed: bool = False
) -> str:
    """Return a line through points, or the area inside."""
    steps = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    tip = f"<title>{escape(title)}</title>" if title else ""
    return f'<path d="M{steps}{"Z" if closed else ""}" class="{kind}">{tip}</path>'


class Drawing(NamedTuple):
    """A figure, to stand in a page or in a file of its own.

    Attributes:
        width: In its own units, about pixels.
        height: Likewise.
        content: SVG markup.
        label: What it shows, read aloud.
    """

    width: float
    height: float
    content: str
    label: str

    @property
    def markup(self) -> str:
        """The drawing for a page: it grows and shrinks with its box."""
        return (
            f'<svg viewBox="0 0 {number(self.width)} {number(self.height)}" role="img" '
            f'aria-label="{escape(self.label)}" style="max-width:{number(self.width * 1.25)}px">'
            f"{self.content}</svg>"
        )


def chart(width: float, height: float, content: str, label: str) -> str:
    """Return the markup of a drawing for a page."""
    return Drawing(width, height, content, label).markup


def axes(x: Scale, y: Scale, x_ticks: list[float], y_ticks: list[float]) -> str:
    """Return grid lines and tick labels; y's at the left, x's below."""
    parts = []
    for value in y_ticks:
        parts.append(line(x.start, y(value), x.end, y(value), "rule"))
        parts.append(text(x.start - 6, y(value) + 4, short(value), "tick end"))
    for value in x_ticks:
        parts.append(line(x(value), y.start, x(value), y.start + 4, "mark"))
        parts.append(text(x(value), y.start + 17, short(value), "tick middle"))
    return "".join(parts)
