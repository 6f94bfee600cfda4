"""JSON and CSV files that the library writes, read again by whoever finds them."""

import json
from collections.abc import Callable
from pathlib import Path

from experiments.engine import records
from mtl_dm import relatedness
from mtl_dm.cards.card import CARD_FILE, card_of
from mtl_dm.measuring.temperatures import calibration_file, read_temperatures
from mtl_dm.relatedness.relations import relation_from_json
from mtl_dm.reporting.results import read_results, to_frame, write_results
from mtl_dm.runs.cells import CellPlan, is_finished, run_cell
from mtl_dm.runs.evidence import read_evidence, write_evidence
from mtl_dm.runs.origin import fingerprint, origin_of
from mtl_dm.runs.reading import read_cells
from mtl_dm.runs.record import CONFIG_FILE, RECORD_FILE, claim_folder
from tests.fuzz.target import Read, Target, exchanged

PLAN = CellPlan("table2", "a", "b", 0, None, "demo", "synthetic_faces (synthetic)", {"epochs": 2})


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    readers = {**_beside_a_checkpoint(folder / "run"), **_of_a_study(folder / "study")}
    for name, each in {"facs": relatedness.facs(), "russell": relatedness.russell()}.items():
        each.to_json(folder / f"{name}.json")
        readers[folder / f"{name}.json"] = relation_from_json
    return exchanged(list(readers), lambda path: readers[path](path))


def _beside_a_checkpoint(folder: Path) -> dict[Path, Callable[[Path], object]]:
    checkpoint = folder / "best.keras"
    folder.mkdir()
    checkpoint.write_bytes(b"model")
    record = {
        "config": {"datasets": ["a"]},
        "annotated": {"expression": 3},
        "base_rates": {"expression": {"fear": None}},
        "commit": "c",
        "judged": [{"source": "a", "target": "b", "confirmed": 0.5, "verdict": "v"}],
    }
    fitted = {"tasks": {"expression": {"temperature": 1.5}}, "sha256": fingerprint(checkpoint)}
    right = {"value": 0.5, "low": 0.4, "high": 0.6, "of": 9}
    measured = {"expression": {"kind": "multiclass", "accuracy": right}}
    card = {
        "name": "x",
        "about": "expression",
        "caution": "never tested",
        "tasks": {"expression": ["a"]},
        "tests": {"demo": {"images": 9, "tasks": measured}},
    }
    claim_folder(folder, {"epochs": 1})
    for path, content in {
        folder / RECORD_FILE: record,
        calibration_file(checkpoint): fitted,
        folder / CARD_FILE: card,
    }.items():
        path.write_text(json.dumps(content), encoding="utf-8")
    return {
        folder / RECORD_FILE: lambda _: json.dumps(origin_of(checkpoint).to_dict()),
        folder / CONFIG_FILE: lambda _: claim_folder(folder, {"epochs": 1}),
        calibration_file(checkpoint): lambda _: read_temperatures(checkpoint),
        folder / CARD_FILE: lambda _: card_of(checkpoint),
    }


def _of_a_study(folder: Path) -> dict[Path, Callable[[Path], object]]:
    measured = {"expression": {"accuracy": 0.25, "f1": float("nan")}}
    run_cell(folder, PLAN, lambda: (measured, 7), command="make", notify=lambda line: None)
    (cell,) = read_cells(folder).cells
    path = PLAN.path(folder)
    write_evidence(
        path, cell, {"history": [], "calibration": {}, "relatedness": None, "samples": []}
    )
    beside, results = path.with_name(path.stem + ".evidence.json"), folder / "results.csv"
    write_results(results, to_frame([cell]))
    taken = folder / "taken.json"
    entry = {"row": "a", "seed": 0, "fold": None, "made": 0}
    taken.write_text(json.dumps({"made": [{}], "cells": [entry]}), encoding="utf-8")

    def read_cell(_: Path) -> None:
        read_cells(folder)
        is_finished(folder, PLAN, notify=lambda line: None)

    return {
        path: read_cell,
        beside: lambda _: read_evidence(folder, [cell]),
        results: read_results,
        taken: records._read,
    }


TARGET = Target(prepare)
