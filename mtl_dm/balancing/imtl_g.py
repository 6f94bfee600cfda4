"""IMTL-G: a direction on which every gradient has the same projection."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._gradients import GradientBalancing
from mtl_dm.balancing._seen import Seen
from mtl_dm.balancing.cosines import cosines
from mtl_dm.balancing.spectrum import spectrum

SMALL = 1e-30


@keras.saving.register_keras_serializable("mtl_dm")
class ImpartialGradients(GradientBalancing):
    """d = sum_i w_i g_i with g_i' d / |g_i| the same for every term.

    Source: Liu et al. 2021 (Towards impartial multi-task learning), eq. 5 to 7: with the cosines C
    and w_i |g_i| = b_i, C b is a constant: b is proportional to pinv(C) 1. Weights may be negative.
    The direction does not change with the scale of a term's loss.
    Deviation: the paper scales w to sum to 1. Weights of both signs may sum to almost 0, and then d
    explodes, or to less than 0, and then d climbs every loss. Here the sum of |w_i| is 1: the same
    where no weight is negative, otherwise always a bounded descent.
    Where the gradients are dependent, the pseudo-inverse gives the shortest b, which shares equally
    between equal ones; where then no d has equal projections but 0, their least squares. A term
    without a gradient takes no part and has weight 0. The heads get the plain sum of the gradients:
    a negative weight would climb the loss of its head.
    Scopes: the paper itself takes gradients with respect to the shared features where it can.
    """

    weighs_heads = False
    signed = True

    def weigh(self, seen: Seen) -> Any:
        """Return w."""
        found, lengths, moves = cosines(seen.gram, seen.present)
        values, vectors, kept = spectrum(found, moves)
        inverse = kept / ops.where(kept > 0, values, 1.0)
        # b = V diag(1 / values) V' 1.
        shares = moves * ops.sum(vectors * inverse * ops.sum(vectors * moves[:, None], 0), axis=1)
        relative = lengths / ops.max(lengths * moves + (1.0 - moves) * SMALL)
        weights = moves * shares / relative
        return weights / ops.maximum(ops.sum(ops.abs(weights)), SMALL)
