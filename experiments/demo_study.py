"""The study that `mtl-dm demo` runs."""

from __future__ import annotations

from experiments.demo import COLUMN, COUPLED, EPOCHS, INTRO, SECONDS, STEPS, TABLE, UNCOUPLED
from experiments.engine.method import Method
from experiments.engine.study import Column, Study
from experiments.problems.drawn_faces import UNSEEN, DrawnFaces

ROWS = {UNCOUPLED: Method(), COUPLED: Method({"relatedness": "facs"})}


def problem(seed: int, fold: int | None) -> DrawnFaces:
    """Return the faces, and how long is trained on them."""
    del fold
    return DrawnFaces(
        {"batch_size": 64, "epochs": EPOCHS, "steps_per_epoch": STEPS, "seed": seed},
    )


def study(seeds: int) -> Study:
    """Return the study.

    Args:
        seeds: Repetitions; 2 and more give intervals.
    """
    repeats = [(seed, None) for seed in range(seeds)]
    return Study(
        TABLE,
        TABLE,
        [Column(COLUMN, "drawn faces (synthetic)", problem, repeats)],
        ROWS,
        {
            "title": "Two tasks, two data sets, one network",
            "intro": INTRO,
            "main_metrics": {
                "expression": ["accuracy", "f1"],
                "action_units": ["afa", "average_precision"],
                UNSEEN: ["average_precision"],
            },
            "headline": {
                "expression": "accuracy",
                "action_units": "afa",
                UNSEEN: "average_precision",
            },
            "change_metrics": {"expression": ["accuracy"], "action_units": ["afa"]},
            "baseline_row": UNCOUPLED,
            "uncoupled_row": UNCOUPLED,
            "per_label": [("action_units", "f1"), ("expression", "recall")],
        },
        seconds=SECONDS,
    )
