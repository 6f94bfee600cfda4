"""What a study would do, without doing it: commands, data, sizes, estimates."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from experiments.engine import costs
from experiments.engine.cell import StudyCell
from experiments.engine.networks import batches_of, configuration, groups_of, own_config
from experiments.engine.options import Options
from experiments.engine.problem import Problem
from experiments.engine.study import Study
from mtl_dm import data
from mtl_dm.progress import spoken
from mtl_dm.runs.cells import file_safe
from mtl_dm.tasks import Task
from mtl_dm.training.assembly import INFERRED
from mtl_dm.training.commands import command_of
from mtl_dm.training.config import TrainConfig


def expected(study: Study, cells: int, workers: int) -> str:
    """Return about how long cells take, before the first has ended; "" where it is not known."""
    if not study.seconds or not cells:
        return ""
    every = spoken(cells * study.seconds / max(1, workers))
    return f"; about {every} (an estimate: {study.seconds:.0f} s a cell)"


class Plan(NamedTuple):
    """One network that a cell would train.

    Attributes:
        tasks: It predicts.
        config: It is trained by.
        images: That its training would see, repeats and virtual ones counted; None: not known yet.
        network: In numbers.
    """

    tasks: tuple[Task, ...]
    config: TrainConfig
    images: float | None
    network: costs.Network


def describe(study: Study, options: Options) -> str:
    """Return what the cells of a study would do; nothing is trained, and no data set is built.

    A problem that reads its data as it is made (clothing, real photos) still does.

    Args:
        study: The study.
        options: What was typed.

    Raises:
        ValueError: If a cell's configuration is wrong.
        FileNotFoundError: If the data of a study that reads them to plan are not there.
    """
    cells = study.cells(options.folder, options.command, options.only)
    here = expected(study, len(cells), options.workers)
    lines = [f"{len(cells)} cells{here}; nothing is trained.", ""]
    total, unknown = 0.0, 0
    missing: dict[str, str] = {}
    problems: dict[tuple[Any, ...], Problem] = {}
    for cell in cells:
        place = (cell.plan.column, cell.plan.seed, cell.plan.fold, cell.method.pretraining)
        problem = problems[place] if place in problems else cell.make()
        problems = {place: problem}  # Those of a column and seed follow each other.
        plans = plans_of(cell, problem)
        read = reads(problem, [plan.config for plan in plans])
        lines += [*lines_of(cell, problem, plans, read), ""]
        for each in read:
            if not each.built and not each.by_itself:
                command = data.how_to_build(each.name, shlex.quote(problem.config.data_dir))
                missing[each.name] = f"Missing: {each.name}. {command}"
        for plan in plans:
            taken = _hours(plan)
            total, unknown = total + (taken or 0.0), unknown + (taken is None)
    lines += missing.values()
    rest = f", and {unknown} networks of unknown length" if unknown else ""
    return "\n".join(
        [*lines, f"Together about {total:,.1f} hours on a V100{rest} (estimate).", *costs.FORMULAS]
    )


def plans_of(cell: StudyCell, problem: Problem) -> list[Plan]:
    """Return the networks that a cell would train."""
    config = configuration(problem, cell.method)
    plans = []
    for group in groups_of(problem, config, cell.method):
        own = own_config(problem, config, group, problem.sizes(group))
        network = costs.network_of(own, problem.input_shape(), group)
        plans.append(Plan(group, own, _images(problem, config, own), network))
    return plans


def _images(problem: Problem, config: TrainConfig, own: TrainConfig) -> float | None:
    try:
        _, steps = batches_of(problem, config)
    except ValueError:
        return None
    return sum(
        part.epochs * (part.steps_per_epoch or steps) * part.batch_size * costs.rows(part)
        for _, part in own.stage_configs()
    )


def reads(problem: Problem, configs: Sequence[TrainConfig]) -> list[data.Outline]:
    """Return the data sets that a cell reads, those that a relatedness is counted on included."""
    found = {each.name: each for each in problem.reads()}
    for config in configs:
        for choice in config.coupling_choices():
            name = choice.relation.removeprefix("learned:")
            if name.startswith(INFERRED):
                other = data.outline(name.removeprefix(INFERRED), data_dir=config.data_dir)
                found.setdefault(other.name, other)
    return list(found.values())


def lines_of(
    cell: StudyCell, problem: Problem, plans: Sequence[Plan], read: Sequence[data.Outline]
) -> Iterator[str]:
    """Yield what is to be said of a cell."""
    yield cell.title
    if cell.needs:
        rows = ", ".join(row for _, row, _, _ in cell.needs)
        yield f"  uses the networks of {rows} of the same column and seed, not in the command"
    if not problem.by_name:
        yield "  reads data that the study makes or divides itself, which the command cannot name"
    for plan in plans:
        output = cell.folder / "commands" / _file(cell, plan)
        yield f"  {command_of(plan.config, str(output))}"
        yield f"  {_numbers(plan)}"
    for each in read:
        state = "built" if each.built else "drawn on first use" if each.by_itself else "MISSING"
        yield f"  data: {each.name} ({state})"


def _file(cell: StudyCell, plan: Plan) -> str:
    column, row, seed, fold = cell.key
    parts = [column, row, "-".join(task.name for task in plan.tasks), f"seed{seed}"]
    if fold is not None:
        parts.append(f"fold{fold}")
    return file_safe(" ".join(parts))


def _numbers(plan: Plan) -> str:
    network, config = plan.network, plan.config
    taken = _hours(plan)
    lasts = "hours not known before the data are built" if taken is None else spoken(taken * 3600)
    memory = costs.gibibytes(network, config)
    uncounted = f" (without those of {', '.join(network.unknown)})" if network.unknown else ""
    return (
        f"{network.parameters:,} parameters, {network.multiply_adds / 1e6:,.0f} million "
        f"multiply-adds an image{uncounted}; on a V100 about {memory:.1f} GiB, {lasts} (estimates)"
    )


def _hours(plan: Plan) -> float | None:
    if plan.images is None:
        return None
    return costs.hours(plan.network, plan.images, plan.config.mixed_precision)
