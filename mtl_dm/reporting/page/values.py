"""Real values: predicted against true, and both on the circumplex of valence and arousal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mtl_dm.reporting.page.markup import card, escape, grid, note
from mtl_dm.reporting.page.svg import Scale, chart, circle, line, padded, short, text, ticks
from mtl_dm.reporting.page.view import ColumnView

AFFECT = ("valence", "arousal")
"""Values that span a circumplex."""
_SIDE, _LEFT, _TOP, _BOTTOM = 190.0, 40.0, 8.0, 36.0
_ARROWS = 40
"""Images on a circumplex, each two dots and a line between them."""

Rows = Mapping[str, Mapping[str, Any]]
"""By row, what `mtl_dm.measuring.values` keeps of a task."""


def value_sections(view: ColumnView) -> dict[str, str]:
    """Return the section of real values by its title; empty without a regression."""
    tasks: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in view.spec.rows:
        for content in view.evidence.get(row, ())[:1]:
            for task, found in content.get("values", {}).items():
                tasks.setdefault(task, {})[row] = found
    blocks = "".join(_task(view, task, rows) for task, rows in tasks.items())
    if not blocks:
        return {}
    about = note(
        "A dot is a test image of the first repeat, a few hundred at most: its label across, its "
        "prediction up; the dashed line is where both are the same. There is no calibration to "
        "show: a value comes without a statement of how sure it is."
    )
    return {"Values: predicted against true": blocks + about}


def _task(view: ColumnView, task: str, rows: Rows) -> str:
    labels = next(iter(rows.values()))["labels"]
    blocks = []
    for place, label in enumerate(labels):
        scale = _reach(rows, place)
        cards = [
            card(view.named(row), _scatter(view.colour(row), _pairs(found, place), scale))
            for row, found in rows.items()
        ]
        heading = f'<h4>{escape(task)} <span class="aside">{escape(label)}</span></h4>'
        blocks.append(heading + grid(cards, "small"))
    if all(name in labels for name in AFFECT):
        blocks.append(_circumplexes(view, task, rows, [labels.index(name) for name in AFFECT]))
    return "".join(blocks)


def _pairs(found: Mapping[str, Any], place: int) -> list[tuple[float, float]]:
    """Return label and prediction of the images that are labelled for a value."""
    both = zip(found["true"], found["predicted"], strict=True)
    pairs = ((true[place], predicted[place]) for true, predicted in both)
    return [(true, said) for true, said in pairs if true is not None and said is not None]


def _reach(rows: Rows, place: int) -> tuple[float, float]:
    """Return what both axes of every row's plot span: the bounds, and what lies beyond them."""
    seen = [value for found in rows.values() for pair in _pairs(found, place) for value in pair]
    bounds = next(iter(rows.values()))["bounds"] or []
    low, high = padded([*seen, *bounds] or [0.0], 0.03)
    return low, high


def _scatter(colour: str, pairs: Sequence[tuple[float, float]], reach: tuple[float, float]) -> str:
    x = Scale(*reach, _LEFT, _LEFT + _SIDE)
    y = Scale(*reach, _TOP + _SIDE, _TOP)
    pieces = []
    for value in ticks(*reach):
        pieces += [
            line(x.start, y(value), x.end, y(value), "rule"),
            text(x.start - 5, y(value) + 4, short(value), "tick end"),
            text(x(value), y.start + 16, short(value), "tick middle"),
        ]
    pieces.append(line(x.start, y.start, x.end, y.end, "diagonal"))
    for true, said in pairs:
        tip = f"is {true:.2f}, predicted {said:.2f}"
        pieces.append(circle(x(true), y(said), 2.2, f"cloud {colour}", tip))
    pieces.append(text((x.start + x.end) / 2, _TOP + _SIDE + 31, "label", "name middle"))
    pieces.append(text(10, (y.start + y.end) / 2, "prediction", "name middle", -90))
    return chart(
        _LEFT + _SIDE + 8, _TOP + _SIDE + _BOTTOM, "".join(pieces), "prediction against label"
    )


def _circumplexes(view: ColumnView, task: str, rows: Rows, places: Sequence[int]) -> str:
    cards = []
    for row, found in rows.items():
        whole = [
            (true, said)
            for true, said in zip(found["true"], found["predicted"], strict=True)
            if all(each[place] is not None for each in (true, said) for place in places)
        ]
        step = max(1, -(-len(whole) // _ARROWS))
        shown = [
            tuple((each[places[0]], each[places[1]]) for each in pair) for pair in whole[::step]
        ]
        cards.append(card(view.named(row), circumplex(view.colour(row), shown)))
    heading = (
        f'<h4>{escape(task)} <span class="aside">on the circumplex: from the label (ring) to the '
        f"prediction (dot), {_ARROWS} images at most</span></h4>"
    )
    return heading + grid(cards, "maps")


def circumplex(colour: str, pairs: Sequence[Any]) -> str:
    """Return the plane of valence (across) and arousal (up) with its unit circle.

    Args:
        colour: CSS class of the predictions.
        pairs: Label and prediction of images, (valence, arousal) each.
    """
    ends = [abs(value) for pair in pairs for point in pair for value in point]
    reach = 1.06 * max([1.0, *ends])
    x = Scale(-reach, reach, _LEFT / 2, _LEFT / 2 + _SIDE)
    y = Scale(-reach, reach, _TOP + _SIDE, _TOP)
    pieces = [
        circle(x(0), y(0), x(1) - x(0), "ring"),
        line(x.start, y(0), x.end, y(0), "zero"),
        line(x(0), y.start, x(0), y.end, "zero"),
        text((x.start + x.end) / 2, _TOP + _SIDE + 14, "valence", "name middle"),
        text(10, (y.start + y.end) / 2, "arousal", "name middle", -90),
    ]
    for true, said in pairs:
        start, end = ((x(point[0]), y(point[1])) for point in (true, said))
        tip = f"is {true[0]:.2f}, {true[1]:.2f}; predicted {said[0]:.2f}, {said[1]:.2f}"
        pieces.append(line(*start, *end, f"shift {colour}"))
        pieces.append(circle(*start, 2.6, "truth"))
        pieces.append(circle(*end, 2.6, f"cloud {colour}", tip))
    return chart(
        _LEFT + _SIDE, _TOP + _SIDE + 20, "".join(pieces), "valence and arousal, true and predicted"
    )
