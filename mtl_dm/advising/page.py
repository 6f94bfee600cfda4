"""An advice -> advice.html and advice.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mtl_dm.advising.advice import Advice
from mtl_dm.advising.findings import Findings
from mtl_dm.advising.of_values import ValueAdvice
from mtl_dm.advising.rules import CHANCE
from mtl_dm.advising.text import Section
from mtl_dm.files import write_atomically
from mtl_dm.reporting.html import document
from mtl_dm.reporting.page.bits import value_bars
from mtl_dm.reporting.page.heat import heat_map
from mtl_dm.reporting.page.markup import bullets, card, details, escape, grid, inline, note, table
from mtl_dm.reporting.sections import bullets as markdown_bullets
from mtl_dm.reporting.sections import render

_MARKS = {"help": "good", "open": "careful", "none": "bad"}
_OPEN_LINES = 14
"""A longer table is folded."""
_MOST_CLASSES, _MOST_ATTRIBUTES = 40, 60
"""More cells side by side cannot be read."""


def write(folder: str | Path, advice: Advice | ValueAdvice, command: str, made_by: str) -> Path:
    """Write advice.html and advice.md.

    Args:
        folder: Where to.
        advice: What to show.
        command: The training command.
        made_by: The command that gave the advice.

    Returns:
        The path of advice.html.

    Raises:
        OSError: If a file cannot be written.
    """
    title = f"Coupling {' and '.join(_names(advice))}: advice before training"
    made = f"Made from labels alone, without an image, by `{made_by}`."
    blocks = [f"# {title}", f"> **{advice.headline}** {advice.reason}", "## Recommended"]
    blocks += [markdown_bullets(advice.recommendation), f"```\n{command}\n```"]
    for section in advice.sections:
        blocks += [f"## {section.heading}", markdown_bullets(section.lines)]
        blocks += [render(section.table)] if section.table else []
    path = Path(folder) / "advice.html"
    write_atomically(path.with_suffix(".md"), "\n\n".join(filter(None, [*blocks, made])) + "\n")
    body = [
        f'<header><h1>{escape(title)}</h1><p class="statement {_MARKS[advice.outlook]}">'
        f'<strong class="outlook">{escape(advice.headline)}</strong>{inline(advice.reason)}</p>'
        f"</header><section><h3>Recommended</h3>{bullets(advice.recommendation)}"
        f'<code class="command">{escape(command)}</code></section>',
        _pictures(advice) if isinstance(advice, Advice) else "",
        *map(_section, advice.sections),
        note(made),
    ]
    write_atomically(path, document(title, "\n".join(body)))
    return path


def _names(advice: Advice | ValueAdvice) -> list[str]:
    if isinstance(advice, Advice):
        return [advice.labelled.classes.name, advice.labelled.attributes.name]
    return [task.name for task in (advice.classes, *advice.values)]


def _section(section: Section) -> str:
    shown = table(section.table) if section.table else ""
    if len(section.table) > _OPEN_LINES:
        shown = details(f"All {len(section.table) - 1} lines", shown)
    lines = bullets(section.lines) if section.lines else ""
    return f"<section><h3>{escape(section.heading)}</h3>{lines}{shown}</section>"


def _pictures(found: Findings) -> str:
    shape = found.relatedness.conditional.shape
    # The attributes that say most, where there are too many to draw.
    order = np.argsort(-np.nan_to_num(found.checked.bits), kind="stable")[:_MOST_ATTRIBUTES]
    cards = _maps(found, np.sort(order))
    cards += [] if found.origin == "blank" else [_bars(found, order)]
    about = "Heat maps: P(attribute | class) in percent."
    about += " Italic: without a single label." if _never(found).any() else ""
    if shape != (min(shape[0], _MOST_CLASSES), len(order)):
        about += f" Drawn: {min(shape[0], _MOST_CLASSES)} classes, the {len(order)} attributes "
        about += "that say most."
    pictures = grid(cards, "pairs" if len(cards) < 3 else "wide")
    return f"<section><h3>The relatedness</h3>{pictures}{note(about)}</section>"


def _never(found: Findings) -> np.ndarray:
    return np.equal(found.covered.mask.sum(axis=0), 0)


def _maps(found: Findings, columns: np.ndarray) -> list[str]:
    classes = found.relatedness.classes[:_MOST_CLASSES]
    names, blank = (
        [found.relatedness.attributes[i] for i in of]
        for of in (columns, np.flatnonzero(_never(found)))
    )
    shown = {title: values[: len(classes), columns] for title, values in _heats(found).items()}
    return [
        card(escape(title), heat_map(classes, names, values, faded=blank))
        for title, values in shown.items()
    ]


def _bars(found: Findings, order: np.ndarray) -> str:
    title, weak = "Bits that the table claims for each attribute", _never(found)
    below = "**Assumed, not counted**: under the table. Grey: without a single label."
    if found.checked.information is not None:
        title = "Bits that each attribute says about the class"
        weak = ~found.checked.information.beyond_chance(CHANCE)
        below = "Counted on images with both labels, bias corrected. Grey: no more than chance."
    names = [found.relatedness.attributes[i] for i in order]
    bars = value_bars(names, found.checked.bits[order].tolist(), weak[order].tolist())
    return card(title, bars, inline(below))


def _heats(found: Findings) -> dict[str, np.ndarray]:
    """Return the tables to draw, [K, M] each, by title."""
    tally, heats = found.checked.tally, {}
    if found.given is not None:
        heats["Assumed: the given table"] = found.given.conditional
    if tally.co_annotated:
        share = tally.active / np.maximum(tally.annotated, 1.0)
        heats["Counted on images with both labels"] = np.where(tally.annotated, share, np.nan)
    if found.origin == "shrunk":
        heats["Recommended: shrunk"] = found.relatedness.conditional
    return heats or {"Start of learning: frequencies": found.relatedness.conditional}
