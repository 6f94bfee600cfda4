"""Directives of the result pages: a study's own header, and the numbers that a paper prints.

`{study} table3` shows source, command, data, rules of evidence, what was measured and cost, as
`experiments/table3.py` says them; `{published} table3` the published values. Both are read where
the studies read them, so that a page cannot say anything else.
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pandas as pd
from docutils import nodes
from docutils.parsers.rst import Directive

from mtl_dm.reporting import published

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
KEY = re.compile(r"([A-Z][\w ]*(?:\([^:]*\))?): ?(.*)")


def header(text: str) -> list[tuple[str, str]]:
    """Return the entries of a study's docstring, after its first line."""
    entries: list[tuple[str, str]] = []
    for line in inspect.cleandoc(text).splitlines()[1:]:
        found = KEY.fullmatch(line)
        if found:
            entries.append((found[1], found[2]))
        elif line.strip() and entries:
            key, said = entries[-1]
            entries[-1] = (key, f"{said} {line.strip()}".strip())
    return entries


def printed(table: str) -> pd.DataFrame:
    """Return what a paper prints: a row a method, a column a task and metric, in percent."""
    found = published(table)
    found = found.assign(
        value=(100 * found["value"]).round(1), quantity=found["task"] + " " + found["metric"]
    )
    wide = found.pivot_table(
        index=["column", "row"], columns="quantity", values="value", sort=False
    )
    return wide.reset_index()


class StudyHeader(Directive):
    """What a study says of itself."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a list of definitions."""
        path = EXPERIMENTS / f"{self.arguments[0]}.py"
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found = nodes.field_list()
        for key, text in header(said):
            body = nodes.field_body()
            body += nodes.paragraph("", "", *inline(text))
            found += nodes.field("", nodes.field_name("", key), body)
        return [found]


class Published(Directive):
    """What a paper prints, never measured here."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a table."""
        return [table(printed(self.arguments[0]))]


def inline(text: str) -> list[nodes.Node]:
    """Return the text of a docstring, what stands between backticks as code."""
    parts = text.split("`")
    kinds = (nodes.Text, lambda part: nodes.literal(part, part))
    return [kinds[place % 2](part) for place, part in enumerate(parts) if part]


def table(frame: pd.DataFrame) -> nodes.table:
    """Return a frame as a table; what is not printed is empty."""
    group = nodes.tgroup(cols=len(frame.columns))
    group += [nodes.colspec(colwidth=1) for _ in frame.columns]
    group += nodes.thead("", _row([str(name).replace("_", " ") for name in frame.columns]))
    body = nodes.tbody()
    for values in frame.itertuples(index=False):
        body += _row(["" if pd.isna(value) else str(value) for value in values])
    group += body
    return nodes.table("", group)


def _row(cells: list[str]) -> nodes.row:
    entries = [nodes.entry("", nodes.paragraph("", cell)) for cell in cells]
    return nodes.row("", *entries)


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx."""
    app.add_directive("study", StudyHeader)
    app.add_directive("published", Published)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
