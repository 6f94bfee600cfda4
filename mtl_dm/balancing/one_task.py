"""One term a step: the others wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._base import Balancing, Seen
from mtl_dm.draws import require_seed, seed_of, uniform


@keras.saving.register_keras_serializable("mtl_dm")
class OneTask(Balancing):
    """L = L_a, with a drawn each step, all alike, among the terms that are present.

    Source: Strezoski, van Noord, Worring 2019, whose networks train one task a step. With
    u_i(n) uniform in [0, 1), drawn for term i by its name and the number n of steps before,

        a = argmax_{i present} u_i(n),  w_a = 1,  w_i = 0 for the others,

    so that a term that the batch has no labels for is never drawn and changes nothing for the
    others. A step has one active term, whatever the rows of its batch are annotated for: rows
    without labels of it do not teach in that step.
    Deviations: the source feeds the active task's images alone; here every image of the batch
    passes, so that normalisation sees all. The optimizer knows of no task: its momentum goes on
    moving the weights of a head whose gradient is 0.

    Args:
        seed: Another one draws another order.
        **kwargs: As for `Balancing`; `balances="tasks"` lets coupling terms act in every step.

    Raises:
        ValueError: If the seed is none.
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = require_seed("one_task", seed)

    def prepare(self, names: Sequence[str]) -> None:
        """Create the count of steps."""
        super().prepare(names)
        self.count = self.memory("count", 0.0, ())

    def weigh(self, seen: Seen) -> Any:
        """Return 1 for the active term, 0 for all others; all 0 where none is present."""
        draws = [uniform((), seed_of(self.seed, name), self.count) for name in seen.names]
        scores = ops.where(seen.present > 0, ops.stack(draws), -1.0)
        return ops.one_hot(ops.argmax(scores), len(seen.names), dtype="float32") * seen.present

    def update(self, seen: Seen) -> None:
        """Count the step."""
        del seen
        self.count.assign(self.count + 1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the seed too."""
        return {**super().get_config(), "seed": self.seed}
