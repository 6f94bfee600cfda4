"""A study from its cells to its report."""

from __future__ import annotations

import functools
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import keras
import tensorflow as tf

from experiments.engine import records
from experiments.engine.building import couplings_of
from experiments.engine.cell import StudyCell
from experiments.engine.dry_run import describe, expected
from experiments.engine.measuring import measure
from experiments.engine.networks import configuration, groups_of, part_of
from experiments.engine.options import Options, require_known
from experiments.engine.pool import Inline, Pool
from experiments.engine.scheduling import Estimate, Job, Schedule
from experiments.engine.study import Study
from mtl_dm.outputs import owned
from mtl_dm.progress import spoken
from mtl_dm.reporting import read_cells, summary_text, to_frame, write_html, write_report
from mtl_dm.runs.cells import CellPlan, is_finished, run_cell
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.run import make_deterministic

SECONDS_BETWEEN_REPORTS = 45
SHARE_OF_REPORTS = 0.05
"""Most of the time that reports on the way may take: those of hundreds of cells take seconds."""


class Planned(Job, Protocol):
    """A job that computes a cell."""

    @property
    def plan(self) -> CellPlan:
        """What the cell is called, and what decides its values."""


P = TypeVar("P", bound=Planned)


def run_study(study: Study, options: Options) -> None:
    """Compute the cells that are missing, and write and print the report.

    The report is written after the first cell and then after every cell or so, so that a long
    study can be watched.

    Args:
        study: The study.
        options: What was typed.

    Raises:
        ValueError: If an option names what the study does not have, data are malformed, or the
            folder holds cells of another preset or configuration.
        FileNotFoundError: If data are not there.
        SystemExit: With 1 if cells failed, with 0 where only what would be done is wanted.
    """
    require_known(options.only, study.names())
    if options.dry_run:
        print(describe(study, options))
        raise SystemExit(0)
    with owned(options.folder):
        _run_study(study, options)


def _run_study(study: Study, options: Options) -> None:
    require_own_folder(study, options.folder)
    due = -math.inf

    def watch() -> None:
        nonlocal due
        started = time.monotonic()
        if started > due:
            write_pages(study, options)
            now = time.monotonic()
            due = now + max(SECONDS_BETWEEN_REPORTS, (now - started) / SHARE_OF_REPORTS)

    failed = compute(study, options, ended=watch)
    report, page = write_pages(study, options)
    cells, _ = read_cells(options.folder, study.table)
    text = summary_text(to_frame(cells), study.specification(options.command))
    print(f"\n{text}\n\nThe report is {report}, as a page {page}")
    if failed:
        print(f"\n{len(failed)} cells are missing; the same command tries them again:")
        print("\n".join(failed))
        sys.exit(1)


def require_own_folder(study: Study, folder: Path) -> None:
    """Check that a folder has no cells of another preset: a report is of one.

    Raises:
        ValueError: If it has some.
    """
    others = {cell.preset for cell in read_cells(folder, study.table).cells} - {study.preset}
    if others:
        raise ValueError(
            f"{folder} holds cells of the preset {', '.join(sorted(others))}, so it cannot take "
            f"those of {study.preset}: choose another folder (--output, OUTPUT= of make)."
        )


def write_pages(study: Study, options: Options) -> tuple[Path, Path]:
    """Write the report of the cells that are there; return the paths of its text and its page."""
    cells, _ = read_cells(options.folder, study.table)
    specification = study.specification(options.command, records.notes(cells))
    report = write_report(options.folder, specification)
    page = write_html(options.folder, specification)
    if study.pages is not None:
        study.pages(options.folder)
    return report, page


def compute(
    study: Study, options: Options, ended: Callable[[], None] = lambda: None, what: str = ""
) -> list[str]:
    """Compute the missing cells of a study; return what failed, a line a cell.

    Args:
        study: The study.
        options: What was typed.
        ended: Called whenever a cell was computed.
        what: Put before the number of a cell in the printed lines.

    Raises:
        ValueError: If data are malformed, or the folder holds cells of another configuration.
        FileNotFoundError: If data are not there.
    """
    with owned(options.folder):
        return _compute(study, options, ended, what)


def _compute(study: Study, options: Options, ended: Callable[[], None], what: str) -> list[str]:
    if not options.workers:
        prepare_this_process()
    cells = study.cells(options.folder, options.command, options.only)
    upgraded = TrainConfig.upgraded
    missing = [cell for cell in cells if not is_finished(cell.folder, cell.plan, upgraded)]
    taken = records.take_up(missing, records.RESULTS) if study.recorded else []
    missing = [cell for cell in missing if cell not in taken]
    before = len(cells) - len(missing) - len(taken)
    print(
        f"{what}{len(missing)} of {len(cells)} cells to compute"
        + (f", {before} finished before" if before else "")
        + (f", {len(taken)} taken from records" if taken else "")
        + (f"; {options.workers} side by side" if options.workers > 1 and missing else "")
        + expected(study, len(missing), options.workers)
        + ".",
        flush=True,
    )
    if not missing:
        return []
    require_possible(missing)
    if not options.workers:
        return computed(Inline(compute_cell), missing, 1, ended, what)
    notify = functools.partial(print, flush=True)
    pool = Pool(options.workers, compute_in_worker, prepare_worker, options.folder / "logs", notify)
    return computed(pool, missing, options.workers, ended, what)


def require_possible(cells: Sequence[StudyCell]) -> None:
    """Make what cells read, and find what is wrong with it, before the first one trains.

    Built here, data sets are not built by two workers at once. One seed and fold of every column
    is looked at.

    Args:
        cells: Cells to compute.

    Raises:
        ValueError: If data are malformed or a row asks for what is unknown.
        FileNotFoundError: If data are not there.
    """
    seen: dict[str, tuple[int, int | None]] = {}
    for cell in cells:
        repeat = (cell.plan.seed, cell.plan.fold)
        first = cell.plan.column not in seen
        if seen.setdefault(cell.plan.column, repeat) != repeat:
            continue
        problem = cell.make()
        config = configuration(problem, cell.method)
        for group in groups_of(problem, config, cell.method):
            if len(group) == len(problem.tasks):
                couplings_of(problem, config, group)
            elif config.stages:
                part_of(problem, config, group)
        if first:
            problem.sources(problem.tasks)
            problem.validation(problem.tasks)
            problem.test(problem.tasks)
            problem.beside()


def computed(
    pool: Pool[P] | Inline[P],
    cells: Sequence[P],
    side_by_side: int,
    ended: Callable[[], None] = lambda: None,
    what: str = "",
) -> list[str]:
    """Compute cells, saying how far it is; return what failed, a line a cell.

    Args:
        pool: Computes them.
        cells: In the order in which they are wanted.
        side_by_side: How many are computed at a time.
        ended: Called whenever a cell was computed.
        what: Put before the number of a cell in the printed lines.
    """
    left = {cell.key: cell for cell in cells}
    began: dict[object, float] = {}
    estimate = Estimate(side_by_side)
    failed = []

    def begun(cell: P) -> None:
        began[cell.key] = time.monotonic()
        number = f"[{what}{len(began)}/{len(cells)}]"
        print(f"{number} {cell.title}: training ...", flush=True)

    with pool:
        for cell, error in pool.outcomes(Schedule(cells), begun):
            del left[cell.key]
            if error:
                failed.append(f"{cell.title}: {error}")
                print(f"FAILED {failed[-1]}", flush=True)
                continue
            seconds = time.monotonic() - began[cell.key]
            estimate.add(_kind(cell), seconds)
            remaining = spoken(estimate.left([_kind(each) for each in left.values()]))
            rest = f"; {len(left)} to go, about {remaining}" if left else ""
            print(f"{cell.title}: {spoken(seconds)}{rest}", flush=True)
            ended()
    return failed


def _kind(cell: Planned) -> tuple[str, str]:
    return cell.plan.column, cell.plan.row


def compute_cell(cell: StudyCell) -> None:
    """Compute a cell and write its file; whoever asks for it says so."""
    run_cell(
        cell.folder,
        cell.plan,
        functools.partial(measure, cell),
        command=cell.command,
        upgraded=TrainConfig.upgraded,
        notify=lambda line: None,
    )


def compute_in_worker(cell: StudyCell) -> None:
    """Compute a cell in a process that computes many; its log names the cell."""
    print(f"{cell.title}: training ...", flush=True)
    compute_cell(cell)
    # What Keras remembers of every model would add up.
    keras.backend.clear_session()


def prepare_worker() -> None:
    """Make a worker's results independent of what runs beside it: one thread, fixed kernels."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for device in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(device, True)
    make_deterministic()


def prepare_this_process() -> None:
    """Make this process compute what a worker does, if TensorFlow has not begun to compute."""
    try:
        prepare_worker()
    except RuntimeError as error:  # Its threads can no longer be changed.
        print(f"Cells are computed with the threads that this process has: {error}", flush=True)
        make_deterministic()
