"""CAGrad: near the mean gradient, the step that helps the worst-off term most."""

from __future__ import annotations

import math
from typing import Any, Literal

import keras
from keras import ops

from mtl_dm.balancing._gradients import GradientBalancing, normalised
from mtl_dm.balancing._seen import Seen
from mtl_dm.balancing.conflict_averse import conflict_averse, smooth_length
from mtl_dm.balancing.cosines import SHORTEST

RESCALES = ("none", "square", "linear")


@keras.saving.register_keras_serializable("mtl_dm")
class CAGrad(GradientBalancing):
    """d = g_0 + c |g_0| g_w / |g_w|, g_0 the mean gradient and g_w = sum_i w_i g_i.

    Source: Liu et al. 2021 (Conflict-averse gradient descent), eq. 3 and algorithm 1: d maximises
    min_i g_i' d over |d - g_0| <= c |g_0|; its dual is

        w = argmin over the simplex of g_w' g_0 + c |g_0| |g_w|,

    solved in the graph (`conflict_averse`; the authors' code: SLSQP). c = 0 is the mean, c -> inf
    the direction of MGDA; below 1 the method converges to a minimum of the mean loss.
    Deviation: under the root of |g_w|^2 is 1e-6 of the mean squared length (authors: 1e-8 in the
    loss's own unit). At a Pareto-stationary point, where g_w = 0 and g_w / |g_w| may be anything,
    d is then still what maximises the least progress, not what rounding errors make of it;
    weights are at most 1 + 1e3 c.
    The mean is over the terms that take part: one that is
    absent or without a gradient would get all of w, and the trunk would lose its second part.
    The heads get the plain sum of the gradients, as in the authors' code.
    Scopes: "features" is left away: progress g_i' d is that of the weights; LibMTL refuses it too.

    Args:
        c: >= 0, 0.5 by default (the authors: 0.2 to 0.8).
        rescale: Divide d by 1 ("none", the paper), 1 + c^2 ("square", the authors' code) or 1 + c
            ("linear").
        **kwargs: As for `GradientBalancing`.

    Raises:
        ValueError: If c is out of its range or the rescaling unknown.
    """

    scopes = ("shared", "last_layer")
    weighs_heads = False

    def __init__(
        self,
        c: float = 0.5,
        rescale: Literal["none", "square", "linear"] = "square",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= c < math.inf:
            raise ValueError(f"c of CAGrad must be finite and >= 0, got {c}.")
        if rescale not in RESCALES:
            raise ValueError(f"rescale of CAGrad must be one of {RESCALES}, got {rescale!r}.")
        self.c = c
        self.rescale = rescale

    def weigh(self, seen: Seen) -> Any:
        """Return 1 / T + c |g_0| w_i / |g_w|, rescaled."""
        gram, _ = normalised(seen.gram, seen.present)
        moves = ops.cast(ops.diagonal(gram) > SHORTEST, "float32")
        mean = moves / ops.maximum(ops.sum(moves), 1.0)
        w = conflict_averse(gram, moves, self.c)
        length = ops.sqrt(ops.maximum(ops.sum(mean[:, None] * gram * mean[None, :]), 0.0))
        weights = mean + self.c * length * w / smooth_length(gram, w)
        return (
            weights / {"none": 1.0, "square": 1.0 + self.c**2, "linear": 1.0 + self.c}[self.rescale]
        )

    def get_config(self) -> dict[str, Any]:
        """Return the options too."""
        return {**super().get_config(), "c": self.c, "rescale": self.rescale}
