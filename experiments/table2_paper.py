"""Table 2 as published: seven networks on the databases themselves, which need a licence.

Source: Kollias, Sharmanska, Zafeiriou, AAAI 2024, Table 2 and "Training Implementation Details".
Command: make reproduce-table2 PRESET=paper DATA_DIR=<built data sets> [DRY_RUN=1]; paper-recipes
    trains as the networks' own sources do (experiments/table2_recipes.py).
Printed: 112 x 112 x 3 in [-1, 1], Adam at 1e-3, MixAugment; the metrics of each database.
Ours, for the paper is silent: epochs, batches, as many images of one database as of the other in a
    batch, EmotioNet's split, no pretrained weights, no choice of the best epoch.
Relatedness: DM Table 1's cognitive study, DB its Aff-Wild2 column, counted by the authors on that
    training set.
Cost: DRY_RUN=1 says it for the networks and databases that are there; nothing of it was run here.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.engine.built import Built
from experiments.engine.method import Method
from experiments.engine.options import Options
from experiments.engine.study import Column, Study
from experiments.problems.aff_wild2_clips import FOLDER, AffWild2Clips, streams_in
from experiments.table2_networks import BASELINES, CHAINED, SUMMED
from experiments.table2_recipes import RECIPES
from mtl_dm import data
from mtl_dm.datasets import DATABASE_METRICS
from mtl_dm.streams import STREAMS
from mtl_dm.training.config import TrainConfig

TABLE = "table2"
CLIPS = "Aff-Wild2"
PRESETS = ("paper", "paper-recipes")
ROWS = (
    "ST", "NC MT", "S-T NC MT", "C MT (DM)", "C MT (DB)", "default (DM)", "default (DB)",
    "default, learned relatedness",
)  # fmt: skip
CHAIN = ("action_units", "expression")
"""Of TMIF-FEA's heads in its authors' code: itself a coupling, so it is a row of its own."""
FURTHER = {
    SUMMED: Method({"attribute_reduction": "sum"}),
    CHAINED: Method({"chain": CHAIN}),
}
"""Rows that the paper does not have."""
EMOTIONET = "emotionet/manual:train"
TRAINED, HELD, TESTED = (f"{EMOTIONET}[{part}]" for part in (":60%", "60%:80%", "80%:"))


@dataclasses.dataclass(frozen=True)
class Databases:
    """What a column trains and tests on.

    Attributes:
        training: Names of the training sets; where several are given for one, the first that is
            built is taken.
        test: Names of the test sets.
        thresholds_from: Names of the validation sets.
    """

    training: tuple[tuple[str, ...], ...]
    test: tuple[tuple[str, ...], ...]
    thresholds_from: tuple[str, ...]


def _with_emotionet(train: Sequence[str], test: str) -> Databases:
    return Databases(
        (tuple(f"{name}:train" for name in train), (TRAINED,)),
        (tuple(f"{name}:{test}" for name in train), (TESTED,)),
        (HELD,),
    )


DATABASES = {
    "AffectNet-EmotioNet": _with_emotionet(
        ("affectnet/manual_faces", "affectnet/manual"), "validation"
    ),
    "RAF-DB-EmotioNet": _with_emotionet(("raf_db/basic",), "test"),
    "ABAW4-LSD-EmotioNet": _with_emotionet(("abaw4_lsd",), "validation"),
    "Aff-Wild2": Databases((("aff_wild2:train",),), (("aff_wild2:validation",),), ()),
}
EXPECTED = {
    "affectnet/manual:train": 287_651,
    "affectnet/manual_faces:train": 287_651,
    "raf_db/basic:train": 12_271,
    "abaw4_lsd:train": 277_251,
    TRAINED: 14_760,
}
"""Images of the training sets as published, for estimates before they are built."""

NETWORKS = {
    "AffectNet-EmotioNet / EmoAffNet": "emoaffnet",
    "AffectNet-EmotioNet / EffNet-B2": "effnet_b2",
    "RAF-DB-EmotioNet / PSR": "psr",
    "RAF-DB-EmotioNet / VGGFACE": "vggface",
    "ABAW4-LSD-EmotioNet / MTER-KDTD": "mter_kdtd",
    "ABAW4-LSD-EmotioNet / HSE-NN": "hse_nn",
    "Aff-Wild2 / TMIF-FEA": "tmif_fea",
}
"""The paper's columns, and the backbone of each."""

TRAINING = {
    "image_size": 112,
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "batch_size": 64,
    "mix": "mix_augment",
    "augment": False,
}


@dataclasses.dataclass(frozen=True)
class Size:
    """How large a run is.

    Attributes:
        backbone: Text of a network's specification, with {} for its name.
        clips: The same for the network of clips.
        window: Frames of a clip.
        changes: Fields of the configuration instead of those of `TRAINING`.
        epochs: Of every training without a recipe.
        steps_per_epoch: None: until the larger database was seen once.
    """

    backbone: str = "{}(variant=paper)"
    clips: str = "{}(variant=paper)"
    window: int = 121
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    epochs: int = 20
    steps_per_epoch: int | None = None


PAPER = Size()


def chosen_of(names: Sequence[str], data_dir: str) -> str:
    """Return the first of some data sets that is built; where none is, the last one."""
    built = (name for name in names if data.outline(name, data_dir=data_dir).built)
    return next(built, names[-1])


def problem(group: str, size: Size, data_dir: str, seed: int, fold: int | None) -> Built:
    """Return the databases of a column.

    Args:
        group: Their names in the paper, of `DATABASES`.
        size: How large the run is.
        data_dir: Folder of built data sets.
        seed: Of weights and data order.
        fold: Not used.
    """
    del fold
    databases = DATABASES[group]
    training, test = (
        tuple(chosen_of(names, data_dir) for names in sets)
        for sets in (databases.training, databases.test)
    )
    config = TrainConfig(
        datasets=training,
        data_dir=data_dir,
        shares=(1.0,) * len(training) if len(training) > 1 else None,
        epochs=size.epochs,
        steps_per_epoch=size.steps_per_epoch,
        seed=seed,
        **{**TRAINING, **size.changes},
    )
    if group == CLIPS:
        found: Built = AffWild2Clips(config.replace(mix="none"), test[0], size.window)
    else:
        found = Built(config, test, databases.thresholds_from or None, expected=EXPECTED)
    found.names = {"counted": "aff_wild2"}
    return found


def missing(group: str, data_dir: str) -> list[str]:
    """Return the databases of a column that are not built."""
    sets = DATABASES[group].training
    found = [data.outline(chosen_of(names, data_dir), data_dir=data_dir) for names in sets]
    return [each.name for each in found if not each.built]


def skipped(data_dir: str) -> dict[str, str]:
    """Return, by group of columns, what is missing and how to build it."""
    found = {
        group: [
            f"{name} ({data.how_to_build(name, data_dir)})" for name in missing(group, data_dir)
        ]
        for group in DATABASES
    }
    if not streams_in(data_dir):
        found[CLIPS].append(
            f"streams of the videos ({data_dir}/{FOLDER}/STREAM/VIDEO.npy, arrays [frames, "
            f"numbers], STREAM one of {', '.join(STREAMS)})"
        )
    return {group: "; ".join(lines) for group, lines in found.items() if lines}


def study(chosen: Options, rows: Mapping[str, Method], size: Size = PAPER) -> Study:
    """Return the table on the databases that are built; a dry run has all of them.

    Args:
        chosen: What was typed.
        rows: The rows of Table 2, of which those of `ROWS` are taken.
        size: How large the run is.

    Raises:
        FileNotFoundError: If no database is built, or none of the columns that were asked for.
    """
    absent = skipped(chosen.data_dir)
    left = "would be left out" if chosen.dry_run else "is left out"
    lines = [f"{group} {left}, not built: {what}." for group, what in absent.items()]
    names = [name for name in NETWORKS if chosen.dry_run or _group(name) not in absent]
    asked = [name for name in NETWORKS if chosen.only in (name, _group(name))]
    if not names or (asked and not set(asked) & set(names)):
        wanted = {_group(name) for name in asked} or set(absent)
        raise FileNotFoundError(
            f"PRESET={chosen.preset} has nothing to train on in {chosen.data_dir}. "
            + " ".join(line for line in lines if line.partition(f" {left}")[0] in wanted)
        )
    print("\n".join(lines), end="\n" if lines else "", flush=True)
    return Study(
        TABLE,
        chosen.preset,
        [_column(name, chosen, size) for name in names],
        {**{row: rows[row] for row in ROWS}, **FURTHER},
        {
            "title": "Table 2: expressions and action units, the paper's databases and networks",
            "intro": (
                "ST: one network a task. NC MT: one network for both, no coupling. S-T NC MT: the "
                "single-task networks label what the other's data lack. C MT: coupling by the "
                "printed losses, with Table 1's relatedness from domain knowledge (DM) or from "
                "Aff-Wild2 (DB). Then this library's default coupling. Last, NC MT with the "
                "attribute loss summed: the paper explains negative transfer by EmotioNet's size, "
                "which its own counts contradict; the scale of that loss would be another cause."
            ),
            "main_metrics": _metrics("AffectNet-EmotioNet"),
            "column_metrics": {name: _metrics(_group(name)) for name in names},
            "change_metrics": None,
            "across": "networks",
            "baselines": BASELINES,
            "published_table": TABLE,
            "published_columns": {name: (name,) for name in names},
            "notes": [*lines, *_notes(names, chosen.preset)],
        },
    )


def _group(name: str) -> str:
    return name.partition(" /")[0]


def _metrics(group: str) -> dict[str, list[str]]:
    """Return by task the metric of the database that is annotated for it."""
    found: dict[str, list[str]] = {}
    for names in DATABASES[group].training:
        judged = DATABASE_METRICS[names[0].partition("/")[0].partition(":")[0]]
        found |= {task: [metric] for task, metric in judged.items()}
    return found


def _column(name: str, chosen: Options, size: Size) -> Column:
    network = NETWORKS[name]
    text = size.clips if _group(name) == CLIPS else size.backbone
    changes: dict[str, Any] = {"backbone": text.format(network)}
    recipe = RECIPES[network]
    if chosen.preset == "paper-recipes" and recipe.stages:
        changes |= {**recipe.changes, "stages": recipe.stages}
    return Column(
        name,
        f"{_group(name)} (real)",
        functools.partial(problem, _group(name), size, chosen.data_dir),
        [(seed, None) for seed in range(chosen.seeds)],
        (*ROWS, *(row for row in FURTHER if row != CHAINED or _group(name) == CLIPS)),
        changes=changes,
    )


def _notes(names: Sequence[str], preset: str) -> list[str]:
    found = [
        "Test images: the official validation sets of AffectNet, ABAW4 LSD and Aff-Wild2, the test "
        "set of RAF-DB, a fixed fifth of EmotioNet's manual images (which have no published "
        "split). The challenges' own test labels are not public, so the ST cells that the paper "
        "takes from them cannot be repeated.",
        "Thresholds are 0.5. Metrics in `_tuned`, in `results.csv` alone, are at those chosen on "
        "another fifth of EmotioNet that nothing trains on; Aff-Wild2 has none. The last weights "
        "count. Networks start from random weights.",
        f"TMIF-FEA sees the streams that are in {FOLDER}; clips are not mixed. S-T NC MT labels "
        "the frames that lack one of the two labels.",
    ]
    if preset == "paper-recipes":
        for name in names:
            recipe = RECIPES[NETWORKS[name]]
            found.append(f"{name}: the source says {recipe.said}. Ours: {recipe.ours}.")
    return found
