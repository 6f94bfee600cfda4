"""First stage of the study: fixed forms and factors, chosen for each regime on inner splits.

What they reach on the test halves says what the rule of the default, which searches nothing, gives
away against a search of `len(CANDIDATES)` trainings for every regime.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from experiments.clothing_data import DATASET, ClothingData
from experiments.coupling import training, verdict
from experiments.coupling.clothing import Clothing
from experiments.coupling.regimes import ALL, CLASS_SHARES
from experiments.coupling.rows import ROWS, Row
from mtl_dm.files import write_atomically
from mtl_dm.reporting import read_cells, to_frame
from mtl_dm.runs.cells import CellPlan, run_cell

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
    f"{form} {matching:g}, posterior {co_annotation:g}": Row(
        matching_form=form, matching=matching, co_annotation=co_annotation
    )
    for form in ("conditional", "js", "batch")
    for matching in FACTORS
    for co_annotation in FACTORS
}


def screen(
    folder: Path, table: ClothingData, regimes: Sequence[str], preset: str, command: str
) -> dict[str, Row]:
    """Return the best candidate of each regime; compute and write down what that needs.

    Each is trained on two thirds of one training half and tested on its other third, twice; no
    test half is touched.

    Args:
        folder: Folder of the study; the stage has a folder of its own in it.
        table: Labels, features and folds.
        regimes: Names of regimes.
        preset: For the record.
        command: For the record.
    """
    if not regimes:
        return {}
    own = folder / FOLDER
    rows = {UNCOUPLED: ROWS[UNCOUPLED], RULE: ROWS[RULE], **CANDIDATES}
    cells = [(regime, row, inner) for inner in INNER_SPLITS for regime in regimes for row in rows]
    for number, (regime, row, inner) in enumerate(cells, start=1):
        problem = Clothing(table, regime, *HALF, inner=inner)
        config = {**problem.config.to_dict(), "row": rows[row].to_dict()}
        run_cell(
            own,
            CellPlan(TABLE, regime, row, inner, None, preset, DATASET, config),
            functools.partial(training.measure, problem, rows[row]),
            command=command,
            progress=f"[screening {number}/{len(cells)}]",
        )
    found, _ = read_cells(own, TABLE)
    frame = to_frame(found)
    # Regimes of earlier calls stay in the table.
    trained = {
        name: set(frame.loc[frame["column"] == name, "row"]) for name in (ALL, *CLASS_SHARES)
    }
    gained = {name: gains(frame, name) for name, there in trained.items() if there >= set(rows)}
    write_atomically(folder / "screening.md", _table(gained))
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
