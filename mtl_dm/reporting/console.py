"""The main table as plain text, for the end of a run."""

from __future__ import annotations

import pandas as pd

from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.reporting.tables import Table, main_table


def aligned(table: Table) -> str:
    """Return a table with its columns aligned, names left and numbers right."""
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        ).rstrip()
        for line in table
    )


def summary_text(frame: pd.DataFrame, spec: ReportSpec) -> str:
    """Return the main tables of every column as text; percent, mean ± 95% half width.

    Args:
        frame: A long frame (`to_frame`, `read_results`).
        spec: What to show.
    """
    return "\n\n".join(f"{column}\n{_table(frame, spec, column)}" for column in spec.columns)


def _table(frame: pd.DataFrame, spec: ReportSpec, column: str) -> str:
    measured = Measured(frame, column, spec.test_train_ratio)
    return aligned(main_table(measured, spec.for_column(column)))
