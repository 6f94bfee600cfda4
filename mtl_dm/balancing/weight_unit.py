"""The dynamic weight unit: a softmax layer on shared features that gives terms their weights.

Source: Ming et al. 2019, section 4. With z the shared features of an image, and psi_i and b_i the
unit's own for each term i,

    f_i = <psi_i, z> + b_i                          (eq. 6)
    w_i = exp(f_i) / sum_j exp(f_j)                 (eq. 5)
    L_3 = sum_i w_i / L_i                           (eq. 7), L_i held constant,

where a term's weight is the mean of its w_i over the images of a batch.

Deviation in all that follows: z is scaled to unit length, as in the authors' code and not in the
paper, so that a step of the unit does not depend on how wide the features are.

Shapes: B images, T terms, D features.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from mtl_dm.losses.lengths import unit_length
from mtl_dm.losses.reduction import global_sum


def unit_logits(features: Any, kernel: Any, bias: Any) -> Any:
    """Return f [B, T] (eq. 6).

    Args:
        features: z, [B, D], of unit length.
        kernel: psi, [D, T].
        bias: b, [T].
    """
    return ops.matmul(features, kernel) + bias


def normalised(logits: Any, present: Any) -> Any:
    """Return logits [B, T] of unit length over the terms that are present, 0 for the others.

    Source: section 5.5, "we normalize the a_i as the embedding feature". Dividing a_i = exp(f_i)
    by any length leaves eq. 5 as it is; what changes it, and what the authors' first code does, is
    to divide f. Logits of unit length bound the weights of two terms to sigmoid(+-sqrt(2)), 0.1956
    to 0.8044.

    What that means for two terms: a step on L_3 moves f_1 and f_2 by opposite amounts, so that
    their sum s stays and f_1 - f_2 = d enters as sqrt(2) d / sqrt(s^2 + d^2). From zero, s is 0 and
    that is sqrt(2) times the sign of d: the unit is a switch. It is smooth as far as s is not 0.

    Args:
        logits: f, [B, T].
        present: [T], 1 for terms that take part.
    """
    return unit_length(logits * present)


def weights_of_images(logits: Any, present: Any) -> Any:
    """Return w [B, T] (eq. 5): over the terms that are present, 0 for the others.

    Args:
        logits: [B, T].
        present: [T], 1 for terms that take part.
    """
    here = present > 0
    top = ops.max(ops.where(here, logits, -1e30), axis=-1, keepdims=True)
    sizes = ops.where(here, ops.exp(ops.where(here, logits - ops.stop_gradient(top), 0.0)), 0.0)
    total = ops.sum(sizes, axis=-1, keepdims=True)
    return sizes / ops.where(total > 0, total, 1.0)


def batch_mean(rows: Any) -> Any:
    """Return the mean over the images of all replicas.

    Args:
        rows: [B, ...] of this replica.
    """
    images = global_sum(ops.sum(ops.ones_like(rows[:, :1])))
    return global_sum(ops.sum(rows, axis=0)) / images


def inverses(losses: Any, counted: Any, offset: float) -> Any:
    """Return 1 / (L_i + offset), [T], 0 for a term that is not counted.

    Args:
        losses: [T].
        counted: [T], 1 for terms with a loss above 0.
        offset: Above 0.
    """
    safe = ops.where(counted > 0, losses, 1.0)
    return counted / (safe + offset)


def weight_loss(weights: Any, inverse_losses: Any) -> Any:
    """Return L_3 = sum_i w_i / L_i (eq. 7).

    Args:
        weights: w, [..., T].
        inverse_losses: 1 / L_i, [T].
    """
    return ops.sum(weights * inverse_losses, axis=-1)


def logit_gradient(weights: Any, inverse_losses: Any) -> Any:
    """Return the gradient of L_3 with respect to f: w_i (1/L_i - sum_j w_j / L_j).

    Eq. 8 as printed lacks the second part: see `printed_logit_gradient`.

    Args:
        weights: w, [B, T].
        inverse_losses: 1 / L_i, [T].
    """
    mean = ops.sum(weights * inverse_losses, axis=-1, keepdims=True)
    return weights * (inverse_losses - mean)


def printed_logit_gradient(weights: Any, inverse_losses: Any) -> Any:
    """Return eq. 8 as printed: (1/L_i) w_i (1 - w_i), as if f_i moved w_i alone.

    Of two terms, the difference of its two parts is half of the true one, so that eq. 10's exponent
    is half of what a step on L_3 gives, whatever the weights are. Of more terms its parts are no
    multiple of the gradient's.

    Args:
        weights: w, [B, T].
        inverse_losses: 1 / L_i, [T].
    """
    return inverse_losses * slopes_of(weights)


def slopes_of(weights: Any) -> Any:
    """Return w_i (1 - w_i), the derivative of w_i by f_i.

    With a_i = exp(f_i) it is a_i sum_{j != i} a_j / (sum_j a_j)^2, the factor of eq. 8 that section
    5.5 sees vanish where a_i is large. It depends on the ratios of the a_i alone: it vanishes where
    one is large beside the others, not where all are; and it is at least 0.157 for two logits of
    unit length.

    Args:
        weights: w, [..., T].
    """
    return weights * (1.0 - weights)


def parameter_gradients(of_logits: Any, features: Any) -> tuple[Any, Any]:
    """Return the gradients by psi [D, T] and b [T], means over the images of all replicas.

    Args:
        of_logits: By f, [B, T] of this replica.
        features: z, [B, D] of unit length.
    """
    images = global_sum(ops.sum(ops.ones_like(of_logits[:, :1])))
    by_kernel = global_sum(ops.matmul(ops.transpose(features), of_logits))
    return by_kernel / images, batch_mean(of_logits)
