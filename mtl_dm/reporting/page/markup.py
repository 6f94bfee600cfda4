"""Small pieces of HTML; every text that enters the page is escaped here."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from mtl_dm.reporting.tables import Table

_CLOSE = "\N{NO-BREAK SPACE}"
"""Keeps a number with its interval, and Δm with its number."""


def escape(text: object) -> str:
    """Return text that may stand between tags and in attributes."""
    return html.escape(str(text), quote=True)


def inline(markdown: str) -> str:
    """Return the markup of a line of the reports' Markdown: `code` and **strong** only."""
    parts = re.split(r"`([^`]*)`", markdown)
    for place, part in enumerate(parts):
        if place % 2:
            parts[place] = f"<code>{escape(part)}</code>"
        else:
            strong = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(part))
            parts[place] = strong.replace(" ± ", f"{_CLOSE}±{_CLOSE}")
    return "".join(parts)


def bullets(lines: Sequence[str]) -> str:
    """Return a list of Markdown lines."""
    return "<ul>" + "".join(f"<li>{inline(line)}</li>" for line in lines) + "</ul>"


def number_cell(text: str) -> str:
    """Return the text of a table cell, the interval after ± in small print."""
    # Up to the next space only: "1.0 ± 0.2 (n=2)" keeps its note.
    spread = re.sub(r" ± ([\d.]+)", rf'<small class="pm">{_CLOSE}± \1</small>', escape(text))
    return spread.replace("Δm ", f"Δm{_CLOSE}")


def table(lines: Table, heads: Sequence[str] | None = None) -> str:
    """Return a table that scrolls sideways in a box of its own.

    Args:
        lines: The first line is the header, the first cell of the others names the line.
        heads: Markup of these names; None: their text.
    """
    names = [escape(line[0]) for line in lines[1:]] if heads is None else heads
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in lines[0])
    body = "".join(
        f'<tr><th scope="row">{name}</th>'
        + "".join(f"<td>{number_cell(cell)}</td>" for cell in line[1:])
        + "</tr>"
        for name, line in zip(names, lines[1:], strict=True)
    )
    return scroll(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def scroll(content: str) -> str:
    """Return a box in which wide content scrolls; it takes the keyboard's focus for that."""
    return f'<div class="scroll" tabindex="0">{content}</div>'


def note(text: str) -> str:
    """Return a paragraph in small print; Markdown."""
    return f'<p class="note">{inline(text)}</p>'


def details(summary: str, content: str, opened: bool = False) -> str:
    """Return content that folds; `summary` is markup."""
    return f"<details{' open' if opened else ''}><summary>{summary}</summary>{content}</details>"


def card(title: str, content: str, caption: str = "") -> str:
    """Return a figure with a title (markup) above and a caption (markup) below."""
    below = f'<p class="caption">{caption}</p>' if caption else ""
    return f'<figure class="card"><figcaption>{title}</figcaption>{content}{below}</figure>'


def grid(cards: Sequence[str], kind: str) -> str:
    """Return cards side by side, as many as fit."""
    return f'<div class="grid {kind}">{"".join(cards)}</div>'
