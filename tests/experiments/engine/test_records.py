"""Finished cells as committed records: written, taken up, refused."""

import dataclasses
import json
import math

import pytest

from experiments.engine import fingerprint, keeping, records, running
from experiments.engine.method import Method
from mtl_dm.reporting import read_cells
from mtl_dm.runs.cells import is_finished, run_cell
from tests.experiments.engine import tiny

METRICS = {"kind": {"accuracy": 1 / 3, "f1": math.nan}, "marks": {"f1": 0.5}}
FILE = "tiny/animals_dense_trunk.json"


@pytest.fixture
def results(tmp_path, monkeypatch):
    tiny.keep(monkeypatch)
    monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def planned(folder, **fields):
    return tiny.study(recorded=True, **fields).cells(folder, "make tiny")


def computed(folder, cells, metrics=METRICS):
    for cell in cells:
        run_cell(folder, cell.plan, lambda: (metrics, 7), command="make tiny")


def test_a_record_is_taken_up_in_another_folder(tmp_path, results):
    first, second = tmp_path / "first", tmp_path / "second"
    computed(first, planned(first))
    (path,) = records.export(first, results)
    assert path == results / FILE
    cells = planned(second)
    assert records.take_up(cells, results) == cells
    assert all(is_finished(second, cell.plan) for cell in cells)
    for cell in read_cells(second).cells:
        assert cell.metrics["kind"]["accuracy"] == 0.333333
        assert math.isnan(cell.metrics["kind"]["f1"])
        assert cell.steps == 7
        assert cell.record["command"] == "make tiny"
        assert cell.record["config"]["animals"] == 24
    (note,) = records.notes(read_cells(second).cells)
    assert note.startswith("animals / dense trunk: 2 cells were not computed here but taken from")
    assert note.endswith("(NC MT, ST).")
    assert records.notes(read_cells(first).cells) == []


def test_one_line_a_cell_and_the_same_bytes(tmp_path, results):
    computed(tmp_path, planned(tmp_path, seeds=3))
    (path,) = records.export(tmp_path, results)
    text = path.read_text(encoding="utf-8")
    assert sum(line.startswith('{"row":') for line in text.splitlines()) == 6
    assert text.count('"versions"') == 1
    records.export(tmp_path, results)
    assert path.read_text(encoding="utf-8") == text


def test_another_configuration_is_not_taken(tmp_path, results):
    first, second = tmp_path / "first", tmp_path / "second"
    computed(first, planned(first))
    records.export(first, results)
    rows = {"ST": Method(single_task=True), "NC MT": Method({"epochs": 3})}
    (taken,) = records.take_up(planned(second, rows=rows), results)
    assert taken.plan.row == "ST"


def test_a_record_of_other_code_is_not_taken(tmp_path, results, monkeypatch):
    computed(tmp_path / "first", planned(tmp_path / "first"))
    records.export(tmp_path / "first", results)
    cell, _ = planned(tmp_path)
    problem = cell.make()
    place = keeping._path(cell, "ST", problem, problem.config, problem.tasks)
    monkeypatch.setattr(fingerprint, "REVISION", 2)
    assert records.take_up(planned(tmp_path / "second"), results) == []
    with pytest.raises(ValueError, match="revision is None there, 2 now"):
        is_finished(tmp_path / "first", planned(tmp_path / "first")[0].plan)
    assert keeping._path(cell, "ST", problem, problem.config, problem.tasks) != place
    # What other code has computed is not exported as of this one.
    records.export(tmp_path / "first", results)
    assert records.take_up(planned(tmp_path / "second"), results) == []
    monkeypatch.setattr(fingerprint, "REVISION", 1)
    assert len(records.take_up(planned(tmp_path / "third"), results)) == 2


def test_an_export_adds_to_what_is_there(tmp_path, results):
    first, second = tmp_path / "first", tmp_path / "second"
    computed(first, planned(first))
    records.export(first, results)
    cells = planned(second, seeds=2)
    records.take_up(cells, results)
    computed(second, [cell for cell in cells if cell.plan.seed == 1], {"kind": {"accuracy": 0.5}})
    (path,) = records.export(second, results)
    entries = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert [(entry["row"], entry["seed"]) for entry in entries] == [
        ("NC MT", 0), ("NC MT", 1), ("ST", 0), ("ST", 1),
    ]  # fmt: skip
    # What was taken is as it was, not exported once more.
    assert entries[0]["metrics"]["kind"] == {"accuracy": 0.333333, "f1": None}


def test_a_study_takes_up_only_where_it_says_so(tmp_path, results, monkeypatch, capsys):
    first = tmp_path / "first"
    computed(first, planned(first))
    records.export(first, results)
    calls = []
    monkeypatch.setattr(running, "compute_cell", calls.append)
    running.compute(tiny.study(), tiny.options(tmp_path / "plain"))
    assert len(calls) == 2
    running.run_study(tiny.study(recorded=True), tiny.options(tmp_path / "second"))
    assert len(calls) == 2
    assert "0 of 2 cells to compute, 2 taken from records." in capsys.readouterr().out
    report = (tmp_path / "second" / "report.md").read_text(encoding="utf-8")
    assert "were not computed here but taken from the record" in report


def test_nothing_to_export(tmp_path, results):
    with pytest.raises(ValueError, match="holds no finished cell"):
        records.export(tmp_path, results)


@pytest.mark.parametrize("text", ["", "[]", '{"cells": [{"made": 3}], "made": []}'])
def test_a_damaged_record_is_named(tmp_path, results, text):
    path = results / FILE
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"animals_dense_trunk.json is damaged"):
        records.take_up(planned(tmp_path), results)


def test_the_command(tmp_path, results, monkeypatch, capsys):
    computed(tmp_path, planned(tmp_path))
    monkeypatch.setattr("sys.argv", ["records", str(tmp_path), f"--results={results}"])
    records.main()
    assert capsys.readouterr().out.splitlines()[-1] == str(results / FILE)


def test_dataclass_fields_of_a_cell_are_kept(tmp_path, results):
    computed(tmp_path, planned(tmp_path))
    records.export(tmp_path, results)
    other = tmp_path / "other"
    records.take_up(planned(other), results)
    first, second = read_cells(tmp_path).cells[0], read_cells(other).cells[0]
    names = {field.name for field in dataclasses.fields(first)} - {"metrics", "seconds", "record"}
    assert all(getattr(first, name) == getattr(second, name) for name in names)
