"""Parts of one network that teach each other what they predict.

Shapes: B images, P parts, K labels. Everything is float32, whatever the logits are.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from mtl_dm.losses._checks import require_shape


def mutual_class_distillation(logits: Any, temperature: float = 1.0) -> Any:
    """Return how far each part's classes are from the other parts', which teach it.

    Source: Zhang et al. 2018, deep mutual learning: the mean over parts s and their teachers
    t != s of KL(p_t || p_s), with p = softmax(logits / T) and p_t constant. The factor T^2 keeps
    the gradient as large as that of the labels (Hinton, Vinyals, Dean 2015).

    Args:
        logits: [B, P, K], P >= 2.
        temperature: T > 0.

    Returns:
        [B], in nats, >= 0; 0 where all parts agree.

    Raises:
        ValueError: If there are fewer than two parts, or T is not positive.
    """
    logs = ops.log_softmax(_checked(logits, temperature) / temperature, axis=-1)
    teachers = ops.stop_gradient(logs)[:, :, None]
    divergence = ops.sum(ops.exp(teachers) * (teachers - logs[:, None]), axis=-1)
    return temperature**2 * _mean_over_pairs(divergence)


def mutual_value_distillation(outputs: Any) -> Any:
    """Return half the squared difference of each part's outputs from the other parts'.

    Source: this project; on logits it is what distillation becomes at a high temperature (Hinton,
    Vinyals, Dean 2015, section 2.1), so it suits attributes as well as real values.

    Args:
        outputs: [B, P, K], P >= 2.

    Returns:
        [B], the mean over labels and pairs of a part and its constant teacher.

    Raises:
        ValueError: If there are fewer than two parts.
    """
    outputs = _checked(outputs)
    difference = ops.stop_gradient(outputs)[:, :, None] - outputs[:, None]
    return _mean_over_pairs(ops.mean(ops.square(difference), axis=-1) / 2.0)


def _checked(logits: Any, temperature: float = 1.0) -> Any:
    if not temperature > 0:
        raise ValueError(f"temperature must be > 0, got {temperature}.")
    require_shape("logits", logits, (None, None, None))
    if logits.shape[1] < 2:
        raise ValueError(f"At least two parts teach each other, got logits {tuple(logits.shape)}.")
    return ops.cast(logits, "float32")


def _mean_over_pairs(values: Any) -> Any:
    """Return the mean of [B, P, P] over pairs of different parts; the diagonal is 0."""
    parts = values.shape[1]
    return ops.sum(values, axis=(1, 2)) / (parts * (parts - 1))
