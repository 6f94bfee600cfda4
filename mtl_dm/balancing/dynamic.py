"""Dynamic weights: a unit on the shared features gives the hard task the larger weight."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import keras
import numpy as np
from keras import ops

from mtl_dm.balancing import weight_unit
from mtl_dm.balancing._losses import EPSILON, with_logarithm
from mtl_dm.balancing._seen import Seen
from mtl_dm.balancing._shared import SharedBalancing
from mtl_dm.draws import keys_of, require_seed, truncated_normal

Start = Literal["zeros", "normal"]
STARTS = ("zeros", "normal")
DEVIATION = 0.1
"""Of the truncated normal distribution that the authors' code starts from."""
OFFSET = 0.01
"""Which the authors' code adds to a loss before it inverts it."""


class _Variant(NamedTuple):
    """How a variant reads the paper.

    Attributes:
        normalised: Whether the logits are scaled to unit length.
        holds: Whether the weights are constants in the total loss.
        start: What psi starts from.
        offset: Added to a loss before it is inverted.
        gradient: Of L_3 by the logits.
    """

    normalised: bool
    holds: bool
    start: Start
    offset: float
    gradient: Callable[[Any, Any], Any]


VARIANTS = {
    "paper": _Variant(True, True, "zeros", OFFSET, weight_unit.logit_gradient),
    "author": _Variant(False, False, "normal", OFFSET, weight_unit.logit_gradient),
    "printed": _Variant(False, True, "zeros", EPSILON, weight_unit.printed_logit_gradient),
}


@keras.saving.register_keras_serializable("mtl_dm")
class Dynamic(SharedBalancing):
    """Weights from a softmax layer on the shared features, with a loss of its own.

    Source: Ming et al. 2019, section 4; the equations are those of `mtl_dm.balancing.weight_unit`.
    The weights sum to 1 over the terms that are present. In every step the unit takes a step of
    gradient descent on L_3 = sum_i w_i / L_i, the losses held constant, which lowers the weight of
    an easy term; L_3 reaches nothing but the unit. An absent term keeps its row of the unit.

    Variants:
        - paper: logits of unit length (section 5.5), weights constant in the total loss, psi and b
          from zero, the gradient of L_3 with its cross terms, which eq. 8 lacks. The step takes the
          gradient by the scaled logits for that by the logits, as section 5.5 puts scaled a_i into
          eq. 8: through the scaling itself two logits that start at zero would get no gradient
          after their first step. A deviation is the authors' L_i + 0.01, which the paper's L_3
          lacks: the step has no bound as a loss goes to 0. After 20 steps with the losses 2 and 1
          one batch with 1e-6 in place of 2 turns the weights over for 181 steps; with 1e-8 they
          would not be back after 200,000.
        - author: the newest file of the authors' code: unscaled logits, L_i + 0.01, psi from a
          truncated normal distribution, and no stop of the total loss's gradient through w into
          the network. Left away: RMSProp for the unit.
        - printed: eq. 5 to 8 as they stand: unscaled logits and the gradient without cross terms.
          With 1 / L_i as printed (1e-8 is added), one batch with a loss near 0 ends the unit: the
          weight of its term goes to 0, and so does every gradient after it.

    L_3 is linear in w, so that unscaled weights go to 1 for one term and 0 for the others as long
    as one loss stays the largest. Deviations: features of unit length; a loss that is not above 0
    takes no part, as its inverse would take all the weight from its term for good.

    Args:
        variant: "paper", "author" or "printed".
        learning_rate: Of the unit, > 0; the authors' 0.1 by default.
        start: What psi starts from, "zeros" or "normal" (standard deviation 0.1, cut at two); None:
            as the variant says. Of two normalised logits from zero only a sign is left
            (`weight_unit.normalised`): "normal" makes the paper's variant smooth.
        seed: Of the normal distribution.
        **kwargs: As for `Balancing`.

    Raises:
        ValueError: If an option is unknown or out of its range.
    """

    learns_whole = True

    def __init__(
        self,
        variant: Literal["paper", "author", "printed"] = "paper",
        learning_rate: float = 0.1,
        start: Start | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if variant not in VARIANTS:
            raise ValueError(
                f"variant of dynamic must be one of {list(VARIANTS)}, got {variant!r}."
            )
        if not 0 < learning_rate < math.inf:
            raise ValueError(
                f"learning_rate of dynamic must be finite and > 0, got {learning_rate}."
            )
        if start is not None and start not in STARTS:
            raise ValueError(f"start of dynamic must be one of {STARTS}, got {start!r}.")
        self.variant = variant
        self.learning_rate = learning_rate
        self.start = start
        self.seed = require_seed("dynamic", seed)
        self._reads = VARIANTS[variant]

    def prepare_shared(self, width: int) -> None:
        """Create psi and b."""
        start = self._reads.start if self.start is None else self.start
        shape = (width, len(self.names))
        self.kernel = self.memory("kernel", self._drawn if start == "normal" else 0.0, shape)
        self.bias = self.memory("bias", 0.0)

    def _drawn(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Return the start of psi, a column a term by its name, whatever other terms there are."""
        places = np.arange(shape[0], dtype=np.float32)[:, None]
        drawn = truncated_normal(keys_of(self.seed, self.names), places)
        return ops.cast(DEVIATION * drawn, dtype)

    def _of_images(self, seen: Seen) -> tuple[Any, Any, Any]:
        """Return the weights [B, T] of images, their features, and which terms are counted."""
        counted = with_logarithm(seen.losses, seen.present)
        shared = self.shared(seen)
        logits = weight_unit.unit_logits(shared, self.kernel.value, self.bias.value)
        if self._reads.normalised:
            logits = weight_unit.normalised(logits, counted)
        return weight_unit.weights_of_images(logits, counted), shared, counted

    def weigh(self, seen: Seen) -> Any:
        """Return the mean weights of the batch, 0 for a term that takes no part."""
        weights = weight_unit.batch_mean(self._of_images(seen)[0])
        return ops.stop_gradient(weights) if self._reads.holds else weights

    def update(self, seen: Seen) -> None:
        """Take a step on L_3."""
        weights, shared, counted = self._of_images(seen)
        inverses = weight_unit.inverses(seen.losses, counted, self._reads.offset)
        of_logits = self._reads.gradient(weights, inverses)
        by_kernel, by_bias = weight_unit.parameter_gradients(of_logits, shared)
        self.kernel.assign(self.kernel.value - self.learning_rate * by_kernel)
        self.bias.assign(self.bias.value - self.learning_rate * by_bias)

    def get_config(self) -> dict[str, Any]:
        """Return the options too."""
        return {
            **super().get_config(),
            "variant": self.variant,
            "learning_rate": self.learning_rate,
            "start": self.start,
            "seed": self.seed,
        }
