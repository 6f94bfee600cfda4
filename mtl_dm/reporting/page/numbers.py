"""The tables of the page: measured beside published, and the paired differences."""

from __future__ import annotations

from collections.abc import Sequence

from mtl_dm.reporting.beside import Printed, printed_columns
from mtl_dm.reporting.comparisons import comparison_table
from mtl_dm.reporting.page.markup import details, escape, note, table
from mtl_dm.reporting.page.narrow import Numbers, narrow_tables
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.sections import difference_note
from mtl_dm.reporting.spec import Pair
from mtl_dm.reporting.tables import ABSENT, label_table, relative, row_count, value_cell

_MEASURED = "measured"


def measured_beside_published(view: ColumnView) -> str:
    """Return each metric measured here beside the paper's; all metrics below, folded.

    Where the paper has no number, all metrics stand open.

    Raises:
        ValueError: If the spec names a published table or column that does not exist.
    """
    printed = printed_columns(view.spec, view.column)
    everything = narrow_tables(view, [*_metrics(view), *_ends(view, [])])
    if not printed:
        return everything
    beside = [column for pair in _pairs(view, printed) for column in _beside(view, pair, printed)]
    return narrow_tables(view, [*beside, *_ends(view, printed)]) + details(
        "All metrics", everything
    )


def _pairs(view: ColumnView, printed: Sequence[Printed]) -> list[Pair]:
    """Return what the paper prints and what speaks for a task, in the main table's order."""
    wanted = dict.fromkeys(
        [*view.spec.headlines, *(pair for each in printed for pair in each.pairs)]
    )
    known = [pair for pair in view.spec.pairs if pair in wanted]
    return list(dict.fromkeys([*known, *wanted]))


def _beside(view: ColumnView, pair: Pair, printed: Sequence[Printed]) -> list[Numbers]:
    head, spec = " ".join(pair).replace("_", " "), view.spec
    columns = []
    if any(view.measured.values(row, *pair) for row in spec.rows):
        cells = {row: value_cell(view.measured, spec, row, pair) for row in spec.rows}
        columns.append(Numbers(head, _MEASURED, cells))
    for each in (each for each in printed if pair in each.pairs):
        found = {row: each.cells.get((row, *pair), ABSENT) for row in spec.rows}
        columns.append(Numbers(head, each.name, found, printed=True))
    return columns


def _metrics(view: ColumnView) -> list[Numbers]:
    return [
        Numbers(
            task.replace("_", " "),
            metric.replace("_", " "),
            {
                row: value_cell(view.measured, view.spec, row, (task, metric))
                for row in view.spec.rows
            },
        )
        for task, metric in view.spec.pairs
    ]


def _ends(view: ColumnView, printed: Sequence[Printed]) -> list[Numbers]:
    """Return Δm, measured and computed from the printed numbers, and n."""
    spec = view.spec
    columns = []
    changes = {row: relative(view.measured, spec, row) for row in spec.rows}
    if spec.single_task_rows:
        columns.append(Numbers("Δm (%)", _MEASURED if printed else "", changes))
    for each in (each for each in printed if each.changes):
        found = {row: each.changes.get(row, ABSENT) for row in spec.rows}
        columns.append(Numbers("Δm (%)", each.name, found, printed=True))
    counts = {row: str(row_count(view.measured, spec, row) or ABSENT) for row in spec.rows}
    return [*columns, Numbers("", "n", counts)]


def published_note(view: ColumnView) -> str:
    """Return what the published columns are, or "" where there are none."""
    if not printed_columns(view.spec, view.column):
        return ""
    return note(
        "**Shaded: published, not measured here**: as printed in the paper, on other data and "
        'another network; ± is its "spread", and its Δm is computed from the printed numbers.'
    )


def differences(view: ColumnView) -> str:
    """Return the paired differences, folded away; "" if there are none."""
    blocks, names = [], []
    for other in view.spec.compared:
        lines = comparison_table(view.measured, view.spec, other)
        if lines:
            names.append(other)
            blocks.append(table(lines, [view.named(line[0]) for line in lines[1:]]))
    if not blocks:
        return ""
    title = f"Differences to {' and '.join(map(escape, names))}"
    return details(title, "".join(blocks) + note(difference_note(view.spec)))


def label_numbers(view: ColumnView, task: str, metric: str) -> str:
    """Return the numbers behind the bars of one task and metric, folded away."""
    return details(
        "The same as a table", table(label_table(view.measured, view.spec, task, metric))
    )
