import csv
import io
import json

import numpy as np
import pytest

from mtl_dm.predicting.rows import Row, header, line
from tests.saved_models import TASKS

SAID = {
    "expression": {"neutral": 0.25, "happiness": 0.7499999999, "sadness": 1e-9},
    "action_units": {"AU1": 0.5, "AU2": np.nan},
    "valence_arousal": {"valence": -0.5, "arousal": 0.125},
}
FACE = Row(
    'a "b", ö\n.jpg', 3, 0.1 + 0.2, 1, (1.0, 2.005, 30.12345, -4.0), 0.98765432, prediction=SAID
)
NONE = Row("x.jpg", None, reason="no face")


def read(rows):
    text = header(TASKS, "csv") + "".join(line(row, TASKS, "csv") for row in rows)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv():
    face, none = read([FACE, NONE])
    assert face["file"] == FACE.file
    assert [face[name] for name in ("frame", "time", "face", "right", "score")] == [
        "3", "0.3", "1", "30.12", "0.987654",
    ]  # fmt: skip
    assert face["expression.happiness"] == "0.75"
    assert face["valence_arousal.valence"] == "-0.5"
    assert face["action_units.AU2"] == face["reason"] == ""
    assert {name for name, value in none.items() if value} == {"file", "reason"}
    assert none["reason"] == "no face"
    assert list(none)[10:] == [f"{task.name}.{label}" for task in TASKS for label in task.labels]


def test_json_lines():
    assert header(TASKS, "jsonl") == ""
    text = line(FACE, TASKS, "jsonl")
    assert text.count("\n") == 1
    assert "ö" in text
    content = json.loads(text)
    assert (content["frame"], content["time"]) == (3, 0.3)
    assert content["box"] == [1.0, 2.0, 30.12, -4.0]
    assert content["predictions"]["expression"]["neutral"] == 0.25
    assert content["predictions"]["action_units"]["AU2"] is None
    none = json.loads(line(NONE, TASKS, "jsonl"))
    assert none == {
        "file": "x.jpg",
        "frame": None,
        "time": None,
        "face": None,
        "box": None,
        "score": None,
        "reason": "no face",
        "predictions": {},
    }


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_every_row_has_the_same_columns(form):
    if form == "csv":
        counts = {len(row) for row in csv.reader(io.StringIO(header(TASKS, form)))}
        assert counts == {10 + sum(task.size for task in TASKS)}
    keys = [list(json.loads(line(row, TASKS, "jsonl"))) for row in (FACE, NONE)]
    assert keys[0] == keys[1]
