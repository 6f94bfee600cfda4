"""A run folder made by rule, so that every number in a report can be derived by hand."""

import json
from pathlib import Path

from mtl_dm.reporting import ReportSpec

COLUMN = "faces A / net B"
ROWS = ("ST", "NC MT", "C MT (DM)")
# row -> (expression accuracy, action_units f1), at seed 0; seed s adds s/100 to both.
LEVELS = {"ST": (0.50, 0.40), "NC MT": (0.45, 0.44), "C MT (DM)": (0.60, 0.10)}


def cell(row, seed=0, fold=None, column=COLUMN, **changes):
    accuracy, f1 = LEVELS[row]
    step = seed / 100 + (fold or 0) / 50
    metrics = {
        "expression": {"accuracy": accuracy + step, "average_accuracy": float("nan")},
        "action_units": {
            "f1": f1 + step,
            "f1/AU10": f1 + step,
            "f1/AU2": f1 / 2,
            "base_rate/AU10": 0.5,
            "base_rate/AU2": 0.1,
        },
    }
    record = {
        "command": "make reproduce-table2",
        "commit": "abc1234",
        "versions": {"keras": "3.1", "python": "3.11"},
    }
    return {
        "table": "table2",
        "column": column,
        "row": row,
        "seed": seed,
        "fold": fold,
        "preset": "demo",
        "dataset": "synthetic_faces (synthetic)",
        "metrics": metrics,
        "seconds": 2.5,
        "steps": 10,
        "record": record,
    } | changes


def write(folder, *cells):
    for number, content in enumerate(cells):
        path = Path(folder) / "cells" / "any name" / f"file{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    return Path(folder)


def spec(**changes):
    values = {
        "title": "Table 2",
        "table": "table2",
        "intro": "Does coupling help?",
        "main_metrics": {"expression": ["accuracy"], "action_units": ["f1"]},
        "rows": ROWS,
        "columns": [COLUMN],
        "command": "make reproduce-table2",
        "published_table": "table2",
        "published_columns": {COLUMN: ["Aff-Wild2 / TMIF-FEA"]},
        "per_label": [("action_units", "f1")],
    }
    return ReportSpec(**(values | changes))
