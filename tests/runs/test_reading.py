"""What is read back from a run folder."""

import json
import logging

import pytest

from mtl_dm.runs.reading import read_cells
from mtl_dm.runs.schema import Cell, parse_cell
from tests.reporting.fake_run import cell, write


def test_names_come_from_the_json_not_from_the_path(tmp_path):
    cells, damaged = read_cells(write(tmp_path, cell("NC MT"), cell("ST", seed=1, fold=0)))
    assert [(c.column, c.row, c.repeat) for c in cells] == [
        ("faces A / net B", "NC MT", (0, None)),
        ("faces A / net B", "ST", (1, 0)),
    ]
    assert damaged == []


def test_a_folder_without_cells_gives_none(tmp_path):
    assert read_cells(tmp_path) == ([], [])


@pytest.mark.parametrize("text", ["", '{"table": "tab', "[]", "{}", "null"])
def test_damaged_cells_are_skipped_and_named(tmp_path, caplog, text):
    write(tmp_path, cell("ST"))
    (tmp_path / "cells" / "bad.json").write_text(text, encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        cells, damaged = read_cells(tmp_path)
    assert len(cells) == 1
    assert damaged == ["cells/bad.json"]
    assert "cells/bad.json" in caplog.text


def test_mistyped_entries_are_damage(tmp_path):
    wrong = [{"seed": "0"}, {"row": ""}, {"metrics": {"a": 1}}, {"steps": True}, {"fold": 0.5}]
    bad = [cell("ST") | entry for entry in wrong]
    cells, damaged = read_cells(write(tmp_path, *bad))
    assert cells == []
    assert len(damaged) == len(wrong)


def test_cells_of_another_table_are_refused(tmp_path):
    write(tmp_path, cell("ST"))
    with pytest.raises(ValueError, match="of table 'table2', expected 'table4'"):
        read_cells(tmp_path, "table4")


def test_the_same_cell_twice_is_refused(tmp_path):
    with pytest.raises(ValueError, match="hold the same cell"):
        read_cells(write(tmp_path, cell("ST"), cell("ST")))


def test_a_cell_survives_its_file():
    written = Cell(
        "table2", "a", "ST", 3, None, "demo", "x (real)", {"t": {"f1": 1 / 3}}, 0.5, 7, {"k": [1]}
    )
    assert parse_cell(written.to_json()) == written


def test_the_file_looks_as_it_always_did():
    # Studies of earlier versions are continued: the entries and their order stay.
    content = json.loads(parse_cell(json.dumps(cell("ST", 1, 0))).to_json())
    expected = cell("ST", 1, 0)
    expected["metrics"]["expression"]["average_accuracy"] = None
    assert list(content) == list(expected)
    assert content == expected


@pytest.mark.parametrize(
    ("entry", "message"), [("seconds", "no entry 'seconds'"), ("record", "no entry 'record'")]
)
def test_what_is_missing_is_named(entry, message):
    content = cell("ST")
    del content[entry]
    with pytest.raises(ValueError, match=message):
        parse_cell(json.dumps(content))
