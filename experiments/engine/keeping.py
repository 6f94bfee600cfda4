"""Networks that a row leaves for other rows of the same column, seed and fold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from experiments.engine.cell import StudyCell, problem_of
from experiments.engine.fingerprint import fingerprint, revision
from experiments.engine.networks import Network, configuration, fit, groups_of, part_of
from experiments.engine.problem import Problem
from mtl_dm.measuring.scoring import load_model
from mtl_dm.models import MultiTaskModel
from mtl_dm.runs.cells import file_safe
from mtl_dm.tasks import Task
from mtl_dm.training.checkpoints import save_model
from mtl_dm.training.config import TrainConfig


def keep(cell: StudyCell, problem: Problem, config: TrainConfig, network: Network) -> None:
    """Save a network of the cell for the rows that need it.

    Args:
        cell: The cell.
        problem: Its problem.
        config: The network's own, of `networks.part_of`.
        network: Trained.
    """
    path = _path(cell, cell.plan.row, problem, config, network.model.tasks)
    save_model(network.model, path)


def kept(cell: StudyCell, row: str, problem: Problem, names: Sequence[str]) -> MultiTaskModel:
    """Return a network of a row that the cell needs; it is trained if it is not there.

    It is not where that row's cell came from a record, or its file was deleted.

    Args:
        cell: The cell that needs it.
        row: The other row.
        problem: The problem of both.
        names: Some of the network's tasks; of a pretraining there is one network.
    """
    method = cell.methods[row]
    problem = problem_of(problem, method)
    config = configuration(problem, method)
    groups = groups_of(problem, config, method)
    group = groups[0]
    if not method.pretraining:
        group = next(each for each in groups if {task.name for task in each} >= set(names))
    own, sources = part_of(problem, config, group)
    path = _path(cell, row, problem, own, group)
    if path.is_file():
        return load_model(path)
    network = fit(problem, own, group, sources)
    save_model(network.model, path)
    return network.model


def _path(
    cell: StudyCell, row: str, problem: Problem, config: TrainConfig, group: Sequence[Task]
) -> Path:
    plan = cell.plan
    repeat = f"seed{plan.seed}" + ("" if plan.fold is None else f"-fold{plan.fold}")
    # A network of another budget, split or code must not be taken for this one.
    mark = fingerprint({**config.to_dict(), **problem.record, **revision()})
    name = f"{'-'.join(task.name for task in group)}-{mark}.keras"
    return cell.folder / "models" / file_safe(plan.column) / file_safe(row) / repeat / name
