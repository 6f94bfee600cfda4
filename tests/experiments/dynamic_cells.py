"""Cells of the study of dynamic weights with numbers by rule, as if they had been trained."""

from pathlib import Path

from experiments import dynamic
from experiments.dynamic_rows import ROWS, WEIGHED
from mtl_dm.runs.cells import CellPlan
from mtl_dm.runs.evidence import write_evidence
from mtl_dm.runs.schema import Cell

EPOCHS = 3
RISING = [0.5, 0.6, 0.7]
"""Weight of identity, of every row whose weights move."""
LOSSES = {"identity": [3.0, 2.0, 1.0], "expression": [2.5, 1.5, 2.0]}


def write(folder, column, rows, seeds=(0,), fold=None):
    """Write cells: row n with seed s has verification (50 + n + s)%, expression half of it."""
    for place, row in enumerate(ROWS):
        for seed in seeds if row in rows else ():
            _write(Path(folder), column, row, seed, fold, 0.5 + (place + seed) / 100)


def _write(folder, column, row, seed, fold, accuracy):
    config = {
        "people": {"pretraining": 240, "train": 90, "test": 60},
        "images": {"pretraining": 2400, "train": 2520, "test": 1260},
        "expressions": {"neutral": 360, "happiness": 361},
        "pairs": 6000,
    }
    plan = CellPlan(
        dynamic.TABLE, column, row, seed, fold, "demo", "synthetic_identities (synthetic)", config
    )
    metrics = {"verification": {"accuracy": accuracy}, "expression": {"accuracy": accuracy / 2}}
    record = {"command": "make reproduce-dynamic", "config": config}
    path = plan.path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    cell = Cell(**plan.names(), metrics=metrics, seconds=1.0, steps=10, record=record)
    path.write_text(cell.to_json(), encoding="utf-8")
    write_evidence(path, plan, evidence(row))


def evidence(row):
    part = {"tasks": list(LOSSES), "epochs": [1, 2, 3], "terms": {**LOSSES, "loss": [5, 4, 3]}}
    if row in WEIGHED:
        falling = [1 - weight for weight in RISING]
        part["balance"] = {"identity_weight": RISING, "expression_weight": falling}
    return {"history": [part], "calibration": {}, "relatedness": None, "samples": []}
