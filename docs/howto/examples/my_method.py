"""A balancing method: terms weigh as a running average of their loss to a power."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing import BALANCING, Balancing, Seen


@BALANCING.register("my_method")
@keras.saving.register_keras_serializable("my_method")
class MyMethod(Balancing):
    """Weights w_i = T a_i^p / sum_j a_j^p, a_i the running average of L_i, T the terms present.

    Args:
        power: p; 0 weighs all alike.
        momentum: Share of the average that a step leaves, in [0, 1).
        balances: As for `Balancing`.
        **options: As for `Balancing`.

    Raises:
        ValueError: If `momentum` breaks its rule.
    """

    def __init__(
        self, power: float = 0.5, momentum: float = 0.9, balances: str = "all", **options: Any
    ) -> None:
        super().__init__(balances, **options)
        if not 0 <= momentum < 1:
            raise ValueError(f"my_method: momentum must lie in [0, 1), got {momentum}.")
        self.power, self.momentum = power, momentum

    def prepare(self, names: Sequence[str]) -> None:
        """Make what is remembered; checkpoints hold it."""
        super().prepare(names)
        self.average = self.memory("average", 1.0)

    def weigh(self, seen: Seen) -> Any:
        """Return the weights [T]; a term that is absent takes no part."""
        powers = seen.present * ops.power(ops.maximum(self.average.value, 1e-6), self.power)
        return ops.sum(seen.present) * powers / ops.maximum(ops.sum(powers), 1e-6)

    def update(self, seen: Seen) -> None:
        """Remember the losses of a step."""
        old = self.average.value
        new = self.momentum * old + (1 - self.momentum) * seen.losses
        self.average.assign(ops.where(seen.present > 0, new, old))

    def get_config(self) -> dict[str, Any]:
        """Return what makes the same method again."""
        return {**super().get_config(), "power": self.power, "momentum": self.momentum}
