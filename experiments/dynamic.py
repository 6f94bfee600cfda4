"""Dynamic weights of tasks: face verification and expression recognition of the same faces.

Source: Ming, Xia, Luqman, Burie, Zhao, "Dynamic Multi-Task Learning for Face Recognition with
    Facial Expression", 2019, Tables 1 to 4 and Figures 2 and 4 to 7.
Command: make reproduce-dynamic [DATA_DIR=<folder of faces/lfw_expressions and cmu_faces>] [SEEDS=n]
    [ONLY=row or column] [WORKERS=n]. PRESET=paper is experiments/dynamic_paper.py.
Data: drawn people (240 to pretrain on, 90 to train on, 60 to compare); Labeled Faces in the Wild,
    trained on everybody outside the pair folds that are tested, 6 to 10 and then 1 to 5; CMU's 20
    people in two halves. All 48 px, grey. Nobody who is compared has trained.
Rules of evidence: steps follow from CPU-seconds. Two learning rates were tried (1e-3, which learned
    too slowly for these steps, then 3e-3), by training loss and the drawn validation people, with
    the pretrained row and equal weights; nothing was chosen on a test fold, and no method was
    tuned. All rows but the pretrained one start from it and take the same number of steps; the last
    weights count. The threshold of a pair fold is chosen on the others.
Expected: docs/results/dynamic.md has all rows. Naive dynamic lets identity go: verification -10.7 ±
    5.6 points against equal weights on drawn people, -7.6 ± 2.1 on LFW. Dynamic repairs it and is
    not decidedly better or worse than equal weights.
Cost: 111 cells, 56 minutes on two cores, with some tests beside them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from experiments import dynamic_paper as paper
from experiments.dynamic_page import write_page
from experiments.dynamic_rows import (
    BASELINES,
    EQUAL,
    FURTHER,
    ON_PHOTOS,
    ROWS,
    SWEPT_ONCE,
    TUNED,
    WHOLE,
    published_rows,
)
from experiments.dynamic_words import INTRO, NOTES
from experiments.engine.options import Options, main_guard, options
from experiments.engine.running import run_study
from experiments.engine.study import Column, Study
from experiments.problems import faces_compared
from experiments.problems.face_verification import EXPRESSION, VERIFICATION, Faces, FaceVerification

TABLE = "dynamic"
BUILT = "build/datasets"
SEEDS = 3
SECONDS = 60
"""What a cell takes with another beside it on two cores, the mean over columns and rows."""
BACKBONE = "inception_resnet_small(variant=demo)"
DRAWN = "synthetic people / small Inception-ResNet"
DRAWN_ONCE = f"{DRAWN}, other static weights"
LFW = "LFW / small Inception-ResNet"
CMU = "CMU / small Inception-ResNet"
FIELDS = {
    "backbone": BACKBONE,
    "batch_size": 90,
    "learning_rate": 3e-3,
    "terms": ("centre_loss(task=identity)",),
}
PRETRAINED, TRAINED = 400, 600
"""Steps on drawn people."""
LFW_PRETRAINED, LFW_TRAINED = 800, 600
CMU_TRAINED = 200
"""There are about 310 images."""
STEPS = 20
"""Of an epoch, which is what curves are drawn by."""

METRICS = {
    VERIFICATION: ["accuracy", "auc", "eer", "tar_at_far_0.1"],
    EXPRESSION: ["accuracy", "average_accuracy"],
}
ON_LFW = {**METRICS, EXPRESSION: ["accuracy"]}
"""A mean over classes, some of which have two or three test images, decides nothing."""
HEADLINE = {VERIFICATION: "accuracy", EXPRESSION: "accuracy"}
PUBLISHED = {
    DRAWN: ("CK+", "Oulu-CASIA"),
    DRAWN_ONCE: ("CK+", "Oulu-CASIA"),
    LFW: ("LFW", "YTF"),
    CMU: ("CK+", "Oulu-CASIA"),
}


def problem(
    make: Callable[[int], Faces], steps: tuple[int, int], seed: int, fold: int | None
) -> FaceVerification:
    """Return the faces of a column.

    Args:
        make: Returns them by fold.
        steps: Of the pretraining and of a training.
        seed: Of weights and data order.
        fold: Which people are compared; None: there is one choice.
    """
    before, after = ({"epochs": each // STEPS, "steps_per_epoch": STEPS} for each in steps)
    return FaceVerification(make(fold or 0), {**FIELDS, **after, "seed": seed}, before)


def drawn_people(data_dir: str, fold: int) -> Faces:
    """Return drawn people, the same for every fold."""
    del fold
    return faces_compared.synthetic(data_dir)


def columns(chosen: Options) -> list[Column]:
    """Return drawn people, and real ones where they are at hand."""
    people = functools.partial(drawn_people, BUILT)
    drawn = functools.partial(problem, people, (PRETRAINED, TRAINED))
    seeds = range(chosen.seeds)
    kind = "synthetic_identities (synthetic)"
    found = [
        Column(DRAWN, kind, drawn, [(seed, None) for seed in seeds], WHOLE),
        Column(DRAWN_ONCE, kind, drawn, [(0, None)], FURTHER),
    ]
    if not chosen.data_dir:
        return found
    lfw = functools.partial(faces_compared.lfw, chosen.data_dir, BUILT)
    cmu = functools.partial(faces_compared.cmu, chosen.data_dir, BUILT)
    halves = [(seed, fold) for seed in seeds for fold in (0, 1)]
    return [
        *found,
        Column(
            LFW,
            "LFW (real)",
            functools.partial(problem, lfw, (LFW_PRETRAINED, LFW_TRAINED)),
            halves,
            ON_PHOTOS,
        ),
        Column(
            CMU,
            "CMU (real)",
            functools.partial(problem, cmu, (PRETRAINED, CMU_TRAINED)),
            halves[:2],
            ON_PHOTOS,
        ),
    ]


def left_out(chosen: Options) -> list[str]:
    """Return a line for what the run has no column of, and why."""
    if chosen.data_dir:
        return []
    return [
        "Real faces are left out: give DATA_DIR, the folder that holds faces/lfw_expressions and "
        "cmu_faces."
    ]


def study(chosen: Options) -> Study:
    """Return the study.

    Raises:
        FileNotFoundError: If data are not there.
    """
    if chosen.preset == paper.PRESET:
        made, lines, seconds = paper.columns(chosen), list(paper.NOTES), 0.0
        of_paper: Mapping[str, Any] = paper.PUBLISHED
        ratio = 1.0 / (paper.FOLDS - 1)
    else:
        made, lines, seconds = columns(chosen), left_out(chosen), float(SECONDS)
        of_paper = PUBLISHED
        ratio = 1.0  # Halves of LFW's pair folds and of CMU's people.
    there = {row for column in made for row in column.rows or ROWS}
    rows = {row: method for row, method in ROWS.items() if row in there}
    report: dict[str, Any] = {
        "title": "Dynamic weights: face verification and expressions",
        "intro": INTRO,
        "main_metrics": METRICS,
        "column_metrics": {column.name: ON_LFW for column in made if column.name == LFW},
        "test_train_ratio": ratio,
        "change_metrics": {task: [metric] for task, metric in HEADLINE.items()},
        "headline": HEADLINE,
        "baseline_row": TUNED,
        "uncoupled_row": EQUAL,
        "baselines": BASELINES,
        "published_table": TABLE,
        "published_columns": {column.name: of_paper[column.name] for column in made},
        "published_rows": published_rows(tuple(rows)),
        "levels": [column.name for column in made if column.name in (DRAWN_ONCE, CMU)],
        "per_label": [(EXPRESSION, "recall")],
        "notes": [*lines, *NOTES],
    }
    return Study(
        TABLE,
        chosen.preset,
        made,
        rows,
        report,
        pages=functools.partial(
            write_page, TABLE, [column.name for column in made], SWEPT_ONCE, test_train_ratio=ratio
        ),
        seconds=seconds,
    )


def main() -> None:
    """Run what is missing of the study and write its report."""
    chosen = options(__doc__, TABLE, ("demo", paper.PRESET), data_dir="", seeds=SEEDS)
    run_study(study(chosen), chosen)


if __name__ == "__main__":
    main_guard(main)
