"""First stage of Table 5: of each row's six settings, the best on inner splits.

Each setting is trained on two thirds of a training half and tested on its other third, in folds 1
and 2 (both halves of the first halving); no test half is touched. What is chosen is written into a
file of its own; one that is committed is taken instead of training again.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.engine.options import Options
from experiments.engine.problem import Problem
from experiments.engine.records import RESULTS
from experiments.engine.running import compute
from experiments.engine.study import Column, Study
from experiments.problems.clothing_data import DATASET, SPLIT_SEED, clothing_data, hold_out
from experiments.problems.clothing_halves import ClothingHalves, halves_of
from experiments.table5_rows import BALANCED, SETTINGS, Setting, method_of
from mtl_dm.files import MALFORMED, read_json, write_atomically
from mtl_dm.reporting import read_cells, to_frame

TABLE = "table5_screening"
FOLDER = "screening"
FILE = "chosen.json"
COMMITTED = RESULTS / "table5" / FILE
COLUMN = "CAD, inner splits"
FOLDS = ((0, 0), (0, 1))
HELD_OUT = 1 / 3
FIELDS: Mapping[str, Any] = {
    "backbone": "dense_trunk",
    "augment": False,
    "image_size": None,
    "batch_size": 50,
    "epochs": 40,
}
METRICS = {
    "category": ("accuracy", "average_accuracy"),
    "attributes": ("f1", "average_precision"),
}
"""Two of each task, since the inner splits are few."""


@dataclasses.dataclass(frozen=True)
class Chosen:
    """What the screening found.

    Attributes:
        scores: By row, the score of each of its settings, in percent.
    """

    scores: Mapping[str, tuple[float, ...]]

    def setting(self, row: str) -> Setting:
        """Return a row's best setting; of equal ones the first."""
        scores = self.scores[row]
        return SETTINGS[row][scores.index(max(scores))]

    @property
    def best(self) -> str:
        """The method whose best setting has the highest score."""
        return max(BALANCED, key=lambda row: max(self.scores[row]))

    def to_json(self) -> str:
        """Return a text that says what was tried, what it scored and what is chosen."""
        rows = {
            row: {
                "chosen": self.setting(row).text,
                "tried": {
                    each.text: round(score, 3)
                    for each, score in zip(SETTINGS[row], scores, strict=True)
                },
            }
            for row, scores in self.scores.items()
        }
        return json.dumps({"best": self.best, "rows": rows}, indent=1) + "\n"


def read(path: Path) -> Chosen:
    """Return what a file of `Chosen.to_json` says.

    Raises:
        ValueError: If it is damaged, or was made of other rows or settings than today's.
    """
    try:
        rows = read_json(path)["rows"]
        tried = {row: dict(each["tried"]) for row, each in rows.items()}
    except MALFORMED as error:
        raise ValueError(f"{path} is damaged ({error!r}); restore or delete it.") from None
    for row in dict.fromkeys((*SETTINGS, *tried)):
        wanted = [each.text for each in SETTINGS.get(row, ())]
        if list(tried.get(row, ())) != wanted:
            raise ValueError(
                f"{path} was made of other settings of {row!r}: {list(tried.get(row, ()))} there, "
                f"{wanted} now. Delete it to screen again."
            )
    return Chosen({row: tuple(map(float, scores.values())) for row, scores in tried.items()})


def problem(source: str, folder: Path, seed: int, fold: int | None) -> Problem:
    """Return two thirds of a training half, with its other third as test images.

    Args:
        source: Folder of the raw data.
        folder: Folder of the study.
        seed: Which halving.
        fold: Which half.
    """
    table = clothing_data(source, folder)
    train = halves_of(table, seed, fold or 0).train
    inner = hold_out(train, HELD_OUT, (SPLIT_SEED, seed, fold or 0, 5))
    return ClothingHalves(table, inner, {**FIELDS, "seed": seed})


def called(row: str, place: int) -> str:
    """Return the name of a row with one of its settings in the results of this stage."""
    return f"{row} [{place + 1}]"


def stage(options: Options) -> Study:
    """Return the stage as a study: a row a setting."""
    rows = {
        called(row, place): method_of(row, setting)
        for row, settings in SETTINGS.items()
        for place, setting in enumerate(settings)
    }
    make = functools.partial(problem, options.data_dir, options.folder)
    return Study(
        TABLE, options.preset, [Column(COLUMN, DATASET, make, FOLDS)], rows, detailed=False
    )


def screen(options: Options) -> Chosen:
    """Return what is chosen, from a file where there is one; else compute it and write it down.

    Args:
        options: Of the study; the stage has a folder of its own in the study's.

    Raises:
        ValueError: If a cell could not be computed, or a file was made of other settings.
    """
    for path in (options.folder / FILE, COMMITTED):
        if path.is_file():
            return read(path)
    own = options.folder / FOLDER
    inside = dataclasses.replace(options, folder=own, only="")
    failed = compute(stage(inside), inside, what="screening ")
    if failed:
        raise ValueError("Screening is not complete: " + "; ".join(failed))
    found = chosen_from(to_frame(read_cells(own, TABLE).cells))
    write_atomically(options.folder / FILE, found.to_json())
    return found


def chosen_from(frame: pd.DataFrame) -> Chosen:
    """Return what the finished cells of the stage choose.

    A setting's score is the mean over both tasks of the mean over a task's metrics.

    Args:
        frame: Long results of the stage, as `mtl_dm.reporting.to_frame` gives them.
    """
    means = frame.groupby(["row", "task", "metric"])["value"].mean()
    return Chosen(
        {
            row: tuple(_score(means[called(row, place)]) for place in range(len(settings)))
            for row, settings in SETTINGS.items()
        }
    )


def _score(means: pd.Series) -> float:
    tasks = [
        sum(float(means[task, metric]) for metric in metrics) / len(metrics)
        for task, metrics in METRICS.items()
    ]
    return 100 * sum(tasks) / len(tasks)
