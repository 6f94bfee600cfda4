"""Run records -> report.html: one file, no network, no script."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from mtl_dm.files import MALFORMED, write_atomically
from mtl_dm.reporting.across import Across, across
from mtl_dm.reporting.across_text import across_table, note, over_heading, sentences
from mtl_dm.reporting.page.column import column_markup
from mtl_dm.reporting.page.markup import bullets, details, escape, inline, table
from mtl_dm.reporting.page.view import ColumnView, views_of
from mtl_dm.reporting.provenance import (
    data_kind,
    data_statement,
    missing_cells,
    origin,
    other_cells,
    seconds_table,
)
from mtl_dm.reporting.results import to_frame
from mtl_dm.reporting.sections import verdicts
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
    views = views_of(spec, cells, evidence)
    frame = to_frame(cells, spec.quantities)
    columns = []
    for index, view in enumerate(views):
        lines = frame[frame["column"] == view.column]
        try:
            columns.append(column_markup(view, lines, f"column{index + 1}"))
        except MALFORMED:
            bare = {key: value for key, value in evidence.items() if key[0] != view.column}
            if len(bare) == len(evidence):
                raise
            # Its evidence is JSON, but not what we write; the numbers are shown without it.
            damaged_evidence.append(f"evidence of {view.column}")
            views[index] = view = views_of(spec, cells, bare)[index]
            columns.append(column_markup(view, lines, f"column{index + 1}"))
    over = across({view.column: view.measured for view in views}, spec)
    blocks = [_header(views, cells, spec, over), _over_columns(over, spec)]
    blocks += [_incomplete(cells, spec, damaged_cells + damaged_evidence)]
    for view, markup in zip(views, columns, strict=True):
        blocks.append(f"<h2>{escape(view.column)}</h2>{markup}")
    if spec.notes:
        blocks.append(f"<section><h3>Notes</h3>{bullets(spec.notes)}</section>")
    blocks.append(_made(cells, spec))
    page = folder / "report.html"
    write_atomically(page, document(spec.title, "\n".join(blocks)))
    return page


def document(title: str, body: str) -> str:
    """Return a whole page around its content (markup); it loads nothing and runs nothing."""
    folder = resources.files("mtl_dm.reporting").joinpath("page")
    parts = (folder.joinpath(name) for name in ("figure.css", "style.css"))
    style = "\n".join(part.read_text(encoding="utf-8") for part in parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        # Without this a browser asks for an icon.
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n"
        f"</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _header(
    views: list[ColumnView], cells: list[Cell], spec: ReportSpec, over: list[Across]
) -> str:
    kinds = {data_kind(cell.dataset) for cell in cells}
    mark = "plain" if kinds == {"real"} else "careful"
    first, listed = verdicts(views, sentences(over, spec)) if cells else ([], [])
    decided = "".join(f"<p>{inline(line)}</p>" for line in first)
    decided += bullets(listed) if listed else ""
    return heading(spec.title, data_statement(cells), spec.intro, mark, decided)


def heading(title: str, statement: str, intro: str, mark: str = "plain", decided: str = "") -> str:
    """Return the top of a page.

    Args:
        title: Of the page.
        statement: What the data are; Markdown.
        intro: What is compared; Markdown.
        mark: Of the statement, plain or careful.
        decided: What the numbers decide, above everything else; markup.
    """
    first = f'<div class="decided">{decided}</div>' if decided else ""
    return (
        f"<header><h1>{escape(title)}</h1>{first}"
        f'<p class="statement {mark}">{inline(statement)}</p>'
        f'<p class="intro">{inline(intro)}</p></header>'
    )


def _over_columns(found: list[Across], spec: ReportSpec) -> str:
    if not found:
        return ""
    return (
        f"<section><h2>{escape(over_heading(found, spec))}</h2>"
        f"<p>{inline(note(spec))}</p>{table(across_table(found))}</section>"
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
