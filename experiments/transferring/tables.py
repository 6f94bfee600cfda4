"""Tables 1 to 6 of Vielzeuf et al. 2019 with this study's numbers, the printed ones beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from experiments.transferring import representations as made
from experiments.transferring import transfers
from experiments.transferring.cells import ON_UNLABELLED, SOURCES, UNLABELLED
from experiments.transferring.images import Pool
from experiments.transferring.photos import DETECTED
from experiments.transferring.rows import pairs_of, testing_rows, training_rows, trains
from experiments.transferring.setting import Setting
from experiments.transferring.sources import TASKS, knowing
from experiments.transferring.targets import PEOPLE, RULED, TASK, Target, targets_of
from mtl_dm.reporting import published
from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.quantities import ERROR, ERROR_RATE, FRACTION, Quantity
from mtl_dm.reporting.tables import ABSENT, Table, shown

QUANTITIES: Mapping[str, Quantity] = {
    "accuracy": FRACTION, "error_rate": ERROR_RATE, "mae": ERROR, "nrmse": ERROR,
}  # fmt: skip
UNITS = {"accuracy": "accuracy (%)", "error_rate": "error rate (%)", "mae": "MAE"}
TABLE3 = (
    transfers.CNN,
    transfers.P_CNN,
    made.AE,
    made.CONTROL,
    transfers.CONTROL_TUNED,
    made.STUDENT,
    transfers.STUDENT_TUNED,
)
TABLE4 = (transfers.ORIGINAL, made.AE, transfers.STUDENT_TUNED)
TABLE6 = (
    transfers.CONCAT, made.PCA, made.AE, made.VAE, made.DAE, transfers.BT, transfers.BCT,
)  # fmt: skip
Columns = Mapping[str, Measured]
"""By column of the study."""


def printed(table: str) -> pd.DataFrame:
    """Return what the paper prints in one of its tables."""
    found = published("transfer")
    return found[found["task"] == table]


def knowledge(setting: Setting) -> Table:
    """Return Table 1: sources, and targets with their images."""
    pool, lines = setting.pool, [["knowledge", "what", "images to train on", "test images"]]
    for name in setting.sources:
        lines.append([name, f"source: {TASKS[name]}", ABSENT, ABSENT])
    for target in targets_of(setting.data_dir):
        train, test = training_rows(target, pool, 0), testing_rows(target, pool, 0)
        size = f"{len(test.places):,}"
        if target.kind == PEOPLE:
            size += f" ({len(pairs_of(target, pool, 0)[0]):,} pairs)"
        known = ", ".join(knowing(target.label, setting.sources))
        what = f"target: {target.kind}, " + (f"a task that {known} know" if known else "new")
        half = f" ({halved(target, pool)})" if target.unit else ""
        lines.append([target.name, what, f"{len(train.places):,}{half}", size])
    lines.append(["unlabelled faces", "to fuse and distil on", f"{len(pool.unlabelled):,}", ABSENT])
    return lines


def halved(target: Target, pool: Pool) -> str:
    """Return how many people, or images, there are, of which every seed draws a half to train."""
    units = pool.known[target.train][target.unit]
    half = len(np.unique(units[trains(target, pool, 0)]))
    name = {"person": "people"}.get(target.unit, f"{target.unit}s")
    return f"{half:,} of {len(np.unique(units)):,} {name}"


def detected(pool: Pool) -> Table:
    """Return Table 2: in how many images a face was found, here by MediaPipe, and as printed."""
    lines = [["images", "detected faces", "undetected faces"]]
    for part, known in pool.known.items():
        if DETECTED in known:
            found = int(known[DETECTED].sum())
            lines.append([part, f"{found:,}", f"{len(known[DETECTED]) - found:,}"])
    frame = printed("table2").pivot(index="column", columns="row", values="value")
    for name, each in frame.iterrows():
        counts = [f"{int(each[kind]):,}" for kind in ("detected", "undetected")]
        lines.append([f"{name}, printed", *counts])
    return lines


def performance(columns: Columns, targets: Sequence[Target], rows: Sequence[str]) -> Table:
    """Return one line a target and one column a row of the study, and what the rule changes.

    Args:
        columns: Measured.
        targets: The lines.
        rows: The columns.
    """
    lines = [["target", "metric", *rows]]
    for target in targets:
        own = columns[target.name]
        cells = [_target(own, row, target.metric) for row in rows]
        lines.append([target.name, UNITS[target.metric], *cells])
        ruled = [_target(own, row, target.metric + RULED, target.metric) for row in rows]
        if any(cell != ABSENT for cell in ruled):
            unit = f"{UNITS[target.metric]}, undetected wrong"
            lines.append([target.name, unit, *ruled])
    return lines


def _target(own: Measured, row: str, metric: str, kind: str | None = None) -> str:
    return shown(own.summary(row, TASK, metric), QUANTITIES[kind or metric])


def printed_performance(table: str, rows: Sequence[str]) -> Table:
    """Return a table of the paper in the shape of `performance`, marked as printed."""
    frame = printed(table)
    lines = [["knowledge (printed)", "metric", *rows]]
    for (name, metric), part in frame.groupby(["column", "metric"], sort=False):
        values = dict(zip(part["row"], part["value"], strict=True))
        quantity = QUANTITIES[str(metric)]
        digits = 2
        cells = [
            f"{quantity.scale * values[row]:.{digits}f}" if row in values else ABSENT
            for row in rows
        ]
        lines.append([str(name), UNITS.get(str(metric), str(metric)), *cells])
    return lines


def reconstruction(own: Measured, sources: Sequence[str]) -> Table:
    """Return Table 5: normalised RMSE of held-out unlabelled faces, by source, of every row."""
    rows = [row for row in ON_UNLABELLED if own.summary(row, made.RECONSTRUCTION, made.NRMSE)]
    lines = [["source", *rows]]
    for name in (*sources, ""):
        metric = f"{made.NRMSE}/{name}" if name else made.NRMSE
        found = [own.summary(row, made.RECONSTRUCTION, metric) for row in rows]
        lines.append([name or "average", *(shown(each, ERROR) for each in found)])
    return lines


def seconds(
    columns: Columns, targets: Sequence[Target], sources: Sequence[str]
) -> dict[str, float]:
    """Return Figure 3's numbers: CPU-seconds of a method with what it needs, over all targets.

    Means over seeds. BT and BCT count what they try; what embeds the faces by all sources is
    apart, and what measures is left out. A method of which a cell is missing is left out.

    Args:
        columns: Measured.
        targets: The targets.
        sources: Names of the sources.
    """

    def of(column: str, *rows: str) -> float:
        found = (columns[column].summary(row, made.COST, made.TRAINING) for row in rows)
        return sum(math.nan if each is None else each.mean for each in found)

    def on_targets(*rows: str) -> float:
        return sum(of(target.name, *rows) for target in targets)

    every = {
        "embedding by all sources": of(SOURCES, *sources),
        transfers.CNN: on_targets(transfers.CNN),
        transfers.P_CNN: on_targets(transfers.BT, transfers.P_CNN),
        transfers.BT: on_targets(transfers.BT),
        transfers.BCT: on_targets(transfers.BT, transfers.BCT),
        transfers.CONCAT: on_targets(transfers.CONCAT),
        made.AE: of(UNLABELLED, made.AE) + on_targets(made.AE),
        transfers.CONTROL_TUNED: of(UNLABELLED, made.CONTROL) + on_targets(transfers.CONTROL_TUNED),
        transfers.STUDENT_TUNED: of(UNLABELLED, made.AE, made.STUDENT)
        + on_targets(transfers.STUDENT_TUNED),
    }
    return {name: each for name, each in every.items() if each > 0}  # NaN is not.


def sizes(columns: Columns, sources: Sequence[str]) -> Iterator[str]:
    """Yield what is said of parameters: all sources with G beside the student."""
    own = [columns[SOURCES].summary(name, made.SIZE, "parameters") for name in sources]
    student = columns[UNLABELLED].summary(made.STUDENT, made.SIZE, "parameters")
    fusion = columns[UNLABELLED].summary(made.AE, made.SIZE, "parameters")
    if student is None or fusion is None or any(each is None for each in own):
        return
    held = sum(each.mean for each in own if each is not None)
    yield (
        f"Sources hold {held:,.0f} parameters, G {fusion.mean:,.0f}, the student "
        f"{student.mean:,.0f}: {(held + fusion.mean) / student.mean:.1f} times fewer. The paper's "
        "own encoders hold 106 M, G 24.7 M, its student 2.2 M: 59 times by these numbers, 75 in "
        "its abstract."
    )
    agreed = columns[UNLABELLED].summary(made.STUDENT, "distillation", "cosine")
    always = columns[UNLABELLED].summary(made.STUDENT, "distillation", "cosine_of_constant")
    if agreed is not None and always is not None:
        yield (
            f"Cosine of student and teacher on held-out faces {agreed.mean:.3f}; of the best "
            f"constant embedding {always.mean:.3f}."
        )
