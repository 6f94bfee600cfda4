"""Rows of the result pages are spelled as ONLY= takes them."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
ROWS = {
    "table2": ("table2",),
    "table2_real": ("table2",),
    "table3": ("table3",),
    "table4": ("table4_cad", "table4_demo"),
    "table5": ("table5_rows",),
    "dynamic": ("dynamic_rows",),
    "faces": ("faces_rows",),
}
"""Page -> modules of `experiments` whose ROWS it shows."""


def tables(text):
    """Return the tables of a page, each a list of rows of cells."""
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [[line.strip("|\n ").split(" | ") for line in table.splitlines()] for table in found]


def named(table):
    """Return what a table says are rows; what is italic sums up some, or says which of several."""
    first, *head = table[0]
    column = [cells[0] for cells in table[2:]] if first == "row" else []
    names = [*column, *(head if "ST" in head else [])]
    plain = [re.sub(r"^\*[^*]+\* ?|\*\*", "", re.sub(r"^\*\*(.*)\*\*$", r"\1", n)) for n in names]
    return [name for name in plain if name and not name.endswith("(older)")]


@pytest.mark.parametrize("page", ROWS)
def test_rows_of_a_page_can_be_typed(page):
    known = {
        row for name in ROWS[page] for row in importlib.import_module(f"experiments.{name}").ROWS
    }
    text = (RESULTS / f"{page}.md").read_text(encoding="utf-8")
    shown = [name for table in tables(text) for name in named(table)]
    assert len(set(shown)) > 3
    assert set(shown) <= known


def test_what_pages_type_is_a_row_or_a_column():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "experiments").rglob("*.py")]
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for name in re.findall(r'ONLY="([^"]+)"', path.read_text(encoding="utf-8")):
            assert any(f'"{name}"' in source for source in sources), f"{path}: {name}"


def test_names_are_read_as_they_stand():
    text = "| row | a |\n|---|---:|\n| **x (DM)** | 1 |\n| *small:* ST | 2 |\n| *all* | 3 |\n"
    assert named(tables(text)[0]) == ["x (DM)", "ST"]
    assert named([["network", "ST", "C MT"], ["---"], ["one", "1", "2"]]) == ["ST", "C MT"]
