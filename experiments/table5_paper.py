"""Table 5 as published: NTS-Net, and balancing methods on ResNet-50, on the databases themselves.

Source: Kollias, Sharmanska, Zafeiriou, AAAI 2024, Table 5.
Command: make reproduce-table5 PRESET=paper DATA_DIR=<built data sets> [DRY_RUN=1]
Protocol: experiments/table4_databases.py. ResNet-50's own ST, NC MT and C MT are Table 4's; they
    train here too, so that the methods have what they are compared with.
Cost: DRY_RUN=1 says it for all databases; nothing of it was run here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.engine.method import Method
from experiments.engine.options import Options
from experiments.engine.study import Study
from experiments.table4_demo import ROWS as OF_TABLE4
from experiments.table4_paper import BACKBONE, NOTES, at_hand, columns, metrics
from experiments.table5_architectures import ARCHITECTURES
from mtl_dm.reporting import Baselines

TABLE = "table5"
DATABASES = ("CUB", "SADD", "CAD")
PARTS, WHOLE = "NTS-Net", "ResNet-50"
NETWORKS = {PARTS: "nts_net", WHOLE: "resnet50"}
BALANCED = {
    "MGDA-UB": Method({"balancing": "mgda(scope=features)"}),
    "GradNorm": Method({"balancing": "gradnorm"}),
}
NTS = "NTS "
"""Begins the names of its rows, as printed."""
OF_NTS = {f"{NTS}{row.replace(' (printed)', '')}": method for row, method in OF_TABLE4.items()}
OF_RESNET = {**OF_TABLE4, **BALANCED, **ARCHITECTURES}
ROWS = {PARTS: OF_NTS, WHOLE: OF_RESNET}


def study(chosen: Options, changes: Mapping[str, Any] | None = None) -> Study:
    """Return the table on the databases that are built; a dry run has all of them.

    Args:
        chosen: What was typed.
        changes: Fields of the configuration instead of the paper's.

    Raises:
        FileNotFoundError: If no database is built, or not the one that was asked for.
    """
    names, lines = at_hand(chosen, DATABASES)
    found = [
        column
        for network, backbone in NETWORKS.items()
        for column in columns(
            chosen, names, {network: BACKBONE.format(backbone)}, tuple(ROWS[network]), changes
        )
    ]
    return Study(
        TABLE,
        chosen.preset,
        found,
        {**OF_NTS, **OF_RESNET},
        {
            "title": "Table 5: NTS-Net and multi-task methods on the paper's databases",
            "intro": (
                "NTS-Net without and with coupling; ResNet-50 with balancing methods, beside its "
                "own rows of Table 4. Relatedness is counted on the training images."
            ),
            "main_metrics": metrics(names[0]),
            "baselines": {
                row: Baselines(f"{NTS}ST", None if row == f"{NTS}NC MT" else f"{NTS}NC MT")
                for row in OF_NTS
                if row != f"{NTS}ST"
            }
            | {f"{NTS}ST": Baselines()},
            "published_table": TABLE,
            "published_columns": {column.name: (column.group,) for column in found},
            "published_tasks": {"category": "classes"},
            "notes": [*lines, *NOTES],
        },
    )
