"""Run records -> results.csv, pictures and report.md."""

from __future__ import annotations

from pathlib import Path

from mtl_dm.files import write_atomically
from mtl_dm.reporting.across import Across, across
from mtl_dm.reporting.across_text import across_table, note, over_heading, sentences
from mtl_dm.reporting.column_text import column_section
from mtl_dm.reporting.page.view import views_of
from mtl_dm.reporting.provenance import (
    data_statement,
    missing_cells,
    origin,
    other_cells,
    seconds_table,
)
from mtl_dm.reporting.results import to_frame, write_results
from mtl_dm.reporting.sections import bullets, render, verdicts
from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.runs.reading import read_cells


def write_report(folder: str | Path, spec: ReportSpec) -> Path:
    """Write results.csv, pictures and report.md from the cells in `folder`/cells.

    The same cells and spec give the same text, so no date is written.

    Args:
        folder: The run folder, `runs/<table>`.
        spec: What to show.

    Returns:
        The path of report.md.

    Raises:
        ValueError: If a cell belongs to another table, a value is out of range, or the spec names
            a published table or column that does not exist.
    """
    folder = Path(folder)
    cells, damaged = read_cells(folder, spec.table)
    frame = to_frame(cells, spec.quantities)
    write_results(folder / "results.csv", frame)
    views = views_of(spec, cells)
    over = across({view.column: view.measured for view in views}, spec)
    first, listed = verdicts(views, sentences(over, spec)) if cells else ([], [])
    blocks = [f"# {spec.title}", *first, bullets(listed)]
    blocks += [f"> {data_statement(cells)}", spec.intro]
    blocks += _over_columns(over, spec)
    lists = {
        "Not finished": missing_cells(cells, spec),
        "Damaged cell files, left out": [f"`{name}`" for name in damaged],
        "In results.csv but not shown here": other_cells(cells, spec),
    }
    for heading, named in lists.items():
        blocks += [f"## {heading}", bullets(named)] if named else []
    for number, view in enumerate(views, start=1):
        lines = frame[frame["column"] == view.column]
        blocks += column_section(folder, view, lines, number)
    blocks += ["## Notes", bullets(spec.notes)] if spec.notes else []
    blocks += ["## How this was made", "\n".join(origin(cells, spec))]
    blocks += [render(seconds_table(cells, spec))]
    report = folder / "report.md"
    write_atomically(report, "\n\n".join(block for block in blocks if block) + "\n")
    return report


def _over_columns(found: list[Across], spec: ReportSpec) -> list[str]:
    if not found:
        return []
    return [f"## {over_heading(found, spec)}", note(spec), render(across_table(found))]
