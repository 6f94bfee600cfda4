"""Pareto MTL: towards a Pareto-optimal point with the losses in a given proportion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from mtl_dm.balancing._given import numbers_by_name, require_terms
from mtl_dm.balancing._gradients import GradientBalancing, Scope, normalised
from mtl_dm.balancing._seen import Seen
from mtl_dm.balancing.cosines import SHORTEST, times
from mtl_dm.balancing.min_norm import min_norm_weights

SMALL = 1e-12


@keras.saving.register_keras_serializable("mtl_dm")
class ParetoMTL(GradientBalancing):
    """The shortest combination of the terms' gradients and those of the active constraints.

    Source: Lin et al. 2019 (Pareto multi-task learning), eq. 8 to 13, and the authors' code. Unit
    vectors u_j divide the space of losses into sectors; with u that of the preference, the losses
    are in its sector where no constraint (u_j - u)' L / |L| > 0 is active.

    Stage 1, until none is active, at most `start_steps` steps: the shortest convex combination b of
    the active constraints' gradients, (u_j - u)' J: w = sum_j b_j (u_j - u).
    Stage 2: of the terms' gradients and those of the active constraints:
    w_i = a_i + sum_j b_j (u_ji - u_i), scaled to sum |w_i| = T.

    The constraints' Gram matrix follows from the terms': no further backward pass. Weights may be
    negative: to keep the proportion one loss may have to rise. The stage and the number of steps
    are saved weights.
    Deviations: the authors' vectors are n evenly spread ones for two terms. Here, for any number of
    terms, there is one neighbour of u towards each axis, at the same angle, pi / (2 (n - 1)): for
    two terms the sector is theirs. The authors count 2 epochs for stage 1, and weigh the heads too;
    here these get the plain sum, since a negative weight would climb the loss of its head. A term
    that is absent or without a gradient takes no part, and u is that of those present.
    Scopes: all, by the bound of `MGDA`; "features" only where terms share their images.

    Args:
        scope: As for `GradientBalancing`.
        vectors: n >= 2: the larger, the narrower the sector; the authors take 5.
        start_steps: Most steps of stage 1, >= 0.
        balances: As for `Balancing`.
        unbiased: As for `Balancing`.
        name: As for `keras.layers.Layer`.
        trainable: As for `keras.layers.Layer`.
        dtype: As for `keras.layers.Layer`.
        **preference: What the losses shall be proportional to, by name of the term, finite and
            >= 0, not all 0; 1 where none is given.

    Raises:
        ValueError: If a number is out of its range.
    """

    weighs_heads = False
    signed = True
    learns_whole = True

    def __init__(
        self,
        scope: Scope | None = None,
        vectors: int = 3,
        start_steps: int = 1000,
        balances: Literal["all", "tasks"] = "all",
        unbiased: bool = False,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = "float32",
        **preference: float,
    ) -> None:
        super().__init__(
            scope,
            balances=balances,
            unbiased=unbiased,
            name=name,
            trainable=trainable,
            dtype=dtype,
        )
        if vectors < 2:
            raise ValueError(f"vectors of ParetoMTL must be >= 2, got {vectors}.")
        if start_steps < 0:
            raise ValueError(f"start_steps of ParetoMTL must be >= 0, got {start_steps}.")
        self.vectors = vectors
        self.start_steps = start_steps
        self._preference = numbers_by_name("preference", preference)

    def prepare(self, names: Sequence[str]) -> None:
        """Create the stage, 0 for the first, and its number of steps.

        Raises:
            ValueError: If a preference is that of no term, or all are 0.
        """
        require_terms("preference", self._preference, names)
        super().prepare(names)
        self._shares = [self._preference.get(name, 1.0) for name in names]
        if not any(self._shares):
            raise ValueError(f"A preference of ParetoMTL must be > 0, got {self._preference}.")
        self.stage = self.memory("stage", 0.0, ())
        self.steps = self.memory("steps", 0.0, ())

    def weigh(self, seen: Seen) -> Any:
        """Return the weights of the stage; of the second where no constraint is active."""
        toward, active = self._constraints(seen)
        first = ops.logical_and(self.stage.value == 0, ops.any(active > 0))
        gram, _ = normalised(seen.gram, seen.present)
        moves = ops.cast(ops.diagonal(gram) > SHORTEST, "float32")
        # Rows: what each vector is of the terms' gradients.
        rows = ops.concatenate([ops.eye(moves.shape[0]), toward]) * moves
        products = times(rows, times(gram, rows))
        taking = ops.concatenate([ops.where(first, 0.0, moves), active])
        taking = taking * ops.cast(ops.diagonal(products) > SHORTEST, "float32")
        weights = ops.sum(min_norm_weights(products, taking)[:, None] * rows, axis=0)
        scale = ops.sum(moves) / ops.maximum(ops.sum(ops.abs(weights)), SMALL)
        return weights * ops.where(first, 1.0, scale)

    def update(self, seen: Seen) -> None:
        """Go to stage 2 where no constraint of several terms is active, or steps have run out."""
        _, active = self._constraints(seen)
        several = ops.sum(seen.present) > 1
        steps = self.steps.value + ops.cast(several, "float32") * (1.0 - self.stage.value)
        inside = ops.logical_and(several, ops.logical_not(ops.any(active > 0)))
        done = ops.logical_or(inside, steps >= self.start_steps)
        self.steps.assign(steps)
        self.stage.assign(ops.where(done, 1.0, self.stage.value))

    def _constraints(self, seen: Seen) -> tuple[Any, Any]:
        angle = math.pi / (2 * (self.vectors - 1))
        preference = ops.convert_to_tensor(self._shares, "float32")
        toward = constraints(preference, seen.present, angle)
        return toward, activity(toward, seen.losses * seen.present)

    def get_config(self) -> dict[str, Any]:
        """Return the options too."""
        return {
            **super().get_config(),
            "vectors": self.vectors,
            "start_steps": self.start_steps,
            "preference": dict(self._preference),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ParetoMTL:
        """Return the method that `get_config` described."""
        config = dict(config)
        return cls(**config.pop("preference"), **config)


def constraints(preference: Any, present: Any, angle: float) -> Any:
    """Return u_j - u [T, T]: row j for u turned by an angle towards axis j.

    Rows are 0 for absent terms, and where u lies on the axis or none of the present is preferred.

    Args:
        preference: [T] >= 0, any length.
        present: [T], 1 for terms that take part.
        angle: In radians.
    """
    chosen = preference * present
    length = ops.sqrt(ops.sum(chosen * chosen))
    unit = chosen / ops.where(length > 0, length, 1.0)
    axes = ops.eye(present.shape[0]) * present
    across = axes - unit[:, None] * unit[None, :]
    norm = ops.sqrt(ops.sum(across * across, axis=1, keepdims=True))
    usable = ops.logical_and(norm > 1e-3, length > 0)
    turned = math.cos(angle) * unit + math.sin(angle) * across / ops.where(usable, norm, 1.0)
    return ops.where(usable, turned - unit, 0.0) * present[:, None]


def activity(toward: Any, losses: Any) -> Any:
    """Return [T], 1 where a constraint (u_j - u)' L / |L| > 0 is active.

    Args:
        toward: [T, T], u_j - u in rows.
        losses: [T], 0 for absent terms.
    """
    length = ops.sqrt(ops.sum(losses * losses))
    along = ops.sum(toward * losses, axis=1) / ops.where(length > 0, length, 1.0)
    return ops.cast(along > 1e-6, "float32")
