"""Weights that are given and stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from mtl_dm.balancing._base import Balancing
from mtl_dm.balancing._given import numbers_by_name, require_terms
from mtl_dm.balancing._seen import Seen


@keras.saving.register_keras_serializable("mtl_dm")
class StaticWeighting(Balancing):
    """L = sum_i w_i L_i with constant w_i, 1 where none is given.

    Source: the general objective of Kollias et al. 2024, (1/m) sum_i w_i L_i, without the factor
    1/m, which the learning rate has. On top of `Task.weight` and a coupling's factors, and for any
    term by its logged name: `static(expression=2, distribution_matching=0.1)`.

    Args:
        balances: As for `Balancing`.
        unbiased: As for `Balancing`.
        name: As for `keras.layers.Layer`.
        trainable: As for `keras.layers.Layer`.
        dtype: As for `keras.layers.Layer`.
        **weights: By name of the term, finite and >= 0.

    Raises:
        ValueError: If a weight is no such number.
    """

    sees = "nothing"

    def __init__(
        self,
        balances: Literal["all", "tasks"] = "all",
        unbiased: bool = False,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = "float32",
        **weights: float,
    ) -> None:
        super().__init__(balances, unbiased, name=name, trainable=trainable, dtype=dtype)
        self._given = numbers_by_name("static weight", weights)

    def prepare(self, names: Sequence[str]) -> None:
        """Check that every weight is that of a term.

        Raises:
            ValueError: If one is not; the message lists the terms.
        """
        require_terms("static weight", self._given, names)
        super().prepare(names)

    def weigh(self, seen: Seen) -> Any:
        """Return the given weights."""
        return ops.convert_to_tensor([self._given.get(name, 1.0) for name in seen.names], "float32")

    def get_config(self) -> dict[str, Any]:
        """Return the weights too."""
        return {**super().get_config(), "weights": dict(self._given)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> StaticWeighting:
        """Return the method that `get_config` described."""
        config = dict(config)
        return cls(**config.pop("weights"), **config)
