"""Evidence as a cell leaves it, small and made by rule."""

import json
from pathlib import Path

from tests.reporting.fake_run import cell

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw=="


def calibration(kind):
    return {
        "kind": kind,
        "error": 0.123,
        "edges": [0.0, 0.5, 1.0],
        "confidence": [None, 0.8],
        "outcome": [None, 0.6],
        "count": [0, 5],
    }


def sample(said, true):
    named = {"kind": "multiclass", "true": [true], "predicted": [said]}
    units = {"kind": "multilabel", "true": ["AU2", "AU4"], "predicted": ["AU2", "AU9"]}
    return {
        "image": PIXEL,
        "index": 3,
        "correct": said == true,
        "tasks": {
            "expression": {**named, "probabilities": {said: 0.9, true: 0.05}},
            "action_units": {**units, "probabilities": {"AU2": 0.8, "AU4": 0.1, "AU9": 0.7}},
        },
    }


def evidence(coupled=True, **changes):
    return {
        "history": [
            {
                "tasks": ["expression", "action_units"],
                "epochs": [1, 2],
                "terms": {
                    "loss": [3.0, 2.0],
                    "expression": [2.0, 1.5],
                    "action_units": [1.0, None],
                },
            }
        ],
        "calibration": {
            "expression": calibration("multiclass"),
            "action_units": calibration("multilabel"),
        },
        "relatedness": {
            "classes": ["fear", "anger"],
            "attributes": ["AU2", "AU4", "AU9"],
            "left_out": ["AU9"],
            "prior": [[1.0, 0.0, 0.5], [0.0, 1.0, None]] if coupled else None,
            "implied": [[0.5, 0.25, 0.5], [0.5, 0.5, 0.5]],
            "observed": [[1.0, 0.25, None], [0.0, 1.0, 0.5]],
        },
        "samples": [sample("fear", "anger"), sample("fear", "fear")],
    } | changes


def write(folder, row, seed=0, fold=None, content=None, **names):
    """Write the evidence of a cell of `fake_run`."""
    named = cell(row, seed, fold)
    keys = ("table", "column", "row", "seed", "fold", "preset", "dataset")
    path = Path(folder) / "cells" / "any name" / f"{row}{seed}{fold}.evidence.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {**{key: named[key] for key in keys}, **names}
    path.write_text(json.dumps({**values, "evidence": content or evidence()}), encoding="utf-8")
    return path
