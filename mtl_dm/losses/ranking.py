"""Scores that are to be in the order of something else.

Shapes: B images, M parts. Everything is float32, whatever the scores are.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from mtl_dm.losses._checks import require_shape


def pairwise_ranking_loss(scores: Any, losses: Any) -> Any:
    """Return how far the scores of parts are from the order in which the parts are right.

    Source: Yang et al. 2018, the navigation loss: the sum of max(0, 1 - (I_s - I_i)) over the pairs
    of parts with C_i < C_s, I their scores and C the confidence in the true class. After the
    authors' code parts are ordered by their loss, the smallest first, as -log C orders them; parts
    of equal loss make no pair.

    Args:
        scores: I, [B, M].
        losses: [B, M], of which no gradient is taken.

    Returns:
        [B], >= 0.

    Raises:
        ValueError: If the shapes differ.
    """
    require_shape("scores", scores, (None, None))
    require_shape("losses", losses, tuple(scores.shape))
    scores = ops.cast(scores, "float32")
    losses = ops.stop_gradient(ops.cast(losses, "float32"))
    better = ops.cast(losses[:, :, None] < losses[:, None], "float32")
    hinge = ops.relu(1.0 - scores[:, :, None] + scores[:, None])
    return ops.sum(better * hinge, axis=(1, 2))
