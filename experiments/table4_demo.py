"""Table 4 in demo size: real clothing and drawn people, the four networks' demo variants."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.engine.built import Built
from experiments.engine.method import Method
from experiments.engine.options import Options
from experiments.engine.problem import Problem
from experiments.engine.study import Column, Repeat, Study
from experiments.problems.clothing_data import BUILT, DATASET, clothing_data
from experiments.problems.clothing_halves import ClothingHalves, halves_of
from mtl_dm.training.config import TrainConfig

TABLE = "table4"
CLOTHES = "CAD"
PEOPLE = "synthetic people"
BATCH = 50
SECONDS = 125
"""What a cell takes with another beside it on two cores, to say it before a study begins."""

PRINTED = {"matching_form": "paper", "co_annotation_form": "paper"}
ROWS = {
    "ST": Method(single_task=True),
    "NC MT": Method(),
    "C MT (printed)": Method({"relatedness": "counted", **PRINTED}),
    "default": Method({"relatedness": "counted"}),
}


@dataclasses.dataclass(frozen=True)
class Network:
    """One network.

    Attributes:
        backbone: Name of what trains.
        side: Of its images, in pixels.
        epochs: Of a training: as many as its time allows.
    """

    backbone: str
    side: int
    epochs: int

    @property
    def changes(self) -> dict[str, Any]:
        """What a column of it changes in the configuration."""
        return {
            "backbone": f"{self.backbone}(variant=demo)",
            "image_size": self.side,
            "epochs": self.epochs,
        }


NETWORKS = {
    "VGG-16": Network("vgg16", 64, 25),
    "ResNet-50": Network("resnet50", 64, 25),
    "DenseNet-121": Network("densenet121", 64, 35),
    "NTS-Net": Network("nts_net", 96, 10),
}


def clothes(source: str, folder: Path, seed: int, fold: int | None) -> Problem:
    """Return one fold of one halving of the clothes.

    Args:
        source: Folder of the raw data.
        folder: Folder of the study.
        seed: Which halving; also the seed of weights and data order.
        fold: Which half is trained on.

    Raises:
        FileNotFoundError: If the data are not there.
    """
    table = clothing_data(source, folder)
    fields = {"batch_size": BATCH, "image_size": 64, "seed": seed}
    return ClothingHalves(table, halves_of(table, seed, fold or 0), fields)


def people(data_dir: str, seed: int, fold: int | None) -> Problem:
    """Return the drawn people.

    Args:
        data_dir: Folder of built data sets; the people are built in it where they are not there.
        seed: Of weights and data order.
        fold: Not used.
    """
    del fold
    config = TrainConfig(
        datasets=("synthetic_people:train",),
        tasks=("identity", "attributes"),
        data_dir=data_dir,
        batch_size=BATCH,
        seed=seed,
    )
    found = Built(config, "synthetic_people:test")
    found.names = {"counted": "inferred:synthetic_people:train"}
    return found


def columns(chosen: Options) -> list[Column]:
    """Return every network on clothes, where they are at hand, and on people."""
    groups: list[tuple[str, str, Any, list[Repeat]]] = [
        (
            CLOTHES,
            DATASET,
            functools.partial(clothes, chosen.data_dir, chosen.folder),
            [(0, 0), (0, 1)],
        ),
        (
            PEOPLE,
            "synthetic_people (synthetic)",
            functools.partial(people, BUILT),
            [(0, None), (1, None)],
        ),
    ]
    return [
        Column(f"{group} / {name}", dataset, problem, repeats, changes=network.changes)
        for group, dataset, problem, repeats in groups
        if group == PEOPLE or chosen.data_dir
        for name, network in NETWORKS.items()
    ]


def left_out(chosen: Options) -> list[str]:
    """Return a line for what the run has no column of, and why."""
    if chosen.data_dir:
        return []
    return [
        f"{CLOTHES} is left out: give DATA_DIR, the folder that holds ClothingAttributeDataset "
        "(Chen, Gallagher and Girod, ECCV 2012; from its authors)."
    ]


def metrics(classes: str) -> Mapping[str, list[str]]:
    """Return the metrics of the paper, and the one that no threshold decides."""
    return {classes: ["accuracy", "f1"], "attributes": ["accuracy", "f1", "average_precision"]}


def study(chosen: Options) -> Study:
    """Return the table."""
    lines = left_out(chosen)
    print("\n".join(lines), end="\n" if lines else "", flush=True)
    found = columns(chosen)
    names = [column.name for column in found]
    drawn = [name for name in names if name.startswith(PEOPLE)]
    of_paper = {PEOPLE: "CelebA", CLOTHES: CLOTHES}
    epochs = ", ".join(f"{name} {network.epochs}" for name, network in NETWORKS.items())
    return Study(
        TABLE,
        chosen.preset,
        found,
        ROWS,
        {
            "title": "Table 4: classes and attributes, the networks in demo size",
            "intro": (
                "ST: two single-task networks. NC MT: one network, no coupling. C MT: coupling "
                "with weight 1 by the printed losses. default: this library's own coupling. "
                "Relatedness is counted on the training images."
            ),
            "main_metrics": metrics("category"),
            "column_metrics": dict.fromkeys(drawn, metrics("identity")),
            "change_metrics": {
                "category": ["accuracy"],
                "identity": ["accuracy"],
                "attributes": ["f1"],
            },
            "levels": names,
            "published_table": TABLE,
            "published_columns": {
                name: (f"{of_paper[group]} / {network}",)
                for name in names
                for group, _, network in [name.partition(" / ")]
                if network != "NTS-Net"
            },
            "published_rows": {"C MT (printed)": "C MT"},
            "published_tasks": {"category": "classes", "identity": "classes"},
            "notes": [
                *lines,
                "The networks are demo variants (few channels, small images, nothing pretrained), "
                "the people are drawn: no level compares with the paper's.",
                f"Epochs, the same for every row of a column: {epochs}. Time alone chose them. "
                "Levels of two folds or two seeds decide nothing: see the preset cad, and Table 5.",
                "Every image of the people has both labels, and where no label is missing the "
                "default coupling is off by its own rule: there it is NC MT. The clothes lack 41% "
                "of their categories.",
                "Three of the ten attributes of the people change with the image (smiling, "
                "mouth_open, raised_brows), the others belong to the person: P(attribute | "
                "identity) is 0 or 1 there.",
            ],
            "per_label": [("attributes", "f1")],
        },
        seconds=SECONDS,
    )
