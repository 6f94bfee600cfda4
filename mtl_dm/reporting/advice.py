"""An advice given before training -> advice.html and advice.md."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from mtl_dm.files import write_atomically
from mtl_dm.reporting.html import document
from mtl_dm.reporting.page.bits import value_bars
from mtl_dm.reporting.page.heat import heat_map
from mtl_dm.reporting.page.markup import bullets, card, details, escape, grid, inline, note, table
from mtl_dm.reporting.sections import bullets as markdown_bullets
from mtl_dm.reporting.sections import render
from mtl_dm.reporting.tables import Table

_MARKS = {"help": "good", "open": "careful", "none": "bad"}
_OPEN_LINES = 14
"""A longer table is folded."""
_MOST_CLASSES, _MOST_ATTRIBUTES = 40, 60
"""More cells side by side cannot be read."""


class Heat(NamedTuple):
    """One heat map.

    Attributes:
        title: Above it.
        values: [K, M] in [0, 1]; NaN for no value.
    """

    title: str
    values: np.ndarray


class Bars(NamedTuple):
    """Bits by attribute.

    Attributes:
        title: Above the bars.
        values: [M]; NaN for no value.
        weak: [M], no more than chance.
        caption: Below.
    """

    title: str
    values: np.ndarray
    weak: np.ndarray
    caption: str


class Section(NamedTuple):
    """Sentences (Markdown) above a table."""

    heading: str
    lines: Sequence[str]
    table: Table


@dataclasses.dataclass(frozen=True)
class AdvicePage:
    """What the page shows; texts are Markdown with `code` and **strong** only.

    Attributes:
        title: Of the page.
        outlook: Colours the verdict.
        headline: The verdict.
        reasons: Why.
        recommendation: What to do, a line a choice.
        command: The training command.
        classes: K names of the heat maps.
        attributes: M names of heat maps and bars.
        blank: The attributes without a label, in italics.
        heats: Side by side.
        bars: None: there is nothing to draw.
        sections: Below.
        made_by: The command that gave the advice.
    """

    title: str
    outlook: Literal["help", "open", "none"]
    headline: str
    reasons: Sequence[str]
    recommendation: Sequence[str]
    command: str
    classes: Sequence[str] = ()
    attributes: Sequence[str] = ()
    blank: Sequence[str] = ()
    heats: Sequence[Heat] = ()
    bars: Bars | None = None
    sections: Sequence[Section] = ()
    made_by: str = ""


def write_advice(folder: str | Path, page: AdvicePage) -> Path:
    """Write advice.html and advice.md.

    Args:
        folder: Where to.
        page: What to show.

    Returns:
        The path of advice.html.

    Raises:
        OSError: If a file cannot be written.
    """
    folder = Path(folder)
    write_atomically(folder / "advice.md", _markdown(page))
    path = folder / "advice.html"
    write_atomically(path, document(page.title, _body(page)))
    return path


def _markdown(page: AdvicePage) -> str:
    blocks = [f"# {page.title}", f"> **{page.headline}** {' '.join(page.reasons)}"]
    blocks += ["## Recommended", markdown_bullets(page.recommendation)]
    blocks += [f"```\n{page.command}\n```"]
    for section in page.sections:
        blocks += [f"## {section.heading}", markdown_bullets(section.lines)]
        blocks += [render(section.table)] if section.table else []
    blocks += [f"Made from labels alone, without an image, by `{page.made_by}`."]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _body(page: AdvicePage) -> str:
    verdict = (
        f'<p class="statement {_MARKS[page.outlook]}"><strong class="outlook">'
        f"{escape(page.headline)}</strong>{inline(' '.join(page.reasons))}</p>"
    )
    recommended = (
        f"<section><h3>Recommended</h3>{bullets(page.recommendation)}"
        f'<code class="command">{escape(page.command)}</code></section>'
    )
    blocks = [f"<header><h1>{escape(page.title)}</h1>{verdict}</header>", recommended]
    blocks += [_pictures(page)] if page.heats or page.bars is not None else []
    for section in page.sections:
        shown = table(section.table) if section.table else ""
        if len(section.table) > _OPEN_LINES:
            shown = details(f"All {len(section.table) - 1} lines", shown)
        lines = bullets(section.lines) if section.lines else ""
        blocks.append(f"<section><h3>{escape(section.heading)}</h3>{lines}{shown}</section>")
    made = note(f"Made from labels alone, without an image, by `{page.made_by}`.")
    return "\n".join([*blocks, made])


def _pictures(page: AdvicePage) -> str:
    # The attributes that say most, where there are too many to draw.
    if page.bars is not None:
        by_size = np.argsort(-np.nan_to_num(page.bars.values), kind="stable")
    else:
        by_size = np.arange(len(page.attributes))
    kept = set(by_size[:_MOST_ATTRIBUTES].tolist())
    columns = [i for i in range(len(page.attributes)) if i in kept]
    rows = list(range(min(len(page.classes), _MOST_CLASSES)))
    classes = [page.classes[k] for k in rows]
    attributes = [page.attributes[i] for i in columns]
    cards = [
        card(
            escape(heat.title),
            heat_map(classes, attributes, heat.values[np.ix_(rows, columns)], faded=page.blank),
        )
        for heat in page.heats
    ]
    if page.bars is not None:
        order = by_size[:_MOST_ATTRIBUTES].tolist()
        drawn = value_bars(
            [page.attributes[i] for i in order],
            page.bars.values[order].tolist(),
            page.bars.weak[order].tolist(),
        )
        cards.append(card(escape(page.bars.title), drawn, inline(page.bars.caption)))
    cut = len(columns) < len(page.attributes) or len(rows) < len(page.classes)
    more = f" Drawn: {len(rows)} classes and the {len(columns)} most telling attributes."
    italics = " Italic: without a single label." if page.blank else ""
    below = note(f"Heat maps: P(attribute | class) in percent.{italics}{more if cut else ''}")
    pictures = grid(cards, "pairs" if len(cards) < 3 else "wide")
    return f"<section><h3>The relatedness</h3>{pictures}{below}</section>"
