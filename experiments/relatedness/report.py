"""Table 1 for people: report.md, report.html and the pictures beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.relatedness.comparison import (
    Reference,
    contradictions,
    covered,
    mean_gap,
    references,
    shown_counts,
)
from experiments.relatedness.counted import Counted
from mtl_dm.files import write_atomically
from mtl_dm.reporting import Cell, Panel, map_plot
from mtl_dm.reporting.html import document, heading
from mtl_dm.reporting.page import markup
from mtl_dm.reporting.page.heat import heat_map
from mtl_dm.reporting.provenance import data_statement, makers
from mtl_dm.reporting.sections import bullets, render
from mtl_dm.reporting.tables import ABSENT, Table

TITLE = "Table 1: P(action unit | expression)"
INTRO = (
    "P(action unit | expression), counted on images that are annotated for both, beside the two "
    "columns that the paper prints. **Everything headed Table 1 is published, not measured here**: "
    "the cognitive study (Du, Tao, Martinez 2014), whose weight w is 1 where an action unit is "
    "prototypical, else the share of annotators who saw it, and the shares that the paper's "
    "authors counted on the Aff-Wild2 training set. The first is no probability: only the order "
    "of its numbers can be expected to come back."
)
READING = (
    "All numbers are percent, differences are counted minus reference in points.",
    "What Table 1 does not print for an expression and an action unit that it names stands as 0 in "
    "the differences, as `facs()` and `aff_wild2()` of this library read it; the paper may only "
    "have left it out. Empty: not named (neutral is in no column of Table 1), or never annotated.",
    "Intervals are 95% Wilson intervals, images taken as independent: too narrow where images of "
    "one person or video resemble each other. No correction for the number of pairs.",
    "The JSON file of each source holds its counts; `python -m mtl_dm.train --relatedness=FILE` "
    "uses it.",
)
SHOWN = 8


def write(folder: Path, columns: Sequence[Counted], cells: Sequence[Cell], command: str) -> None:
    """Write report.md, report.html and a picture for each source and reference into `folder`."""
    statement = data_statement(cells)
    made = [*makers(cells, command), _cost(columns)]
    text = [f"# {TITLE}", f"> {statement}", INTRO, bullets(READING)]
    kinds = {column.dataset.endswith("(real)") for column in columns}
    page = [heading(TITLE, statement, INTRO, "plain" if kinds == {True} else "careful")]
    page.append(f"<section><h3>How to read this</h3>{markup.bullets(READING)}</section>")
    for column in columns:
        text += _column_text(folder, column)
        page.append(_column_page(column))
    text += ["## How this was made", "\n".join(made)]
    lines = [line.removeprefix("- ") for line in made]
    page.append(f"<section><h3>How this was made</h3>{markup.bullets(lines)}</section>")
    write_atomically(folder / "report.md", "\n\n".join(text) + "\n")
    write_atomically(folder / "report.html", document(TITLE, "\n".join(page)))


def file_stem(column: str) -> str:
    """Return the name of a source's files."""
    return column.lower().replace("+", "plus").replace(" ", "-")


def _cost(columns: Sequence[Counted]) -> str:
    each = ", ".join(f"{column.column} {column.seconds:.1f}" for column in columns)
    total = sum(column.seconds for column in columns)
    return f"- Cost: {total:.1f} seconds to read and count ({each}); nothing is trained or random."


def _panels(counted: Counted, reference: Reference) -> list[Panel]:
    printed = np.where(reference.printed, reference.values, np.nan)
    kind = "published" if reference.published else "exact"
    return [
        Panel(f"Counted on {counted.column}", counted.conditional),
        Panel(f"{reference.name} ({kind})", printed),
        Panel("Counted minus reference", counted.conditional - reference.values, signed=True),
    ]


def _column_text(folder: Path, counted: Counted) -> list[str]:
    names = counted.relatedness
    blocks = [f"## {counted.column}", f"Counted here, on `{counted.dataset}`. {counted.note}"]
    blocks.append(render(_counts_table(counted)))
    for number, reference in enumerate(references(counted), start=1):
        picture = f"{file_stem(counted.column)}-{number}.svg"
        map_plot(_panels(counted, reference), names.classes, names.attributes, folder / picture)
        blocks += [f"### Beside: {_title(reference)}", _summary(counted, reference)]
        blocks.append(f"![Counted, reference and difference]({picture})")
        outside = _contradiction_table(counted, reference)
        blocks += [render(outside)] if len(outside) > 1 else []
        blocks += [_pair_caption(reference), render(_pair_table(counted, reference))]
    return blocks


def _column_page(counted: Counted) -> str:
    names = counted.relatedness
    counts = markup.table(_counts_table(counted))
    blocks = [f"<h2>{markup.escape(counted.column)}</h2>"]
    about = markup.inline(f"Counted here, on `{counted.dataset}`. {counted.note}")
    blocks.append(f"<section><h3>Images</h3><p>{about}</p>{counts}</section>")
    for reference in references(counted):
        maps = [
            markup.card(
                markup.escape(panel.title),
                heat_map(names.classes, names.attributes, panel.values, signed=panel.signed),
            )
            for panel in _panels(counted, reference)
        ]
        outside = _contradiction_table(counted, reference)
        table = markup.table(outside) if len(outside) > 1 else ""
        pairs = markup.details(
            markup.escape(_pair_caption(reference)), markup.table(_pair_table(counted, reference))
        )
        blocks.append(
            f"<section><h3>Beside: {markup.escape(_title(reference))}</h3>"
            f"<p>{markup.inline(_summary(counted, reference))}</p>"
            f"{markup.grid(maps, 'thirds')}{table}{pairs}</section>"
        )
    return "".join(blocks)


def _title(reference: Reference) -> str:
    if reference.published:
        return f"{reference.name} (published in the paper, not measured here)"
    return f"{reference.name} (exact: what the images were drawn from)"


def _counts_table(counted: Counted) -> Table:
    head = ["expression", "annotated for both", "images an action unit is annotated on"]
    total = ["all", f"{int(counted.images.sum()):,}", ""]
    return [head, *(list(line) for line in shown_counts(counted)), total]


def _summary(counted: Counted, reference: Reference) -> str:
    inside, pairs = covered(counted, reference)
    gap = _points(mean_gap(counted, reference, reference.printed))
    share = f"{inside} of {pairs} pairs have the reference inside the 95% interval of the count"
    if reference.published:
        silent = ~reference.printed & np.isfinite(reference.values)
        text = (
            f"Mean absolute difference {gap} over the pairs that Table 1 prints, "
            f"{_points(mean_gap(counted, reference, silent))} from 0 over those that it does not. "
            f"{share}."
        )
    else:
        text = f"Mean absolute difference {gap}. {share}; about 95% should, since the law is exact."
    outside = pairs - inside
    return text + (f" The farthest {min(SHOWN, outside)} of the others:" if outside else "")


def _points(value: float) -> str:
    return "no value" if math.isnan(value) else f"{100 * value:.1f} points"


def _contradiction_table(counted: Counted, reference: Reference) -> Table:
    table = [["pair", "active / images", "counted", "95% interval", "reference", "difference"]]
    for found in contradictions(counted, reference, SHOWN):
        difference = 100 * (found.counted - found.reference)
        said = f"{100 * found.reference:.0f}" if found.printed else "0 (not printed)"
        table.append(
            [
                f"{found.unit} given {found.expression}",
                f"{found.active:,} / {found.images:,}",
                f"{100 * found.counted:.1f}",
                f"{100 * found.low:.1f} to {100 * found.high:.1f}",
                said,
                f"{difference:+.1f}",
            ]
        )
    return table


def _pair_caption(reference: Reference) -> str:
    return f"All pairs: counted / {reference.name}"


def _pair_table(counted: Counted, reference: Reference) -> Table:
    names = counted.relatedness
    table = [["action unit", *names.classes]]
    for i, unit in enumerate(names.attributes):
        cells = []
        for k in range(len(names.classes)):
            mine = counted.conditional[k, i]
            theirs = reference.values[k, i] if reference.printed[k, i] else math.nan
            cells.append(f"{_percent(mine)} / {_percent(theirs)}")
        table.append([unit, *cells])
    return table


def _percent(value: float) -> str:
    return ABSENT if math.isnan(value) else f"{100 * value:.0f}"
