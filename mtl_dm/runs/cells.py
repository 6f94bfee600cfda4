"""Cells of a study: each is computed once, written whole, and never repeated."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Callable, Mapping, Sized
from pathlib import Path
from typing import Any, NamedTuple

from mtl_dm.files import MALFORMED, write_atomically
from mtl_dm.runs.evidence import write_evidence
from mtl_dm.runs.record import commit, plugins_named, versions
from mtl_dm.runs.schema import Cell, CellName, Metrics, parse_cell


class Measurement(NamedTuple):
    """What a cell's training gives.

    Attributes:
        metrics: By task name.
        steps: Training steps.
        evidence: What `mtl_dm.measuring.evidence.collect` gives, or None.
    """

    metrics: Metrics
    steps: int
    evidence: Mapping[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class CellPlan(CellName):
    """One cell of a table: what it is called and what decides its values.

    Attributes:
        config: Everything that decides the values, as JSON values.
    """

    config: Mapping[str, Any]

    def path(self, folder: Path) -> Path:
        """Return the file of the cell in the folder of its study."""
        fold = "" if self.fold is None else f"-fold{self.fold}"
        name = f"seed{self.seed}{fold}.json"
        return folder / "cells" / file_safe(self.column) / file_safe(self.row) / name


def _printed(line: str) -> None:
    print(line, flush=True)


def run_cell(
    folder: str | Path,
    plan: CellPlan,
    measure: Callable[[], Measurement | tuple[Metrics, int]],
    *,
    command: str,
    progress: str = "",
    upgraded: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    notify: Callable[[str], Any] = _printed,
) -> bool:
    """Compute a cell unless its file is there; return whether it was computed.

    Evidence goes into a file of its own beside the cell's, which stays small.

    Args:
        folder: Folder of the study.
        plan: The cell.
        measure: Trains and returns metrics by task, the number of training steps and, where it
            has any, evidence.
        command: The command that the user typed, for the record.
        progress: Put before the cell's name in the printed lines, "[3/8]".
        upgraded: As for `is_finished`.
        notify: Called with every line for people.

    Raises:
        ValueError: If the file holds a cell of another configuration.
    """
    path = plan.path(Path(folder))
    place = plan.column if plan.fold is None else f"{plan.column}, fold {plan.fold}"
    title = f"{progress} {plan.row} ({place}, seed {plan.seed})".strip()
    if is_finished(folder, plan, upgraded, notify):
        notify(f"{title}: finished before")
        return False
    notify(f"{title}: training ...")
    started = time.perf_counter()
    metrics, steps, evidence = Measurement(*measure())
    seconds = time.perf_counter() - started
    record = {
        "command": command,
        "commit": commit(),
        "versions": versions(),
        "config": plan.config,
        **plugins_named(),
    }
    cell = Cell(**plan.names(), metrics=metrics, seconds=seconds, steps=steps, record=record)
    # The cell last: a run that dies in between computes both again.
    write_evidence(path, plan, evidence)
    write_atomically(path, cell.to_json())
    notify(f"{title}: {seconds:.0f} s")
    return True


def is_finished(
    folder: str | Path,
    plan: CellPlan,
    upgraded: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    notify: Callable[[str], Any] = _printed,
) -> bool:
    """Return whether a cell was computed before, as planned.

    An option that is off makes no difference: a cell may be older than the option.

    Args:
        folder: Folder of the study.
        plan: The cell.
        upgraded: Puts the configuration that an earlier version wrote into today's words.
        notify: Called with a line where the file is damaged.

    Raises:
        ValueError: If the file holds a cell of another configuration.
    """
    path = plan.path(Path(folder))
    if not path.is_file():
        return False
    there = _config_of(path)
    if there is None:
        notify(f"The cell file {path} is damaged; the cell is computed again.")
        return False
    there = dict(upgraded(there))
    wanted = json.loads(json.dumps(plan.config))
    old, new = what_is_on(there), what_is_on(wanted)
    differing = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    if differing:
        raise ValueError(
            f"The cell {path} was computed with another configuration: {differing[0]} is "
            f"{there.get(differing[0])!r} there, {wanted.get(differing[0])!r} now "
            f"(all that differ: {differing}). Choose another output folder or delete this one."
        )
    return True


def what_is_on(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without what is off: None, False, an empty text, mapping or list."""
    return {name: value for name, value in config.items() if not _is_off(value)}


def _is_off(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, Sized) and not len(value))


def _config_of(path: Path) -> dict[str, Any] | None:
    """Return the configuration of a finished cell; None: the file is not one, or holds no value."""
    try:
        # By the reader that the report uses: what it cannot read is computed again.
        cell = parse_cell(path.read_text(encoding="utf-8"))
        return dict(cell.record["config"]) if cell.metrics else None
    except MALFORMED:
        return None


def file_safe(name: str) -> str:
    """Return a name as a file can have it: letters, digits, dots and hyphens as they are."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip("_")
