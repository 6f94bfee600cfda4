"""Files that this library writes, damaged: other types, endless nesting, numbers beyond float."""

import json

import pytest

from data_prep.faces.records import Record
from experiments.engine import records
from mtl_dm import relatedness
from mtl_dm.cards.card import CARD_FILE, card_of
from mtl_dm.datasets.afew_va._clips import read_clip
from mtl_dm.measuring.temperatures import calibration_file, read_temperatures
from mtl_dm.relatedness.relations import relation_from_json
from mtl_dm.runs.cells import is_finished, run_cell
from mtl_dm.runs.evidence import read_evidence, write_evidence
from mtl_dm.runs.origin import origin_of
from mtl_dm.runs.reading import read_cells
from mtl_dm.runs.record import CONFIG_FILE, RECORD_FILE, claim_folder
from tests.runs.test_cells import METRICS, PLAN, compute

LEAVES = ([], {}, [[]], "x", "", 10**400, -1, None, True, {"a": 1})


def with_leaves(value, leaf):
    """The value with every number and text in it exchanged."""
    if isinstance(value, dict):
        return {key: with_leaves(each, leaf) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_leaves(each, leaf) for each in value]
    return leaf


def with_entry(value, leaf):
    """The value with one entry after the other exchanged."""
    for key in value:
        yield {**value, key: leaf}


def damaged(valid):
    """Texts that are almost what is written."""
    yield from ("", "{", "[" * 100_000, '{"a":' * 100_000, "[]", "{}", "3", '"x"', "null", "\x00")
    yield '{"a": NaN, "b": 1e999, "c": 1' + "0" * 5000 + "}"
    for leaf in LEAVES:
        yield json.dumps(with_leaves(valid, leaf))
        yield from map(json.dumps, with_entry(valid, leaf))


def check(path, valid, read):
    """Read all of them: what is wrong is a ValueError that says so, or nothing."""
    for text in damaged(valid):
        path.write_text(text, encoding="utf-8")
        try:
            read()
        except ValueError as error:
            assert str(error)


def test_what_lies_beside_a_checkpoint(tmp_path):
    checkpoint = tmp_path / "best.keras"
    checkpoint.write_bytes(b"model")
    valid = {"tasks": {"expression": {"temperature": 1.5}}, "sha256": "a"}
    check(calibration_file(checkpoint), valid, lambda: read_temperatures(checkpoint))
    card = {
        "name": "x",
        "tasks": {"expression": ["a"], "facial_movements": ["b"]},
        "tests": {"FER2013 PublicTest": {"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6}}},
    }
    check(tmp_path / CARD_FILE, card, lambda: card_of(checkpoint))
    record = {
        "config": {"datasets": ["a"]},
        "annotated": {"expression": 3},
        "base_rates": {"expression": {"fear": None}},
        "commit": "c",
        "judged": [{"source": "a", "target": "b", "confirmed": 0.5, "verdict": "v"}],
    }
    check(tmp_path / RECORD_FILE, record, lambda: origin_of(checkpoint).lines())
    check(tmp_path / RECORD_FILE, record, lambda: json.dumps(origin_of(checkpoint).to_dict()))
    folder = tmp_path / "run"
    claim_folder(folder, {"epochs": 1})
    check(folder / CONFIG_FILE, {"format": 1, "epochs": 1}, lambda: claim_folder(folder, {"a": 1}))


def test_a_damaged_configuration_names_its_file(tmp_path):
    (tmp_path / CONFIG_FILE).write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"config\.json is damaged \(the JSON is nested too deep"):
        claim_folder(tmp_path, {})


def test_cells_and_what_lies_beside_them(tmp_path):
    compute(tmp_path)
    path = PLAN.path(tmp_path)
    (cell,) = read_cells(tmp_path).cells
    valid = json.loads(path.read_text(encoding="utf-8"))

    def read():
        read_cells(tmp_path)
        is_finished(tmp_path, PLAN, notify=lambda line: None)

    check(path, valid, read)
    path.write_text(json.dumps({**valid, "seconds": 10**400}), encoding="utf-8")
    assert read_cells(tmp_path).damaged  # And it is computed again.
    assert run_cell(tmp_path, PLAN, lambda: (METRICS, 7), command="make it")
    content = {"history": [], "calibration": {}, "relatedness": None, "samples": []}
    write_evidence(path, cell, content)
    beside = path.with_name(path.stem + ".evidence.json")
    evidence = json.loads(beside.read_text(encoding="utf-8"))
    check(beside, evidence, lambda: read_evidence(tmp_path, [cell]))


def test_tables_records_journals_and_clips(tmp_path):
    path = tmp_path / "table.json"
    for each in (relatedness.facs(), relatedness.russell()):
        each.to_json(path)
        valid = json.loads(path.read_text(encoding="utf-8"))
        check(path, valid, lambda: relation_from_json(path))
    entry = {"row": "a", "seed": 0, "fold": None, "made": 0}
    check(path, {"made": [{}], "cells": [entry]}, lambda: records._read(path))
    clip = {"actor": "x", "frames": {"00000": {"valence": 1, "arousal": 2}}}
    check(path, clip, lambda: read_clip(path))
    record = Record("a.jpg", 5, (0.0, 0.0, 1.0, 1.0), "a.jpg", None, (0.0, 0.0, 1.0, 1.0))
    assert Record.from_line(record.to_line()) == record
    for text in damaged(json.loads(record.to_line())):
        found = Record.from_line(text)
        assert found is None or isinstance(found.size + found.score + len(found.path), (int, float))
