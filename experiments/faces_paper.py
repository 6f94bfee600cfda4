"""FaceBehaviorNet at full size on built databases: the preset paper of experiments/faces.py.

Data: AffectNet for expressions, EmotioNet's manual images for action units (three fifths; a fifth
    tests), Aff-Wild2 for valence and arousal, each read for that task alone. RAF-DB is tested only:
    its basic part, and its compounds, of whose training images few examples are drawn.
Rules of evidence: nothing was run. Rate, epochs and batch are ours: the source's were not at hand.
Cost: DRY_RUN=1 estimates it, also where nothing is built.
"""

from __future__ import annotations

import functools

from experiments.engine.options import Options
from experiments.engine.study import Column
from experiments.problems.behaviour import FEW_SHOT, UAR, ZERO_SHOT, Behaviour, Reading
from experiments.table2_paper import EXPECTED, TESTED, TRAINED, chosen_of
from mtl_dm import data
from mtl_dm.training.config import TrainConfig

PRESET = "paper"
COLUMN = "AffectNet, EmotioNet, Aff-Wild2 / FaceBehaviorNet"
TASKS = ("expression", "action_units", "valence_arousal")
AFFECTNET = ("affectnet/manual_faces", "affectnet/manual")
"""The first that is built is taken."""
AFF_WILD2, RAF_DB, RAF_COMPOUND = "aff_wild2", "raf_db/basic", "raf_db/compound"
BACKBONE = "faces_behaviour(variant=paper)"
SIDE, BATCH = 96, 192
STEPS = 287_651 // (BATCH // 3)
"""Of an epoch: AffectNet is seen once."""

METRICS = {
    "expression": ["accuracy"],
    "expression_raf_db": ["average_accuracy"],
    "expression_aff_wild2": ["f1"],
    "action_units": ["afa"],
    "action_units_aff_wild2": ["f1"],
    "valence_arousal": ["ccc"],
    "valence_arousal_affectnet": ["ccc"],
    ZERO_SHOT: [UAR],
    FEW_SHOT: [UAR],
}
HEADLINE = {"expression": "accuracy", "action_units": "afa", "valence_arousal": "ccc"}
PUBLISHED = (
    "AffectNet / FaceBehaviorNet",
    "RAF-DB / FaceBehaviorNet",
    "RAF-DB compounds / FaceBehaviorNet",
)
NOTES = [
    "`expression` is tested on AffectNet's validation images, `action_units` on a fifth of "
    "EmotioNet's manual ones, `valence_arousal` on Aff-Wild2's validation videos; `_raf_db`, "
    "`_aff_wild2` and `_affectnet` are other databases' labels of a task, none of which trained. "
    "Compounds are those of RAF-DB, which trains nothing.",
    "FaceBehaviorNet itself learned from ten databases; networks start from random weights here.",
]


def problem(data_dir: str, seed: int, fold: int | None) -> Behaviour:
    """Return the built databases.

    Args:
        data_dir: Folder of built data sets.
        seed: Of weights and data order.
        fold: Not used.
    """
    del fold
    affectnet = _affectnet(data_dir)
    trained = dict(zip((f"{affectnet}:train", TRAINED, f"{AFF_WILD2}:train"), TASKS, strict=True))
    test = dict(
        zip((f"{affectnet}:validation", TESTED, f"{AFF_WILD2}:validation"), TASKS, strict=True)
    )
    config = TrainConfig(
        datasets=tuple(trained),
        tasks=TASKS,
        task_losses={"valence_arousal": "ccc"},
        data_dir=data_dir,
        image_size=SIDE,
        shares=(1.0, 1.0, 1.0),
        batch_size=BATCH,
        epochs=20,
        steps_per_epoch=STEPS,
        learning_rate=1e-4,
        backbone=BACKBONE,
        seed=seed,
    )
    return Behaviour(
        config,
        Reading(
            tuple(test),
            {name: (task,) for name, task in (trained | test).items()},
            {
                "raf_db": (f"{RAF_DB}:test", TASKS[:1]),
                "aff_wild2": (f"{AFF_WILD2}:validation", TASKS[:2]),
                "affectnet": (f"{affectnet}:validation", TASKS[2:]),
            },
            f"{RAF_COMPOUND}:train",
            f"{RAF_COMPOUND}:test",
            expected=EXPECTED,
        ),
    )


def _affectnet(data_dir: str) -> str:
    found = chosen_of([f"{name}:train" for name in AFFECTNET], data_dir)
    return found.partition(":")[0]


def missing(data_dir: str) -> list[str]:
    """Return the databases that are not built, each with the command that builds it."""
    names = (
        _affectnet(data_dir), TRAINED.partition(":")[0], AFF_WILD2, RAF_DB, RAF_COMPOUND,
    )  # fmt: skip
    found = [data.outline(f"{name}:train", data_dir=data_dir) for name in names]
    return [
        f"{each.name} ({data.how_to_build(each.name, data_dir)})"
        for each in found
        if not each.built
    ]


def columns(chosen: Options) -> list[Column]:
    """Return FaceBehaviorNet on all databases.

    Raises:
        FileNotFoundError: If one is not built and it is no dry run.
    """
    absent = missing(chosen.data_dir)
    if absent and not chosen.dry_run:
        raise FileNotFoundError(
            f"PRESET={PRESET} needs databases that are not built in {chosen.data_dir}: "
            f"{'; '.join(absent)}."
        )
    return [
        Column(
            COLUMN,
            "AffectNet, EmotioNet, Aff-Wild2 (real)",
            functools.partial(problem, chosen.data_dir),
            [(seed, None) for seed in range(chosen.seeds)],
        )
    ]
