"""UPGrad: the mean of the gradients, each projected so that it conflicts with none."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._gradients import GradientBalancing
from mtl_dm.balancing._seen import Seen
from mtl_dm.balancing.cosines import cosines, summed
from mtl_dm.balancing.nonnegative import nonnegative

RIDGE = 1e-5


@keras.saving.register_keras_serializable("mtl_dm")
class UPGrad(GradientBalancing):
    """d = mean_i pi(g_i), pi the projection onto the cone {d : g_j' d >= 0 for every j}.

    Source: Quinton, Rey 2024 (Jacobian descent), eq. 4, and proposition 1: pi(J' u) = J' v with

        v = argmin v' G v subject to v >= u,

    here with u = e_i for every term i, all at once. The step of a small rate raises no term's loss.
    Deviations: the problems are solved on unit vectors, v_j = (|g_i| / |g_j|) (delta_ij + x_j) with
    x >= 0, so that no gradient is too short to be heard in float32; `RIDGE` = 1e-5 is added to the
    cosines' diagonal (the authors add 1e-4 of the trace to that of G). The mean is over the terms
    that take part: those that are present and have a gradient.
    Scopes: the promise is about the weights that the rows of J belong to. Products of gradients
    with respect to features say nothing about it: "features" is left away, as in LibMTL.
    The heads get the plain sum of the gradients.
    """

    scopes = ("shared", "last_layer")
    weighs_heads = False

    def weigh(self, seen: Seen) -> Any:
        """Return the mean of the projections' coefficients."""
        found, lengths, moves = cosines(seen.gram, seen.present)
        count = ops.maximum(ops.sum(moves), 1.0)
        return summed(unconflicting(found, moves), lengths, moves) / count


def unconflicting(found: Any, moves: Any) -> Any:
    """Return the coefficients [T, T] of every unit vector's projection onto the cone.

    Args:
        found: [T, T] cosines.
        moves: [T], 1 for terms that take part.
    """
    identity = ops.eye(moves.shape[0])
    linear = found * moves[:, None] * moves[None, :]
    return identity + nonnegative(found + RIDGE * identity, linear)
