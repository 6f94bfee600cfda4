"""Training steps of balancing methods beside the plain step, for few and many tasks.

Source: Sener, Koltun 2018, section 3.3, on what gradients of single terms cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from experiments.bench import peers
from experiments.bench.many_tasks import batch_of, network, tasks_of
from experiments.bench.reference import BATCH, SIZE
from experiments.bench.steps import step_of
from experiments.bench.timing import Goal, Row, pair
from mtl_dm.balancing import BALANCING, Balancing
from mtl_dm.models import MultiTaskModel

PAIRS = {2: 15, 10: 10, 40: 6}
"""By the number of tasks: a step of many takes long, and its ratio is far from its neighbours'."""

FEWEST_TASKS, MOST_TASKS = min(PAIRS), max(PAIRS)

CHOSEN = ("mgda(scope=features)", "mgda", "pcgrad", "upgrad")
"""Of every number of tasks: what peers are known for."""

CHEAPER = ("gradnorm(scope=features)", "gradnorm")
"""Not of the most tasks, where making a step takes longer than timing it."""

GOALS = {
    "shared": {2: 1.7, 10: 6.8, 40: 24.0},
    "features": {2: 1.0, 10: 1.1, 40: 1.4},
}
"""By scope and number of tasks."""


def rows() -> Iterator[Row]:
    """Time the step of every method over the plain one, and those of peers over theirs."""
    for count, pairs in PAIRS.items():
        plain = _step(count, None)
        for method in methods(count):
            yield _timed(method, count, plain, pairs)
        yield from peers.steps(count, pairs)


def methods(count: int) -> list[str]:
    """Return the specifications that are timed with so many tasks, with the fewest all methods."""
    chosen = CHOSEN if count == MOST_TASKS else (*CHEAPER, *CHOSEN)
    every = list(BALANCING) if count == FEWEST_TASKS else []
    return [*(name for name in every if name not in chosen), *chosen]


def goal_of(method: Balancing, count: int) -> Goal | None:
    """Return what a method's step may cost, if it takes gradients of single terms for that."""
    bounds = GOALS.get(method.scope) if method.sees == "gradients" else None
    return None if bounds is None else Goal(bounds[count])


def _timed(spec: str, count: int, plain: Callable[[], float], pairs: int) -> Row:
    method = BALANCING.create(spec)
    name = f"step {spec} / plain, {count} tasks"
    row = pair(name, _step(count, method), plain, pairs, goal_of(method, count))
    return {**row, **peers.recorded(spec, count)}


def _step(count: int, method: Balancing | None) -> Callable[[], float]:
    tasks = tasks_of(count)
    model = MultiTaskModel(network(), tasks, balancing=method)
    return step_of(model, batch_of(tasks, BATCH, SIZE))[0]
