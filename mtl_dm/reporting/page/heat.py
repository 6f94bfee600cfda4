"""Relatedness as heat maps: the coupling's prior, what it learned, what predictions imply."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from mtl_dm.reporting.page.markup import card, escape, grid, note
from mtl_dm.reporting.page.svg import Drawing, number, rect, text
from mtl_dm.reporting.page.view import ColumnView

TableReader = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]
"""Finds in the evidence of a cell the table to draw."""

_WIDE, _HIGH = 30.0, 17.0
_LETTER = 7.0


def heat_maps(view: ColumnView) -> str:
    """Return each coupling's heat maps; "" without evidence.

    Where a row has one coupling at most, its maps need no heading.
    """
    couplings = {
        name: table
        for row in view.spec.rows
        for content in view.evidence.get(row, ())
        for name, table in content.get("couplings", {}).items()
    }
    if len(couplings) < 2:
        return _maps(view, lambda content: content["relatedness"])
    blocks = []
    for name, table in couplings.items():
        heading = (
            f"<h4>{escape(name)}: {escape(table['source'])} and {escape(table['target'])}</h4>"
        )
        blocks.append(heading + _maps(view, _table_reader(name, table)))
    return "".join(blocks)


def _table_reader(name: str, like: Mapping[str, Any]) -> TableReader:
    """Return what finds a coupling's table in a content, or of the same labels without coupling."""

    def read(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
        own = content.get("couplings", {})
        plain = content["relatedness"]
        if own or plain is None:
            return own.get(name)
        same = all(plain[side] == like[side] for side in ("classes", "attributes"))
        return plain if same else None

    return read


def _maps(view: ColumnView, table_of: TableReader) -> str:
    """Return the labels' heat map, then each row's prior and implied one; "" without tables."""
    found = {
        row: parts
        for row in view.spec.rows
        if (parts := [table for c in view.evidence.get(row, ()) if (table := table_of(c))])
    }
    if not found:
        return ""
    first = next(iter(found.values()))[0]
    # The labels of a repeat are those of its test set: the same for all rows.
    observed = _mean(next(iter(found.values())), "observed")
    cards = []
    if np.isfinite(observed).any():
        caption = "counted on the annotated test images"
        cards.append(card("In the test labels", _map(first, observed), caption))
    pairs = []
    for row, parts in found.items():
        prior, implied = _mean(parts, "prior"), _mean(parts, "implied")
        gap = f"implied: {_gap(implied, observed)} from the test labels on average"
        if np.isfinite(prior).any():
            gap += f", {_gap(implied, prior)} from the prior"
            gap += f"; prior: {_gap(prior, observed)} from the test labels"
            maps = {"prior": prior, "learned": _mean(parts, "learned"), "implied": implied}
            both = "".join(
                f"<div><h5>{name}</h5>{_map(parts[0], values)}</div>"
                for name, values in maps.items()
                if name != "learned" or np.isfinite(values).any()
            )
            pair = f'<div class="pair">{both}</div>'
            pairs.append(card(view.named(row), pair, _confirmed(parts) + gap))
        else:
            cards.append(card(f"{view.named(row)} implied", _map(parts[0], implied), gap))
    left = first["left_out"]
    faded = f" Italic: not annotated in training ({', '.join(left)})." if left else ""
    return (
        grid(cards, "maps")
        + grid(pairs, "pairs")
        + note(
            "P(attribute | class) in percent. **Prior**: what the coupling was "
            "told; rows without coupling have none. **Learned**: what it learned in "
            "training instead, as far as labels do not confirm the prior. **Implied**: what the "
            "row's predictions on the test images say, sum of p(class) p(attribute) over sum of "
            "p(class). Averages are of absolute differences, in points; repeats are averaged."
            + faded
        )
    )


def _confirmed(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return what labels said of the prior in the words of a caption; "" where nobody asked."""
    shares = [part["confirmed"] for part in parts if part.get("confirmed") is not None]
    if not shares:
        return ""
    low, high = (f"{100 * share:.0f}" for share in (min(shares), max(shares)))
    return f"labels confirm {low if low == high else f'{low} to {high}'}% of the prior; "


def _mean(parts: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    """Return the mean over repeats, NaN where a repeat has no value."""
    arrays = [
        np.array(part[name], dtype=np.float64)  # null becomes NaN
        for part in parts
        if part.get(name) is not None
    ]
    shape = (len(parts[0]["classes"]), len(parts[0]["attributes"]))
    return np.mean(arrays, axis=0) if arrays else np.full(shape, np.nan)


def _gap(a: np.ndarray, b: np.ndarray) -> str:
    gaps = np.abs(a - b)
    known = gaps[np.isfinite(gaps)]
    return f"{100 * known.mean():.0f} points" if known.size else "no value"


def _map(part: Mapping[str, Any], values: np.ndarray) -> str:
    return heat_map(part["classes"], part["attributes"], values, faded=part["left_out"])


def heat_map(
    classes: Sequence[str],
    attributes: Sequence[str],
    values: np.ndarray,
    *,
    faded: Collection[str] = (),
    signed: bool = False,
) -> str:
    """Return the markup of `heat_drawing` for a page; the arguments are its own."""
    return heat_drawing(classes, attributes, values, faded=faded, signed=signed).markup


def heat_drawing(
    classes: Sequence[str],
    attributes: Sequence[str],
    values: np.ndarray,
    *,
    faded: Collection[str] = (),
    signed: bool = False,
) -> Drawing:
    """Draw attributes down and classes across: a page is longer than wide.

    Args:
        classes: K names.
        attributes: M names.
        values: [K, M] in [0, 1], with `signed` in [-1, 1]; NaN leaves a cell empty.
        faded: Attributes whose names are set in italics.
        signed: Whether the values are differences, coloured by their sign.
    """
    left = 10 + _LETTER * max(map(len, attributes))
    slant = np.sin(np.radians(50))
    top = 12 + slant * _LETTER * max(map(len, classes))
    pieces = []
    for column, name in enumerate(classes):
        x = left + (column + 0.55) * _WIDE
        pieces.append(text(x, top - 6, name, "tick wide", -50))
    for line, name in enumerate(attributes):
        y = top + line * _HIGH
        style = " faded" if name in faded else ""
        pieces.append(text(left - 6, y + 12.5, name, f"tick wide end{style}"))
        for column, class_name in enumerate(classes):
            x, value = left + column * _WIDE, float(values[column, line])
            pieces.append(_cell((x, y), value, f"{name} | {class_name}", signed))
    # Slanted names stick out at the right.
    width = left + len(classes) * _WIDE + 0.65 * _LETTER * len(classes[-1])
    height = top + len(attributes) * _HIGH + 4
    what = "difference of" if signed else "of"
    return Drawing(width, height, "".join(pieces), f"heat map {what} P(attribute | class)")


def _cell(place: tuple[float, float], value: float, pair: str, signed: bool) -> str:
    x, y = place
    if not np.isfinite(value):
        return rect(x + 1, y + 1, _WIDE - 2, _HIGH - 2, "empty", f"{pair}: no value")
    tip = f"{'Difference of ' if signed else ''}P({pair}) = {value:{'+' if signed else ''}.3f}"
    box = rect(x + 1, y + 1, _WIDE - 2, _HIGH - 2, "heat less" if value < 0 else "heat", tip)
    shade = f'<g fill-opacity="{0.05 + 0.95 * min(abs(value), 1.0):.3f}">{box}</g>'
    kind = "inside middle high" if abs(value) > 0.65 else "inside middle"
    percent = round(100 * value)
    shown = f"{percent:+d}" if signed and percent else number(percent)
    return shade + text(x + _WIDE / 2, y + 12.3, shown, kind)
