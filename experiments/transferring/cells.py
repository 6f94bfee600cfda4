"""The cells of the study: which there are, what each waits for, and how one is computed."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from experiments.engine.cell import Key, key_of
from experiments.engine.fingerprint import revision
from experiments.transferring import representations as made
from experiments.transferring import transfers
from experiments.transferring.setting import Setting
from experiments.transferring.targets import NAMED, Target, targets_of
from mtl_dm.runs.cells import CellPlan, Measurement, run_cell

TABLE = "transfer"
SOURCES, UNLABELLED = "sources", "unlabelled faces"
COLUMNS = (SOURCES, UNLABELLED)
ON_UNLABELLED = (made.RANDOM, *made.OPERATORS, made.CONTROL, made.STUDENT)
ON_TARGETS = (
    transfers.CNN,
    transfers.BT,
    transfers.BCT,
    transfers.P_CNN,
    transfers.CONCAT,
    *made.OPERATORS,
    made.CONTROL,
    transfers.CONTROL_TUNED,
    made.STUDENT,
    transfers.STUDENT_TUNED,
)
"""Rows of every target; one that a source was trained for has ORIGINAL, too."""
SWAPPED = (made.AE, made.STUDENT, transfers.STUDENT_TUNED)
"""Rows of the claim: where halves of one pool train and are tested, also with halves swapped."""


@dataclasses.dataclass(frozen=True)
class TransferCell:
    """A cell, as it is handed to a worker process.

    Attributes:
        plan: What it is called and what decides its values.
        setting: Of the run.
        needs: The cells that it waits for.
        command: What the user typed.
    """

    plan: CellPlan
    setting: Setting
    needs: tuple[Key, ...]
    command: str

    @property
    def key(self) -> Key:
        """What tells it from the other cells of the study."""
        return key_of(self.plan)

    @property
    def title(self) -> str:
        """Its name for people."""
        fold = "" if self.plan.fold is None else f", fold {self.plan.fold}"
        return f"{self.plan.row} ({self.plan.column}{fold}, seed {self.plan.seed})"


def cells_of(setting: Setting, seeds: int, command: str, only: str = "") -> list[TransferCell]:
    """Return the cells in their order: what others wait for first, then seed by seed.

    Args:
        setting: Of the run.
        seeds: How many; sources are made once, and the sweep of sizes has the first seed alone.
        command: What the user typed.
        only: A row or a column, with all that it needs; "": all.
    """
    found = list(_cells(setting, seeds, command))
    if not only:
        return found
    by_key = {cell.key: cell for cell in found}
    wanted = [cell.key for cell in found if only in (cell.plan.row, cell.plan.column)]
    chosen: set[Key] = set()
    while wanted:
        key = wanted.pop()
        if key not in chosen:
            chosen.add(key)
            wanted += by_key[key].needs
    return [cell for cell in found if cell.key in chosen]


def _cells(setting: Setting, seeds: int, command: str) -> Iterator[TransferCell]:
    every = tuple((SOURCES, name, 0, None) for name in setting.sources)
    make = functools.partial(_cell, setting, command)
    yield from (make(SOURCES, name, 0, ()) for name in setting.sources)
    for seed in range(seeds):
        sweep = tuple(made.SWEEP) if seed == 0 else ()
        for row in (*ON_UNLABELLED, *sweep):
            waits = ((UNLABELLED, made.AE, seed, None),) if row == made.STUDENT else every
            yield make(UNLABELLED, row, seed, waits)
        for target in targets_of(setting.data_dir):
            for row in (*rows_of(target, setting), *sweep):
                needs = needs_of(target, row, seed, every)
                yield make(target.name, row, seed, needs, target.fold)
                if target.unit and row in SWAPPED:
                    yield make(target.name, row, seed, needs, 1)


def rows_of(target: Target, setting: Setting) -> tuple[str, ...]:
    """Return the rows of a target."""
    has_own = target.source in setting.sources
    return (*((transfers.ORIGINAL,) if has_own else ()), *ON_TARGETS)


def needs_of(target: Target, row: str, seed: int, sources: Sequence[Key]) -> tuple[Key, ...]:
    """Return the cells whose results a row of a target uses."""
    if row in (transfers.BCT, transfers.P_CNN):
        return ((target.name, transfers.BT, seed, target.fold),)
    named = transfers.WHOLE.get(row, row)
    if named in transfers.FROZEN:
        return ((UNLABELLED, named, seed, None),)
    return tuple(sources)


def _cell(
    setting: Setting,
    command: str,
    column: str,
    row: str,
    seed: int,
    needs: tuple[Key, ...],
    fold: int | None = None,
) -> TransferCell:
    config: dict[str, Any] = {
        "mark": setting.mark,
        "sources": list(setting.sources),
        "size": dict(setting.size.record()),
        **revision(),
    }
    dataset = f"{column} ({'synthetic' if is_drawn(setting, column) else 'real'})"
    plan = CellPlan(TABLE, column, row, seed, fold, setting.preset, dataset, config)
    return TransferCell(plan, setting, needs, command)


def is_drawn(setting: Setting, column: str) -> bool:
    """Return whether all faces of a column are drawn ones."""
    return not setting.data_dir if column in COLUMNS else NAMED[column].name.startswith("drawn")


def compute(cell: TransferCell) -> None:
    """Compute a cell and write its file; the log of a worker names it."""
    print(f"{cell.title}: training ...", flush=True)
    run_cell(
        cell.setting.folder,
        cell.plan,
        functools.partial(measure, cell),
        command=cell.command,
        notify=lambda line: None,
    )
    keras.backend.clear_session()


def measure(cell: TransferCell) -> Measurement:
    """Return what a cell measures, with the CPU-seconds of its training and of measuring it."""
    started = time.process_time()
    plan = cell.plan
    if plan.column in COLUMNS:
        trained = made.trained(cell.setting, plan.row, plan.seed)
    else:
        target = dataclasses.replace(NAMED[plan.column], fold=plan.fold)
        trained = transfers.trained(cell.setting, target, plan.row, plan.seed)
    ready = time.process_time()
    found = trained.measure()
    found[made.COST] = {
        made.TRAINING: ready - started + trained.earlier,
        made.MEASURING: time.process_time() - ready,
    }
    return Measurement(found, 0)
