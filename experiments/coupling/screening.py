"""First stage of the study: fixed forms and factors, chosen for each regime on inner splits.

What they reach on the test halves says what the rule of the default, which searches nothing, gives
away against a search of `len(CANDIDATES)` trainings for every regime.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from experiments.coupling import verdict
from experiments.coupling.rows import ROWS
from experiments.engine.method import Method
from experiments.engine.options import Options
from experiments.engine.problem import Problem
from experiments.engine.running import compute
from experiments.engine.study import Column, Study
from experiments.problems.clothing_data import DATASET, clothing_data
from experiments.problems.clothing_regimes import ClothingRegime
from experiments.problems.regimes import ALL, CLASS_SHARES
from mtl_dm.files import write_atomically
from mtl_dm.reporting import read_cells, to_frame

TABLE = "coupling_screening"
FOLDER = "screening"
UNCOUPLED = "NC MT (sum)"
RULE = "default"
HALF = (0, 0)
INNER_SPLITS = (0, 1)
FACTORS = (0.3, 1.0)
METRICS = {
    "category": ("accuracy", "average_accuracy"),
    "attributes": ("f1", "average_precision"),
}

CANDIDATES = {
    f"{form} {matching:g}, posterior {co_annotation:g}": ROWS[RULE].but(
        matching_form=form, matching=matching, co_annotation=co_annotation
    )
    for form in ("conditional", "js", "batch")
    for matching in FACTORS
    for co_annotation in FACTORS
}


def problem(source: str, folder: Path, regime: str, inner: int, fold: int | None) -> Problem:
    """Return two thirds of the training half, with its other third as test images.

    Args:
        source: Folder of the raw data.
        folder: Folder of the study.
        regime: Name of the regime.
        inner: Which split of the half.
        fold: Not used.
    """
    del fold
    return ClothingRegime(clothing_data(source, folder), regime, *HALF, inner=inner)


def stage(regimes: Sequence[str], options: Options) -> Study:
    """Return the stage as a study: a column a regime."""
    return Study(
        TABLE,
        options.preset,
        [
            Column(
                regime,
                DATASET,
                functools.partial(problem, options.data_dir, options.folder, regime),
                [(inner, None) for inner in INNER_SPLITS],
            )
            for regime in regimes
        ],
        {UNCOUPLED: ROWS[UNCOUPLED], RULE: ROWS[RULE], **CANDIDATES},
        detailed=False,
        recorded=True,
    )


def screen(regimes: Sequence[str], options: Options) -> dict[str, Method]:
    """Return the best candidate of each regime; compute and write down what that needs.

    Each is trained on two thirds of one training half and tested on its other third, twice; no
    test half is touched.

    Args:
        regimes: Names of regimes.
        options: Of the study; the stage has a folder of its own in the study's.

    Raises:
        ValueError: If a cell could not be computed.
    """
    if not regimes:
        return {}
    own = options.folder / FOLDER
    study = stage(regimes, options)
    failed = compute(study, dataclasses.replace(options, folder=own, only=""), what="screening ")
    if failed:
        raise ValueError("Screening is not complete: " + "; ".join(failed))
    found, _ = read_cells(own, TABLE)
    frame = to_frame(found)
    # Regimes of earlier calls stay in the table.
    trained = {
        name: set(frame.loc[frame["column"] == name, "row"]) for name in (ALL, *CLASS_SHARES)
    }
    gained = {
        name: gains(frame, name) for name, there in trained.items() if there >= set(study.rows)
    }
    write_atomically(options.folder / "screening.md", _table(gained))
    return {regime: CANDIDATES[best(gained[regime])] for regime in regimes}


def gains(frame: pd.DataFrame, regime: str) -> dict[str, float]:
    """Return, by row, the mean over tasks of the mean gain over a task's metrics, in points.

    Args:
        frame: Long results of the stage, as `mtl_dm.reporting.to_frame` gives them.
        regime: A regime of theirs.
    """
    found = {}
    for row in (RULE, *CANDIDATES):
        changes = verdict.differences(frame, regime, row, UNCOUPLED)
        tasks = [
            sum(changes[(task, metric)].mean for metric in metrics) / len(metrics)
            for task, metrics in METRICS.items()
        ]
        found[row] = 100 * sum(tasks) / len(tasks)
    return found


def best(gained: Mapping[str, float]) -> str:
    """Return the candidate with the highest gain; the rule is none."""
    return max(CANDIDATES, key=lambda row: gained[row])


def _table(gained: Mapping[str, Mapping[str, float]]) -> str:
    lines = [
        f"Gain over {UNCOUPLED} in points, mean over both tasks of (accuracy, average accuracy) "
        f"and (F1, average precision); {len(INNER_SPLITS)} inner splits of training half "
        f"{HALF[1]} of repeat {HALF[0]}. Bold: chosen of the {len(CANDIDATES)} candidates.\n",
        "| forms and factors | " + " | ".join(gained) + " |",
        "|---|" + "---:|" * len(gained),
    ]
    for row in (RULE, *CANDIDATES):
        shown = [
            f"**{scores[row]:+.1f}**" if row == best(scores) else f"{scores[row]:+.1f}"
            for scores in gained.values()
        ]
        lines.append(f"| {row} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"
