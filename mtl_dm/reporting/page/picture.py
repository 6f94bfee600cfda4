"""Drawings as files of their own, for Markdown: the same drawings that the page shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple

from mtl_dm.reporting.page.markup import escape
from mtl_dm.reporting.page.svg import Drawing, number, rect, text

_GAP, _TITLE, _LINE = 18.0, 22.0, 22.0
# Widths of letters in a legend and a title, generously.
_LETTER, _BOLD = 7.0, 8.6
_LEGEND_WIDTH = 420.0


class Key(NamedTuple):
    """A row in a legend: its number, the CSS class of its colour, its name."""

    number: int
    colour: str
    name: str


class Titled(NamedTuple):
    """A drawing under its title."""

    title: str
    drawing: Drawing


def picture(
    panels: Sequence[Titled], *, columns: int = 1, legend: Sequence[Key] = (), title: str = ""
) -> str:
    """Return an SVG file with drawings side by side, a title above and a legend below.

    Args:
        panels: At least one.
        columns: As many stand side by side.
        legend: Keys of the rows.
        title: Of the whole.
    """
    wide = max(max(panel.drawing.width, _BOLD * len(panel.title)) for panel in panels)
    across = min(columns, len(panels)) * (wide + _GAP) + _GAP
    width = max(across, _BOLD * len(title) + 2 * _GAP, _LEGEND_WIDTH if legend else 0)
    y, parts = _GAP / 2, []
    if title:
        parts.append(text(_GAP, y + 14, title, "title"))
        y += _TITLE
    for start in range(0, len(panels), columns):
        line = panels[start : start + columns]
        for place, panel in enumerate(line):
            parts.append(_moved(panel, _GAP + place * (wide + _GAP), y))
        headed = _TITLE if any(panel.title for panel in line) else 0
        y += headed + max(panel.drawing.height for panel in line) + _GAP / 2
    drawn, high = _legend(legend, width - 2 * _GAP)
    parts.append(f'<g transform="translate({number(_GAP)} {number(y)})">{drawn}</g>')
    return _file(width, y + high + _GAP / 2, "".join(parts), title or panels[0].drawing.label)


def _moved(panel: Titled, x: float, y: float) -> str:
    head = text(0, 14, panel.title, "title") if panel.title else ""
    down = _TITLE if panel.title else 0
    body = f'<g transform="translate(0 {number(down)})">{panel.drawing.content}</g>'
    return f'<g transform="translate({number(x)} {number(y)})">{head}{body}</g>'


def _legend(keys: Sequence[Key], width: float) -> tuple[str, float]:
    """Return the legend, as many keys a line as fit, and its height."""
    if not keys:
        return "", 0.0
    each = 34 + _LETTER * max(len(key.name) for key in keys)
    fitting = max(1, int(width // each))
    parts = []
    for place, key in enumerate(keys):
        x, y = each * (place % fitting), _LINE * (place // fitting)
        box = rect(x, y, 20, 16, f"keyed {key.colour}")
        parts.append(box + text(x + 10, y + 12, str(key.number), "key-number middle"))
        parts.append(text(x + 27, y + 12.5, key.name, "name"))
    return "".join(parts), _LINE * -(-len(keys) // fitting)


def _file(width: float, height: float, content: str, label: str) -> str:
    paper = rect(0, 0, width, height, "paper")
    size = f'width="{number(width)}" height="{number(height)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        f'viewBox="0 0 {number(width)} {number(height)}" role="img" '
        f'aria-label="{escape(label)}"><style>{_style(content)}</style>{paper}{content}</svg>\n'
    )


def _style(content: str) -> str:
    """Return the rules of the page's drawings in plain colours, the light ones.

    A file is shown by programs that know neither variables nor the reader's colour scheme.
    """
    sheet = resources.files("mtl_dm.reporting").joinpath("page", "figure.css").read_text("utf-8")
    # The first block is the light scheme.
    block = re.search(r":root \{(.*?)\}", sheet, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): ([^;]+);", block[1] if block else ""))
    used = sorted(set(re.findall(r"\bc\d\b", " ".join(re.findall(r'class="([^"]*)"', content)))))
    rules = []
    for selector, body in re.findall(r"^svg( [^{]*)?\{(.*?)\}", sheet, re.DOTALL | re.MULTILINE):
        name = f"svg{selector}".strip()
        each = [(f"{name}.{row}", f"var(--k{row[1]})") for row in used]
        for chosen, colour in each if "var(--c)" in body else [(name, "")]:
            plain = body.replace("var(--c)", colour)
            plain = re.sub(r"var\(--([\w-]+)\)", lambda found: colours[found[1]], plain)
            rules.append(f"{chosen}{{{' '.join(plain.split())}}}")
    return "\n".join(rules)
