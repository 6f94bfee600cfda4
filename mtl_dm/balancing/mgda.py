"""Multiple gradient descent: the common descent direction of least norm."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

from mtl_dm.balancing._gradients import GradientBalancing
from mtl_dm.balancing._seen import Seen
from mtl_dm.balancing.min_norm import min_norm_weights

NORMALIZATIONS = ("none", "l2", "loss", "loss+")
SMALL = 1e-12


@keras.saving.register_keras_serializable("mtl_dm")
class MGDA(GradientBalancing):
    """Weights on the simplex that make the weighted gradient of the shared weights shortest.

    Source: Desideri 2012; Sener, Koltun 2018, algorithm 2, whose `MGDA-UB` takes the gradients with
    respect to the representation instead (scope "features"): cheaper, but its bound holds only
    where the terms share their input images (the authors' own statement). For single-task data
    sets, where an image has one task's labels, keep "shared". The heads get the plain sum of the
    gradients. A term that is absent takes no part, and, a deviation, neither does one without any
    gradient: the shortest combination would be that term alone, and the network would stand still.

    Args:
        normalization: Divide a gradient by 1 ("none"), its length ("l2"), its term's loss
            ("loss") or both ("loss+") before the weights are chosen, which then apply to the
            undivided ones, as in the authors' code.
        **kwargs: As for `GradientBalancing`.

    Raises:
        ValueError: If a name is unknown.
    """

    weighs_heads = False

    def __init__(
        self,
        normalization: Literal["none", "l2", "loss", "loss+"] = "none",
        **kwargs: Any,
    ) -> None:
        if normalization not in NORMALIZATIONS:
            raise ValueError(
                f"normalization must be one of {NORMALIZATIONS}, got {normalization!r}."
            )
        super().__init__(**kwargs)
        self.normalization = normalization

    def weigh(self, seen: Seen) -> Any:
        """Return the weights of the shortest convex combination."""
        divisor = _divisor(self.normalization, seen)
        moves = ops.cast(ops.diagonal(seen.gram) > 0, "float32")
        gram = seen.gram / (divisor[:, None] * divisor[None, :])
        return min_norm_weights(gram, seen.present * moves)

    def get_config(self) -> dict[str, Any]:
        """Return the options too."""
        return {**super().get_config(), "normalization": self.normalization}


def _divisor(normalization: str, seen: Seen) -> Any:
    """Return what each gradient is divided by, [T] > 0."""
    divisor = ops.ones_like(seen.losses)
    if normalization in ("l2", "loss+"):
        divisor = divisor * ops.sqrt(ops.maximum(ops.diagonal(seen.gram), SMALL))
    if normalization in ("loss", "loss+"):
        divisor = divisor * ops.maximum(seen.losses, SMALL)
    return ops.where(seen.present > 0, divisor, 1.0)
