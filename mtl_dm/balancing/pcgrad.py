"""PCGrad: gradients lose what conflicts with the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from mtl_dm.balancing._gradients import GradientBalancing
from mtl_dm.balancing._seen import Seen
from mtl_dm.balancing.cosines import cosines, summed
from mtl_dm.draws import following, keys_of, require_seed, uniform


@keras.saving.register_keras_serializable("mtl_dm")
class PCGrad(GradientBalancing):
    """d = sum_i g_i', g_i' what projections leave of g_i where it conflicts with other gradients.

    Source: Yu et al. 2020 (Gradient surgery), algorithm 1. For every i, over the others in random
    order: where g_i' g_j < 0,

        g_i' <- g_i' - (g_i' . g_j / |g_j|^2) g_j

    with the original g_j. Coefficients of g_i' on the gradients and their inner products are all
    it takes; those of the sum are the weights, >= 1 where a term has a gradient.
    The order is drawn per term and step from `seed`, the step's number (a saved weight) and the
    names, so that it is the same on every replica, after a restart and whoever else takes part. A
    term that is absent or has no gradient takes no part: the projection would divide by 0.
    Deviation: the authors' code projects the gradients of all weights, so that |g_j| holds those of
    head j too; here, as in the paper's setting of shared weights and in LibMTL, the shared ones
    alone, and the heads get the plain sum.
    Scopes: conflicts are angles between gradients of weights; "features" is left away as in LibMTL.

    Args:
        seed: Of the orders.
        **kwargs: As for `GradientBalancing`.

    Raises:
        ValueError: If the seed is no integer.
    """

    scopes = ("shared", "last_layer")
    weighs_heads = False

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = require_seed("pcgrad", seed)

    def prepare(self, names: Sequence[str]) -> None:
        """Create the step's number."""
        super().prepare(names)
        self.step = self.memory("step", 0.0, ())
        self._keys = pair_keys(self.seed, names)

    def weigh(self, seen: Seen) -> Any:
        """Return the sum of what the projections leave, as coefficients."""
        found, lengths, moves = cosines(seen.gram, seen.present)
        order = ops.argsort(uniform(self._keys, self.step.value), axis=1)
        return summed(projected(found, moves, order), lengths, moves)

    def update(self, seen: Seen) -> None:
        """Count the step."""
        del seen
        self.step.assign(following(self.step.value))

    def get_config(self) -> dict[str, Any]:
        """Return the seed too."""
        return {**super().get_config(), "seed": self.seed}


def projected(found: Any, moves: Any, order: Any) -> Any:
    """Return the coefficients [T, T] of what is left of every unit vector, projected in turn.

    Args:
        found: [T, T] cosines.
        moves: [T], 1 for terms that take part.
        order: [T, T] integers, row i the order in which vector i meets the others.
    """
    count = moves.shape[0]
    places = ops.arange(count, dtype=order.dtype)
    others = (1.0 - ops.eye(count)) * moves[None, :]

    def meet(turn: Any, coefficients: Any, products: Any) -> Any:
        # Row i: vector i meets another one; `products` are those of row i with all of them.
        met = ops.take(order, turn, axis=1)
        one = ops.cast(met[:, None] == places, "float32") * others
        overlap = ops.minimum(ops.sum(products * one, axis=1, keepdims=True), 0.0)
        products = products - overlap * ops.take(found, met, axis=0)
        return turn + 1, coefficients - overlap * one, products

    _, coefficients, _ = ops.while_loop(
        lambda turn, *_: turn < count, meet, (ops.zeros((), "int32"), ops.eye(count), found)
    )
    return coefficients


def pair_keys(seed: int, names: Sequence[str]) -> np.ndarray:
    """Return a key of draws for every ordered pair of names, [T, T]."""
    pairs = [(one, other) for one in names for other in names]
    return keys_of(seed, pairs).reshape(len(names), len(names))
