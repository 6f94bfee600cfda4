"""FairGrad: alpha-fair shares of the progress."""

from __future__ import annotations

from typing import Any

import keras

from mtl_dm.balancing._gradients import GradientBalancing
from mtl_dm.balancing._seen import Seen
from mtl_dm.balancing.cosines import cosines
from mtl_dm.balancing.fair import fair_weights

LEAST, MOST = 0.1, 10.0


@keras.saving.register_keras_serializable("mtl_dm")
class FairGrad(GradientBalancing):
    """d = sum_i w_i g_i with w > 0 and G w = w^(-1 / alpha).

    Source: Ban, Ji 2024 (Fair resource allocation in multi-task learning), eq. 6: d maximises the
    alpha-fair utility sum_i (g_i' d)^(1 - alpha) / (1 - alpha) over a ball. alpha = 1 is
    proportional fairness (Nash-MTL), 2 the least total delay; the larger, the more the term with
    the least progress counts.
    Deviations: the authors' code asks a bounded nonlinear least-squares solver of SciPy for w; the
    equation is the stationarity of a strictly convex function, which `fair_weights` minimises in
    the graph. They weigh the heads too; here these get the plain sum of the gradients, as for
    `NashMTL`. w is that of G as it is: its unit changes the length of d, never its direction.
    Where 0 is a convex combination of the gradients there is no solution: w stays finite and d
    goes to 0 (`fair.RIDGE`). A term without a gradient takes no part and has weight 0.
    Scopes: as for `NashMTL`.

    Args:
        alpha: Between 0.1 and 10: beyond, the powers leave float32. 1 by default.
        **kwargs: As for `GradientBalancing`.

    Raises:
        ValueError: If alpha is out of its range.
    """

    scopes = ("shared", "last_layer")
    weighs_heads = False

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not LEAST <= alpha <= MOST:
            raise ValueError(f"alpha of FairGrad must be in [{LEAST}, {MOST}], got {alpha}.")
        self.alpha = alpha

    def weigh(self, seen: Seen) -> Any:
        """Return w."""
        return fair_weights(*cosines(seen.gram, seen.present), power=1.0 / self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return alpha too."""
        return {**super().get_config(), "alpha": self.alpha}
