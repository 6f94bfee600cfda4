"""One cell of a study, as it is handed to a worker process: everything in it can be pickled."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from experiments.engine.method import Method
from experiments.engine.problem import Problem
from mtl_dm.runs.cells import CellPlan

Key = tuple[str, str, int, int | None]
"""Column, row, seed, fold."""


@dataclasses.dataclass(frozen=True)
class StudyCell:
    """A cell and how to compute it.

    Attributes:
        plan: What it is called and what decides its values.
        problem: Makes the problem from seed and fold; a function of a module, or a partial of one.
        changes: The column's changes in the configuration.
        methods: The row's own method under its name, and those of the rows that it needs.
        kept: Whether other rows use its networks.
        detailed: Keep values label by label, and evidence.
        folder: Folder of the study.
        command: What the user typed.
    """

    plan: CellPlan
    problem: Callable[[int, int | None], Problem]
    changes: Mapping[str, Any]
    methods: Mapping[str, Method]
    kept: bool
    detailed: bool
    folder: Path
    command: str

    @property
    def method(self) -> Method:
        """The row's method."""
        return self.methods[self.plan.row]

    def make(self) -> Problem:
        """Return the problem of the cell."""
        found = make(self.problem, self.changes, self.plan.seed, self.plan.fold)
        return problem_of(found, self.method)

    @property
    def key(self) -> Key:
        """What tells it from the other cells of the study."""
        return key_of(self.plan)

    @property
    def needs(self) -> tuple[Key, ...]:
        """The cells that it waits for."""
        plan = self.plan
        return tuple((plan.column, row, plan.seed, plan.fold) for row in self.method.needs)

    @property
    def title(self) -> str:
        """Its name for people."""
        plan = self.plan
        place = plan.column if plan.fold is None else f"{plan.column}, fold {plan.fold}"
        return f"{plan.row} ({place}, seed {plan.seed})"


def make(
    problem: Callable[[int, int | None], Problem],
    changes: Mapping[str, Any],
    seed: int,
    fold: int | None,
) -> Problem:
    """Return a column's problem, its configuration as the column has it."""
    made = problem(seed, fold)
    made.config = made.config.replace(**changes)
    return made


def problem_of(problem: Problem, method: Method) -> Problem:
    """Return what a row of a problem trains on."""
    return problem.pretraining() if method.pretraining else problem


def key_of(plan: Any) -> Key:
    """Return the key of a plan, or of anything else that has its names."""
    return plan.column, plan.row, plan.seed, plan.fold
