"""One column of a study as the page sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.page.markup import escape
from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.runs.evidence import Content

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
        """Return the CSS class of a row's colour: grey for the baseline, else by order."""
        others = [name for name in self.spec.rows if name != self.spec.baseline_row]
        if row == self.spec.baseline_row:
            return "c0"
        return f"c{1 + others.index(row) % _COLOURS}"

    def number(self, row: str) -> int:
        """Return the number that stands for a row where there is no room for its name."""
        return list(self.spec.rows).index(row) + 1

    def key(self, row: str) -> str:
        """Return the row's number on its colour."""
        return f'<span class="key {self.colour(row)}">{self.number(row)}</span>'

    def named(self, row: str) -> str:
        """Return the row's key and name."""
        return f'<span class="named">{self.key(row)}<span>{escape(row)}</span></span>'

    def legend(self, rows: Sequence[str] | None = None) -> str:
        """Return keys and names of rows; None: of all."""
        shown = self.spec.rows if rows is None else rows
        return '<ul class="legend">' + "".join(f"<li>{self.named(r)}</li>" for r in shown) + "</ul>"
