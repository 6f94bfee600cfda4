"""The tables of the page: measured beside published, and the paired differences."""

from __future__ import annotations

from itertools import groupby

from mtl_dm.reporting.findings import comparison_table
from mtl_dm.reporting.page.markup import details, escape, note, number_cell, scroll, table
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.tables import ABSENT, label_table, main_table, published_table

PUBLISHED = "published, not measured here"


def measured_beside_published(view: ColumnView) -> str:
    """Return the main table, the paper's numbers at its right where it has any.

    Raises:
        ValueError: If the spec names a published table or column that does not exist.
    """
    spec = view.spec
    lines = main_table(view.measured, spec)
    printed = published_table(spec, view.column)
    by_row = {line[0]: line[1:] for line in printed[1:]}
    titles = printed[0][1:] if printed else []
    groups = [(task, len(list(pairs))) for task, pairs in groupby(t for t, _ in spec.pairs)]
    top = "".join(f'<th colspan="{n}" scope="colgroup">{escape(task)}</th>' for task, n in groups)
    top += '<th colspan="2"></th>'
    if titles:
        top += (
            f'<th colspan="{len(titles)}" scope="colgroup" class="printed">{escape(PUBLISHED)}</th>'
        )
    names = [metric for _, metric in spec.pairs] + lines[0][-2:]
    second = "".join(f'<th scope="col">{escape(name.replace("_", " "))}</th>' for name in names)
    second += "".join(f'<th scope="col" class="printed">{escape(name)}</th>' for name in titles)
    body = []
    for line in lines[1:]:
        cells = "".join(f"<td>{number_cell(cell)}</td>" for cell in line[1:])
        theirs = by_row.get(line[0], [ABSENT] * len(titles))
        cells += "".join(f'<td class="printed">{number_cell(cell)}</td>' for cell in theirs)
        body.append(f'<tr><th scope="row">{view.named(line[0])}</th>{cells}</tr>')
    head = f'<tr><th rowspan="2" scope="col">row</th>{top}</tr><tr>{second}</tr>'
    return scroll(
        f'<table class="main"><thead>{head}</thead><tbody>{"".join(body)}</tbody></table>'
    )


def published_note(view: ColumnView) -> str:
    """Return what the published columns are, or "" where there are none."""
    if not published_table(view.spec, view.column):
        return ""
    return note(
        "**Published, not measured here**: percent as printed in the paper, on other data and "
        'another network; ± is its "spread", and Δm is computed from the printed numbers.'
    )


def differences(view: ColumnView) -> str:
    """Return the paired differences to the two baselines, folded away; "" if there are none."""
    spec = view.spec
    blocks = []
    for other in dict.fromkeys((spec.baseline_row, spec.uncoupled_row)):
        lines = comparison_table(view.measured, spec, other)
        if lines:
            blocks.append(table(lines, [view.named(line[0]) for line in lines[1:]]))
    if not blocks:
        return ""
    text = (
        "In points, paired by repeat, ± half width of the 95% interval of the difference; * marks "
        "an interval that excludes 0. No correction for the number of comparisons. A difference "
        "without ± rests on one repeat and has no interval."
    )
    title = f"Differences to {escape(spec.baseline_row)} and {escape(spec.uncoupled_row)}"
    return details(title, "".join(blocks) + note(text))


def label_numbers(view: ColumnView, task: str, metric: str) -> str:
    """Return the numbers behind the bars of one task and metric, folded away."""
    return details(
        "The same as a table", table(label_table(view.measured, view.spec, task, metric))
    )
