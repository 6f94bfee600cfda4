"""Run records -> report.html: one file, no network, no script."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from mtl_dm.files import write_atomically
from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.page.column import column_markup
from mtl_dm.reporting.page.markup import bullets, details, escape, inline, table
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.provenance import (
    data_kind,
    data_statement,
    missing_cells,
    origin,
    other_cells,
    seconds_table,
)
from mtl_dm.reporting.results import to_frame
from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.runs.evidence import read_evidence
from mtl_dm.runs.reading import read_cells
from mtl_dm.runs.schema import Cell

# The browser itself refuses to load or run anything that is not in the file.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def write_html(folder: str | Path, spec: ReportSpec) -> Path:
    """Write report.html from the cells in `folder`/cells and the evidence beside them.

    The same files and spec give the same bytes.

    Args:
        folder: The run folder, `runs/<table>`.
        spec: What to show.

    Returns:
        The path of report.html.

    Raises:
        ValueError: If a cell belongs to another table, a value is out of range, or the spec names
            a published table or column that does not exist.
    """
    folder = Path(folder)
    cells, damaged_cells = read_cells(folder, spec.table)
    evidence, damaged_evidence = read_evidence(folder, cells)
    frame = to_frame(cells)
    blocks = [_header(cells, spec), _incomplete(cells, spec, damaged_cells + damaged_evidence)]
    for index, column in enumerate(spec.columns):
        of_column = {row: found for (name, row), found in evidence.items() if name == column}
        kinds = {data_kind(cell.dataset) for cell in cells if cell.column == column}
        view = ColumnView(
            spec.for_column(column),
            column,
            Measured(frame, column, spec.test_train_ratio),
            of_column,
            real=kinds != {"synthetic"},
        )
        markup = column_markup(view, frame[frame["column"] == column], f"column{index + 1}")
        blocks.append(f"<h2>{escape(column)}</h2>{markup}")
    if spec.notes:
        blocks.append(f"<section><h3>Notes</h3>{bullets(spec.notes)}</section>")
    blocks.append(_made(cells, spec))
    page = folder / "report.html"
    write_atomically(page, document(spec.title, "\n".join(blocks)))
    return page


def document(title: str, body: str) -> str:
    """Return a whole page around its content (markup); it loads nothing and runs nothing."""
    style = resources.files("mtl_dm.reporting").joinpath("page", "style.css")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        # Without this a browser asks for an icon.
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style.read_text(encoding='utf-8')}</style>\n"
        f"</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _header(cells: list[Cell], spec: ReportSpec) -> str:
    kinds = {data_kind(cell.dataset) for cell in cells}
    mark = "plain" if kinds == {"real"} else "careful"
    return heading(spec.title, data_statement(cells), spec.intro, mark)


def heading(title: str, statement: str, intro: str, mark: str = "plain") -> str:
    """Return the top of a page; statement and intro are Markdown, mark is plain or careful."""
    return (
        f"<header><h1>{escape(title)}</h1>"
        f'<p class="statement {mark}">{inline(statement)}</p>'
        f'<p class="intro">{inline(intro)}</p></header>'
    )


def _incomplete(cells: list[Cell], spec: ReportSpec, damaged: list[str]) -> str:
    lists = {
        "Not finished": missing_cells(cells, spec),
        "Damaged files, left out": [f"`{name}`" for name in damaged],
        "In results.csv but not shown here": other_cells(cells, spec),
    }
    return "".join(
        details(f"{escape(title)} ({len(lines)})", bullets(lines))
        for title, lines in lists.items()
        if lines
    )


def _made(cells: list[Cell], spec: ReportSpec) -> str:
    lines = [line.removeprefix("- ") for line in origin(cells, spec)]
    return (
        f"<section><h3>How this was made</h3>{bullets(lines)}"
        f"{table(seconds_table(cells, spec))}</section>"
    )
