"""Where the numbers come from: preset, data, commits, versions, seconds; and what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.reporting.tables import ABSENT, Table
from mtl_dm.runs.schema import Cell, Repeat

_FEW = 3
_KIND = re.compile(r"\((synthetic|real)\)\s*$")


def data_kind(dataset: str) -> str:
    """Return "synthetic", "real", or "unknown" where the record does not say."""
    match = _KIND.search(dataset)
    return match.group(1) if match else "unknown"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in sorted(set(values)))


def data_statement(cells: Sequence[Cell]) -> str:
    """Return the sentence at the top of a report: preset, and synthetic or real data."""
    if not cells:
        return "**Nothing has been measured yet.**"
    kinds = {data_kind(cell.dataset) for cell in cells}
    data = _listed(cell.dataset for cell in cells)
    text = {
        ("synthetic",): f"**Synthetic data** ({data}): generated. The measured numbers "
        "are not comparable with the published ones; at most the direction of the differences "
        "between rows can be set beside theirs.",
        ("real",): f"**Real data** ({data}).",
        ("real", "synthetic"): f"**Real and synthetic data, column by column**: {data}.",
    }.get(tuple(sorted(kinds)), f"**The records do not say whether all data are real**: {data}.")
    presets = {cell.preset for cell in cells}
    warning = " **Different presets are mixed here.**" if len(presets) > 1 else ""
    return f"Preset {_listed(presets)}.{warning} {text}"


def _name(repeat: Repeat) -> str:
    seed, fold = repeat
    return f"seed {seed}" if fold is None else f"seed {seed} fold {fold}"


def missing_cells(cells: Sequence[Cell], spec: ReportSpec) -> list[str]:
    """Return a line for each planned row and column that lacks planned repeats."""
    done = {(cell.column, cell.row, cell.repeat) for cell in cells}
    anywhere = {cell.repeat for cell in cells}
    lines = []
    for column in spec.columns:
        found = {cell.repeat for cell in cells if cell.column == column}
        planned = spec.repeats.get(column) or sorted(found or anywhere, key=str)
        for row in spec.rows_of(column):
            left = [_name(r) for r in planned if (column, row, r) not in done]
            many = f"{len(left)} of {len(planned)} repeats"
            if left or not planned:
                text = ", ".join(left) if len(left) <= _FEW else many
                lines.append(f"{column}, {row}: {text or 'every seed'}")
    return lines


def other_cells(cells: Sequence[Cell], spec: ReportSpec) -> list[str]:
    """Return "column, row" of the finished cells that the report does not show."""
    shown = {(column, row) for column in spec.columns for row in spec.rows_of(column)}
    found = {(cell.column, cell.row) for cell in cells} - shown
    return [f"{column}, {row}" for column, row in sorted(found)]


def seconds_table(cells: Sequence[Cell], spec: ReportSpec) -> Table:
    """Return row x column: mean seconds of a cell."""
    table = [["row", *spec.columns]]
    for row in spec.rows:
        line = [row]
        for column in spec.columns:
            seconds = [cell.seconds for cell in cells if (cell.column, cell.row) == (column, row)]
            line.append(f"{sum(seconds) / len(seconds):.1f}" if seconds else ABSENT)
        table.append(line)
    return table


def _commands(cells: Sequence[Cell], command: str) -> list[str]:
    others = sorted({str(cell.record.get("command", "")) for cell in cells} - {"", command})
    lines = [f"- Cells were trained by: `{other}`" for other in others[:5]]
    return lines + ([f"- and by {len(others) - 5} more commands"] if len(others) > 5 else [])


def makers(cells: Sequence[Cell], command: str) -> list[str]:
    """Return the lines that name the command, the commits and the versions; Markdown."""
    commits = {str(cell.record.get("commit") or "not recorded") for cell in cells}
    versions: dict[str, set[str]] = {}
    for cell in cells:
        for name, version in dict(cell.record.get("versions") or {}).items():
            versions.setdefault(str(name), set()).add(str(version))
    pinned = ", ".join(f"{n} {' and '.join(sorted(v))}" for n, v in sorted(versions.items()))
    mixed = " (cells of several commits)" if len(commits) > 1 else ""
    return [
        f"- Command: `{command}`",
        *_commands(cells, command),
        f"- Commit: {_listed(commits) or ABSENT}{mixed}",
        f"- Versions: {pinned or 'not recorded'}",
    ]


def origin(cells: Sequence[Cell], spec: ReportSpec) -> list[str]:
    """Return the lines that say how to make the numbers again and what they cost."""
    folds = sorted({cell.fold for cell in cells if cell.fold is not None})
    seconds = sum(cell.seconds for cell in cells)
    return [
        *makers(cells, spec.command),
        f"- Seeds: {', '.join(map(str, sorted({cell.seed for cell in cells}))) or ABSENT}"
        f"; folds: {', '.join(map(str, folds)) or 'none'}",
        f"- Cost: {seconds:.1f} seconds and {sum(cell.steps for cell in cells)} steps for "
        f"{len(cells)} cells; mean seconds of a cell:",
    ]
