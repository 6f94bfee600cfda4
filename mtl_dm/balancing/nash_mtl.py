"""Nash-MTL: the weights on which the terms would settle in a bargain."""

from __future__ import annotations

from typing import Any

import keras

from mtl_dm.balancing._gradients import GradientBalancing
from mtl_dm.balancing._seen import Seen
from mtl_dm.balancing.cosines import cosines
from mtl_dm.balancing.fair import fair_weights


@keras.saving.register_keras_serializable("mtl_dm")
class NashMTL(GradientBalancing):
    """d = sum_i a_i g_i with a > 0 and G a = 1 / a, the Nash bargaining solution.

    Source: Navon et al. 2022, claim 3.1 and algorithm 1: d maximises sum_i log(g_i' d) over a ball.
    The equation says that a_i g_i does not change with the scale of loss i and that |d|^2 = T. It
    is the stationarity of a strictly convex function, a' G a / 2 - sum_i log a_i, which
    `fair_weights` minimises in the graph; for two terms a_i = 1 / (|g_i| sqrt(1 + cos)).
    Deviations: the authors approach a by a sequence of linearised problems for an external solver,
    of G divided by its norm, and clip |d| at 1; where their solver fails, in LibMTL always without
    its package, the last or equal weights stay without a word. Here there is no other path.
    They weigh the heads too; here these get the plain sum of the gradients, since the bargain is
    over shared weights: one whose trunk gradient is 0 at first must still learn.
    There is no solution where 0 is a convex combination of the gradients (a Pareto-stationary
    point): a tends to infinity and d to an arbitrary vector of length sqrt(T); a stays finite,
    a_i |g_i| up to 1e3, and d goes to 0 (`fair.RIDGE`). Nor is there one where a gradient is 0
    (a_i 0 = 1 / a_i): such a term takes no part and has weight 0, like one that is absent.
    Scopes: the claim is about the weights' own space; "features" is left away as in LibMTL.
    """

    scopes = ("shared", "last_layer")
    weighs_heads = False

    def weigh(self, seen: Seen) -> Any:
        """Return a."""
        return fair_weights(*cosines(seen.gram, seen.present), power=1.0)
