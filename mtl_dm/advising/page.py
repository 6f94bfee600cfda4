"""An advice -> advice.html and advice.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mtl_dm.advising.advice import Advice
from mtl_dm.advising.findings import Findings
from mtl_dm.advising.rules import CHANCE
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


def write(folder: str | Path, advice: Advice, command: str, made_by: str) -> Path:
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
    names = advice.labelled.classes.name, advice.labelled.attributes.name
    title = f"Coupling {names[0]} and {names[1]}: advice before training"
    made = f"Made from labels alone, without an image, by `{made_by}`."
    path = Path(folder) / "advice.html"
    write_atomically(path.with_suffix(".md"), _markdown(advice, title, command, made))
    write_atomically(path, document(title, _body(advice, title, command, made)))
    return path


def _markdown(advice: Advice, title: str, command: str, made: str) -> str:
    blocks = [f"# {title}", f"> **{advice.headline}** {advice.reason}", "## Recommended"]
    blocks += [markdown_bullets(advice.recommendation), f"```\n{command}\n```"]
    for section in advice.sections:
        blocks += [f"## {section.heading}", markdown_bullets(section.lines)]
        blocks += [render(section.table)] if section.table else []
    return "\n\n".join(block for block in [*blocks, made] if block) + "\n"


def _body(advice: Advice, title: str, command: str, made: str) -> str:
    blocks = [
        f'<header><h1>{escape(title)}</h1><p class="statement {_MARKS[advice.outlook]}">'
        f'<strong class="outlook">{escape(advice.headline)}</strong>{inline(advice.reason)}</p>'
        f"</header><section><h3>Recommended</h3>{bullets(advice.recommendation)}"
        f'<code class="command">{escape(command)}</code></section>'
    ]
    blocks += [_pictures(advice)]
    for section in advice.sections:
        shown = table(section.table) if section.table else ""
        if len(section.table) > _OPEN_LINES:
            shown = details(f"All {len(section.table) - 1} lines", shown)
        lines = bullets(section.lines) if section.lines else ""
        blocks.append(f"<section><h3>{escape(section.heading)}</h3>{lines}{shown}</section>")
    return "\n".join([*blocks, note(made)])


def _pictures(found: Findings) -> str:
    classes, attributes = found.relatedness.classes, found.relatedness.attributes
    bits = found.checked.bits
    # The attributes that say most, where there are too many to draw.
    order = np.argsort(-np.nan_to_num(bits), kind="stable")[:_MOST_ATTRIBUTES]
    columns, drawn = np.sort(order), classes[:_MOST_CLASSES]
    names = [attributes[i] for i in columns]
    never = found.covered.mask.sum(axis=0) == 0
    blank = [attributes[i] for i in np.flatnonzero(never)]
    cards = [
        card(escape(title), heat_map(drawn, names, values[: len(drawn), columns], faded=blank))
        for title, values in _heats(found).items()
    ]
    if found.checked.information is not None:
        title, weak = "says about the class", ~found.checked.information.beyond_chance(CHANCE)
        below = "Counted on images with both labels, bias corrected. Grey: no more than chance."
    else:
        title, weak = "claims to say in the table", never
        below = "**Assumed, not counted**: under the table. Grey: without a single label."
    if found.origin != "blank":
        bars = value_bars(
            [attributes[i] for i in order], bits[order].tolist(), weak[order].tolist()
        )
        cards.append(card(f"Bits that each attribute {title}", bars, inline(below)))
    note_below = "Heat maps: P(attribute | class) in percent."
    note_below += " Italic: without a single label." if blank else ""
    if len(names) < len(attributes) or len(drawn) < len(classes):
        note_below += f" Drawn: {len(drawn)} classes, the {len(names)} attributes that say most."
    pictures = grid(cards, "pairs" if len(cards) < 3 else "wide")
    return f"<section><h3>The relatedness</h3>{pictures}{note(note_below)}</section>"


def _heats(found: Findings) -> dict[str, np.ndarray]:
    """Return the tables to draw, [K, M] each, by title."""
    tally, both = found.checked.tally, found.checked.information is not None
    heats = {}
    if found.given is not None:
        heats["Assumed: the given table"] = found.given.conditional
    if both:
        share = tally.active / np.maximum(tally.annotated, 1.0)
        heats["Counted on images with both labels"] = np.where(tally.annotated, share, np.nan)
    if found.origin == "shrunk":
        heats["Recommended: shrunk"] = found.relatedness.conditional
    return heats or {"Start of learning: frequencies": found.relatedness.conditional}
