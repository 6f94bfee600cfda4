"""Table 4 as published: four databases, which their owners hand out, and three networks.

Source: Kollias, Sharmanska, Zafeiriou, AAAI 2024, Table 4.
Command: make reproduce-table4 PRESET=paper DATA_DIR=<built data sets> [DRY_RUN=1]
Protocol: experiments/table4_databases.py. NTS-Net is in Table 5 (experiments/table5_paper.py).
Cost: DRY_RUN=1 says it for all databases; nothing of it was run here.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.engine.options import Options
from experiments.engine.study import Column, Study
from experiments.problems.clothing_data import BUILT
from experiments.table4_databases import DATABASES, problem, skipped
from experiments.table4_demo import ROWS

TABLE = "table4"
NETWORKS = {"VGG-16": "vgg16", "ResNet-50": "resnet50", "DenseNet-121": "densenet121"}
BACKBONE = "{}(variant=paper)"
NOTES = (
    "Accuracy and F1 (macro) at thresholds of 0.5; the last weights count. Networks start from "
    "random weights: the paper does not say from which.",
    "Epochs, SADD's rule for binary attributes, and the splits of CelebA, SADD and CAD are ours: "
    "the paper's are not published.",
    "Where no label is missing (CelebA) the default coupling is off by its own rule: there it is "
    "NC MT.",
)


def columns(
    chosen: Options,
    names: Sequence[str],
    networks: Mapping[str, str],
    rows: Sequence[str] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> list[Column]:
    """Return a column for each of some networks on each of some databases.

    Args:
        chosen: What was typed.
        names: Of `DATABASES`.
        networks: By the paper's name, the specification of a backbone.
        rows: Of each column; None: all of the study.
        changes: Fields of the configuration instead of the paper's.
    """
    data_dir = chosen.data_dir or BUILT
    return [
        Column(
            f"{name} / {network}",
            f"{DATABASES[name].dataset} (real)",
            functools.partial(problem, name, dict(changes or {}), data_dir, chosen.folder),
            DATABASES[name].repeats,
            rows,
            changes={"backbone": backbone},
        )
        for network, backbone in networks.items()
        for name in names
    ]


def at_hand(chosen: Options, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the databases to have columns of, and a line for each that is not built.

    A dry run has columns of all.

    Args:
        chosen: What was typed.
        names: Of `DATABASES`.

    Raises:
        FileNotFoundError: If none is built, or not the one that was asked for.
    """
    absent = skipped(chosen.data_dir or BUILT, names)
    left = "would be left out" if chosen.dry_run else "is left out"
    lines = [f"{name} {left}, not built: {command}." for name, command in absent.items()]
    found = [name for name in names if chosen.dry_run or name not in absent]
    asked = [name for name in names if chosen.only.partition(" / ")[0] == name]
    if not found or not set(asked) <= set(found):
        said = [line for line in lines if not asked or line.partition(" ")[0] in asked]
        raise FileNotFoundError(
            f"PRESET={chosen.preset} has nothing to train on in {chosen.data_dir or BUILT}. "
            + " ".join(said)
        )
    print("\n".join(lines), end="\n" if lines else "", flush=True)
    return found, lines


def metrics(name: str) -> dict[str, list[str]]:
    """Return the metrics of a database as printed."""
    return {DATABASES[name].classes: ["accuracy", "f1"], "attributes": ["accuracy", "f1"]}


def study(chosen: Options, changes: Mapping[str, Any] | None = None) -> Study:
    """Return the table on the databases that are built; a dry run has all of them.

    Args:
        chosen: What was typed.
        changes: Fields of the configuration instead of the paper's.

    Raises:
        FileNotFoundError: If no database is built, or not the one that was asked for.
    """
    names, lines = at_hand(chosen, list(DATABASES))
    networks = {name: BACKBONE.format(each) for name, each in NETWORKS.items()}
    found = columns(chosen, names, networks, changes=changes)
    return Study(
        TABLE,
        chosen.preset,
        found,
        ROWS,
        {
            "title": "Table 4: classes and attributes, the paper's databases and networks",
            "intro": (
                "ST: two single-task networks. NC MT: one network, no coupling. C MT: coupling by "
                "the printed losses. default: this library's own coupling. Relatedness is counted "
                "on the training images."
            ),
            "main_metrics": metrics(names[0]),
            "column_metrics": {column.name: metrics(column.group) for column in found},
            "across": "networks",
            "published_table": TABLE,
            "published_columns": {column.name: (column.name,) for column in found},
            "published_rows": {"C MT (printed)": "C MT"},
            "published_tasks": {DATABASES[name].classes: "classes" for name in names},
            "notes": [*lines, *NOTES],
        },
    )
