"""One column of a study as the page sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.page.markup import escape
from mtl_dm.reporting.page.picture import Key
from mtl_dm.reporting.provenance import data_kind
from mtl_dm.reporting.results import to_frame
from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.runs.evidence import Content
from mtl_dm.runs.schema import Cell

_COLOURS = 8


@dataclass(frozen=True)
class ColumnView:
    """What the sections of one column draw from.

    Args:
        spec: The plan of the report.
        column: The column's name.
        measured: Its values.
        evidence: Row -> what stands beside its cells, one content a repeat, in order; rows
            without any are left out.
        real: Whether the data are, or may be, photographs of people.
    """

    spec: ReportSpec
    column: str
    measured: Measured
    evidence: Mapping[str, Sequence[Content]] = field(default_factory=dict)
    real: bool = True

    def colour(self, row: str) -> str:
        """Return the CSS class of a row's colour: grey for single-task rows, else by order."""
        starts = self.spec.single_task_rows
        others = [name for name in self.spec.rows if name not in starts]
        return f"c{1 + others.index(row) % _COLOURS}" if row in others else "c0"

    def number(self, row: str) -> int:
        """Return the number that stands for a row where there is no room for its name."""
        return list(self.spec.rows).index(row) + 1

    def key(self, row: str) -> str:
        """Return the row's number on its colour."""
        return f'<span class="key {self.colour(row)}">{self.number(row)}</span>'

    def named(self, row: str) -> str:
        """Return the row's key and name."""
        return f'<span class="named">{self.key(row)}<span>{escape(row)}</span></span>'

    def picture_keys(self, rows: Sequence[str] | None = None) -> list[Key]:
        """Return the legend of a drawing that stands alone; None: of all rows."""
        shown = self.spec.rows if rows is None else rows
        return [Key(self.number(row), self.colour(row), row) for row in shown]

    def legend(self, rows: Sequence[str] | None = None) -> str:
        """Return keys and names of rows; None: of all."""
        shown = self.spec.rows if rows is None else rows
        return '<ul class="legend">' + "".join(f"<li>{self.named(r)}</li>" for r in shown) + "</ul>"


def views_of(
    spec: ReportSpec,
    cells: Sequence[Cell],
    evidence: Mapping[tuple[str, str], Sequence[Content]] | None = None,
) -> list[ColumnView]:
    """Return what each column of a report is drawn from, in order.

    Args:
        spec: The plan of the report.
        cells: The finished cells.
        evidence: By (column, row).

    Raises:
        ValueError: If a value is out of range.
    """
    frame = to_frame(cells, spec.quantities)
    views = []
    for column in spec.columns:
        kinds = {data_kind(cell.dataset) for cell in cells if cell.column == column}
        views.append(
            ColumnView(
                spec.for_column(column),
                column,
                Measured(frame, column, spec.test_train_ratio),
                {row: found for (name, row), found in (evidence or {}).items() if name == column},
                real=kinds != {"synthetic"},
            )
        )
    return views
