"""One line a face, as CSV or as JSON lines."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Sequence

from mtl_dm import faces
from mtl_dm.predicting.predictor import Prediction
from mtl_dm.tasks import Task

FORMATS = ("csv", "jsonl")
_DIGITS = 6
_COLUMNS = ("file", "frame", "time", "face", "left", "top", "right", "bottom", "score", "reason")


@dataclasses.dataclass(frozen=True)
class Row:
    r"""A face, or an image without one.

    Args:
        file: As it was named; bytes that are no UTF-8 as \xNN.
        frame: Of a video, from 0.
        time: When the video shows it, in seconds.
        face: Number in the image, from 1, best score first; None: there is none.
        box: left, top, right, bottom in pixels of the upright image.
        score: Of the detection.
        reason: Why there is no face.
        prediction: What the model says.
    """

    file: str
    frame: int | None
    time: float | None = None
    face: int | None = None
    box: faces.Box | None = None
    score: float | None = None
    reason: str | None = None
    prediction: Prediction | None = None


def header(tasks: Sequence[Task], form: str) -> str:
    """Return what stands above the lines: the names of the columns in a CSV, nothing in JSON."""
    if form != "csv":
        return ""
    labels = [f"{task.name}.{label}" for task in tasks for label in task.labels]
    return _csv_line([*_COLUMNS, *labels])


def line(row: Row, tasks: Sequence[Task], form: str) -> str:
    """Return a row as text that ends its line.

    Args:
        row: The row.
        tasks: The model's tasks.
        form: One of `FORMATS`.
    """
    box = None if row.box is None else [round(side, 2) for side in row.box]
    score = None if row.score is None else round(row.score, _DIGITS)
    time = None if row.time is None else round(row.time, _DIGITS)
    if form == "csv":
        sides: list[float | None] = [None] * 4 if box is None else [*box]
        predicted = row.prediction
        values = [
            None if predicted is None else _short(predicted[task.name][label])
            for task in tasks
            for label in task.labels
        ]
        return _csv_line([row.file, row.frame, time, row.face, *sides, score, row.reason, *values])
    content = {
        "file": row.file,
        "frame": row.frame,
        "time": time,
        "face": row.face,
        "box": box,
        "score": score,
        "reason": row.reason,
        "predictions": {
            task: {label: _short(value) for label, value in values.items()}
            for task, values in (row.prediction or {}).items()
        },
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"


def _short(value: float) -> float | None:
    # A broken model says NaN, for which neither format has a number.
    return round(value, _DIGITS) if math.isfinite(value) else None


def _csv_line(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)  # None becomes an empty cell.
    return text.getvalue()
