"""How large images and how many steps Table 2's demo takes: ST and NC MT on validation images.

Source: this project.
Command: python -m experiments.table2_size [--seeds=n] [--only=CANDIDATE], on a quiet machine
Data: as Table 2; what is measured here are the validation images, never the test images.
Rules of evidence: run once, before any coupled row; what it finds becomes `PRESETS["demo"]` of
    experiments/table2.py. Its record is in experiments/results/table2_size.
Expected (measured; 21 of 24 cells, at 64 px a few of seed 1 are missing): more steps and
    larger images help both rows. Mean of the four levels (accuracy, AFA of ST and NC MT), seed 0:
    48 px 49, 58, 66 with 500, 750, 1,000 steps; 64 px 54, 65, 73. The last takes Table 2 well
    beyond 20 minutes; of the others 48 px and 1,000 steps has the highest.
Cost: six candidates of two rows and two seeds, one to two minutes a cell.
"""

from __future__ import annotations

import functools
from pathlib import Path

from experiments.engine import records
from experiments.engine.options import Options, main_guard, options
from experiments.engine.running import run_study
from experiments.engine.study import Column, Study
from experiments.table2 import DATASET, ROWS, SEEDS, Preset, problem
from mtl_dm.reporting import read_cells

TABLE = "table2_size"
EPOCHS = 5
CANDIDATES = {
    f"{side} px, {steps} steps": Preset(
        "_64px", None if side == 64 else side, EPOCHS, steps // EPOCHS
    )
    for side in (48, 64)
    for steps in (500, 750, 1000)
}
METRICS = {
    "expression": ["accuracy", "average_accuracy"],
    "action_units": ["afa", "average_precision"],
}
CELLS = len(ROWS) * SEEDS


def study(chosen: Options) -> Study:
    """Return the candidates as columns."""
    return Study(
        TABLE,
        chosen.preset,
        [
            Column(
                name,
                DATASET,
                functools.partial(problem, size, chosen.data_dir, "validation"),
                [(seed, None) for seed in range(chosen.seeds)],
            )
            for name, size in CANDIDATES.items()
        ],
        {row: ROWS[row] for row in ("ST", "NC MT")},
        {
            "title": "Table 2: image size and steps of the demo",
            "intro": "Levels on validation images, and seconds, before any coupled row is run.",
            "main_metrics": METRICS,
        },
        detailed=False,
        recorded=True,
    )


def minutes(folder: Path) -> dict[str, float]:
    """Return, by candidate, the minutes that all cells of Table 2 would take two at a time."""
    cells, _ = read_cells(folder, TABLE)
    found = {}
    for name in dict.fromkeys(cell.column for cell in cells):
        seconds = [cell.seconds for cell in cells if cell.column == name]
        found[name] = CELLS * sum(seconds) / len(seconds) / 2 / 60
    return found


def main() -> None:
    """Measure the candidates, write their report and their record."""
    chosen = options(__doc__, TABLE, ("demo",), seeds=2)
    run_study(study(chosen), chosen)
    for name, taken in minutes(chosen.folder).items():
        print(f"{name}: Table 2 would take about {taken:.0f} minutes")
    for path in records.export(chosen.folder, records.RESULTS):
        print(f"The record is {path}")


if __name__ == "__main__":
    main_guard(main)
