"""My table: does the coupling help a network that is small?

Command: python my_table.py [--preset=full] [--seeds=n] [--only=row] [--workers=n] [--dry_run]
Data: drawn faces, built on first use.
Cost: 4 cells of a small network; --dry_run says how much of the preset.
"""

import functools

from experiments.engine.built import Built
from experiments.engine.method import Method
from experiments.engine.options import Options, main_guard, options
from experiments.engine.running import run_study
from experiments.engine.study import Column, Study
from mtl_dm.training.config import TrainConfig

TABLE = "my_table"
PRESETS = {"quick": (1, 20), "full": (10, 200)}
"""Epochs, and steps of each."""
TRAIN = ("synthetic_faces/expression_only_64px", "synthetic_faces/action_units_only_64px")
TEST = "synthetic_faces/fully_annotated_64px"
ROWS = {
    "no coupling": Method(),
    "coupled": Method({"relatedness": "facs"}),
}


def problem(preset: str, data_dir: str, backbone: str, seed: int, fold: int | None) -> Built:
    """Return what all rows of a column train and test on; a row changes the configuration."""
    del fold
    epochs, steps = PRESETS[preset]
    config = TrainConfig(
        TRAIN,
        data_dir=data_dir,
        backbone=backbone,
        epochs=epochs,
        steps_per_epoch=steps,
        batch_size=32,
        seed=seed,
    )
    return Built(config, f"{TEST}:test", f"{TEST}:validation")


def study(chosen: Options) -> Study:
    """Return the table: a column a network, a row a method."""
    repeats = [(seed, None) for seed in range(chosen.seeds)]
    columns = [
        Column(
            f"drawn faces / dropout {dropout}",
            "synthetic_faces (synthetic)",
            functools.partial(
                problem, chosen.preset, chosen.data_dir, f"compact_cnn(dropout={dropout})"
            ),
            repeats,
        )
        for dropout in (0.0, 0.4)
    ]
    report = {
        "title": "My table",
        "intro": "Does the coupling help where little is dropped?",
        "main_metrics": {"expression": ["accuracy"], "action_units": ["afa"]},
        "baseline_row": "no coupling",
    }
    return Study(TABLE, chosen.preset, columns, ROWS, report)


def main() -> None:
    """Train what is missing of the table and write its report."""
    chosen = options(__doc__, TABLE, PRESETS, default_preset="quick", seeds=1)
    run_study(study(chosen), chosen)


if __name__ == "__main__":
    main_guard(main)
