"""One task a step: the others wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from mtl_dm.balancing._base import Balancing
from mtl_dm.balancing._seen import Seen
from mtl_dm.draws import following, keys_of, require_seed, uniform


@keras.saving.register_keras_serializable("mtl_dm")
class OneTask(Balancing):
    """L = L_a, where a is drawn anew in each step among the tasks that are present.

    Source: Strezoski, van Noord, Worring 2019, whose networks train one task a step; in which
    order is not in their code. Here without replacement: with u_i(n) uniform in [0, 1), drawn for
    task i by its name and the number n of steps before, and W the present tasks that have not had
    a turn since all of the present ones had (all present ones, if W is empty),

        a = argmax_{i in W} u_i(n),  w_a = 1,  w_i = 0 for the others.

    A task that the batch has no labels for is never drawn, changes nothing for the others, and is
    owed one turn at most. A step has one active task, whatever the rows of its batch are annotated
    for: rows without labels of it do not teach in that step.
    Deviations: the source feeds the active task's images alone; here every image of the batch
    passes, so that normalisation sees all. The optimizer knows of no task: its momentum goes on
    moving the weights of a head whose gradient is 0.

    Args:
        seed: Another one draws another order.
        balances: "tasks": coupling and auxiliary terms act in every step; "all": one term of all.
        **kwargs: As for `Balancing`.

    Raises:
        ValueError: If the seed is none.
    """

    learns_whole = True

    def __init__(
        self, seed: int = 0, balances: Literal["all", "tasks"] = "tasks", **kwargs: Any
    ) -> None:
        super().__init__(balances, **kwargs)
        self.seed = require_seed("one_task", seed)

    def prepare(self, names: Sequence[str]) -> None:
        """Create the count of steps, and who has had a turn."""
        super().prepare(names)
        self.count = self.memory("count", 0.0, ())
        self.served = self.memory("served", 0.0)

    def weigh(self, seen: Seen) -> Any:
        """Return 1 for the active task, 0 for all others; all 0 where none is present."""
        draws = uniform(keys_of(self.seed, seen.names), self.count.value)
        return chosen(draws, self.served.value, seen.present)

    def update(self, seen: Seen) -> None:
        """Count the step, and the turn."""
        served = after_turn(self.weigh(seen), self.served.value, seen.present)
        self.served.assign(served)
        self.count.assign(following(self.count.value))

    def get_config(self) -> dict[str, Any]:
        """Return the seed too."""
        return {**super().get_config(), "seed": self.seed}


def chosen(draws: Any, served: Any, present: Any) -> Any:
    """Return [T], 1 at the largest draw of those whose turn it is, else 0.

    Args:
        draws: [T] in [0, 1).
        served: [T], 1 for those that have had a turn.
        present: [T], 1 for those that take part.
    """
    waiting = present * (1.0 - served)
    candidates = ops.where(ops.sum(waiting) > 0, waiting, present)
    place = ops.argmax(ops.where(candidates > 0, draws, -1.0))
    return ops.one_hot(place, served.shape[0], dtype="float32") * present


def after_turn(active: Any, served: Any, present: Any) -> Any:
    """Return who has had a turn after a step; where all present ones had, they begin anew.

    Args:
        active: [T], of `chosen`.
        served: As for `chosen`.
        present: Likewise.
    """
    anew = ops.sum(present * (1.0 - served)) <= 0
    return ops.where(anew, served * (1.0 - present), served) + active
