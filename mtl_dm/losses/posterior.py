"""Soft co-annotation by Bayes' rule: the posterior of the class given annotated attributes.

Shapes: B images, K classes, M attributes. Everything is float32, whatever the logits are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

from mtl_dm.losses._checks import require_shape
from mtl_dm.losses.co_annotation import co_annotation_distillation, co_annotation_paper
from mtl_dm.losses.forms import CO_ANNOTATION_FORMS
from mtl_dm.relatedness import Relatedness

NEVER = -1e9
"""The score of a class of prior 0."""


def class_posterior(
    attributes: Any, mask: Any, likelihood: Any, prior: Any = None, temperature: float = 1.0
) -> Any:
    """Return P(class c | annotated attributes a) of each image, tempered.

    Source: this project; naive Bayes with the attributes independent given the class:

        q_c ~ prior_c exp(1/T sum_i m_i (a_i log P_ci + (1 - a_i) log(1 - P_ci))),  sum_c q_c = 1

    with P_ci = P(attribute i | class c) and m the mask. Unlike eq. 4-5 it counts an attribute's
    absence as evidence and weighs evidence in nats, so that q is sharp where attributes say much.
    T > 1 makes up for attributes that are not independent.

    Args:
        attributes: [B, M], a in [0, 1]; anything under a zero mask.
        mask: [B, M], 1 annotated, 0 not.
        likelihood: [K, M], P in (0, 1).
        prior: [K], 0 where a class cannot occur, whatever the attributes say; None: uniform.
        temperature: T > 0.

    Returns:
        [B, K] float32 probabilities; the prior where nothing is annotated.

    Raises:
        ValueError: If the shapes do not fit each other or T is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be > 0, got {temperature}.")
    require_shape("attributes", attributes, (None, None))
    require_shape("mask", mask, tuple(attributes.shape))
    require_shape("likelihood", likelihood, (None, attributes.shape[-1]))
    mask = ops.cast(mask, "float32")
    active = ops.where(mask > 0, ops.cast(attributes, "float32"), 0.0) * mask
    likelihood = ops.convert_to_tensor(likelihood, dtype="float32")
    evidence = ops.matmul(active, ops.transpose(ops.log(likelihood)))
    evidence += ops.matmul(mask - active, ops.transpose(ops.log(1.0 - likelihood)))
    scores = evidence / temperature
    return ops.softmax(with_prior(scores, prior), axis=-1)


def with_prior(scores: Any, prior: Any) -> Any:
    """Return the scores of classes [B, K], in nats, with the logarithm of their prior.

    A class of prior 0 stays out at a finite score that no evidence makes up for: much evidence
    weighs more than the logarithm of the smallest float.

    Args:
        scores: [B, K].
        prior: [K]; None: uniform, which adds nothing.

    Raises:
        ValueError: If the prior is not one number a class.
    """
    if prior is None:
        return scores
    require_shape("prior", prior, (scores.shape[-1],))
    prior = ops.convert_to_tensor(prior, dtype="float32")
    return scores + ops.where(prior > 0, ops.log(ops.where(prior > 0, prior, 1.0)), NEVER)


def _posterior_and_weights(
    class_logits: Any,
    relatedness: Relatedness,
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
    temperature: float,
) -> tuple[Any, Any]:
    """Return q [B, K] and 1 where attributes are annotated and the class is not, [B]."""
    require_shape("class_logits", class_logits, (None, relatedness.likelihood.shape[0]))
    require_shape("attributes", labels["attributes"], (class_logits.shape[0], None))
    require_shape("mask of the classes", masks["classes"], (class_logits.shape[0],))
    q = class_posterior(
        labels["attributes"],
        masks["attributes"],
        relatedness.likelihood,
        relatedness.prior,
        temperature,
    )
    some = ops.max(ops.cast(masks["attributes"], "float32"), axis=-1)
    return q, some * (1.0 - ops.cast(masks["classes"], "float32"))


@CO_ANNOTATION_FORMS.register("posterior")
def posterior(
    class_logits: Any,
    attribute_logits: Any,
    relatedness: Relatedness,
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
    *,
    temperature: float = 1.0,
) -> tuple[Any, Any]:
    """Return sum_c -p_c log q_c with q the posterior given the annotated attributes.

    Source: this project; eq. 6 of Kollias et al. 2024 with `class_posterior` for eq. 4-5, on
    images whose attributes are annotated and whose class is not: where the class is known, the
    label says more. The gradient with respect to logit c is p_c (sum_k p_k log q_k - log q_c),
    log q clipped at log 1e-7: it vanishes where p is confident, right or wrong, so that it moves
    the images which the network is unsure of and leaves alone what it has learned from labels.
    Linear in p, it is least at the likeliest class of q alone. Use it where class labels are
    scarce.

    Args:
        class_logits: [B, K].
        attribute_logits: [B, M], not used.
        relatedness: Its `likelihood` and `prior` make q.
        labels: "attributes" [B, M].
        masks: "classes" [B], "attributes" [B, M].
        temperature: T of `class_posterior`.

    Returns:
        Values [B] in nats and weights [B], 1 on the images it acts on.

    Raises:
        ValueError: If the shapes do not fit each other or T is not positive.
    """
    del attribute_logits
    q, weights = _posterior_and_weights(class_logits, relatedness, labels, masks, temperature)
    return co_annotation_paper(class_logits, q), weights


@CO_ANNOTATION_FORMS.register("posterior_distillation")
def posterior_distillation(
    class_logits: Any,
    attribute_logits: Any,
    relatedness: Relatedness,
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
    *,
    temperature: float = 1.0,
) -> tuple[Any, Any]:
    """Return sum_c -q_c log p_c with q the posterior given the annotated attributes.

    Source: this project; `posterior` with the roles of p and q exchanged (Hinton, Vinyals, Dean
    2015). The gradient with respect to logit c is p_c - q_c: it pulls every image to q however
    confident p is, and so passes on the errors of q where `posterior` would not.

    Args:
        class_logits: [B, K].
        attribute_logits: [B, M], not used.
        relatedness: Its `likelihood` and `prior` make q.
        labels: "attributes" [B, M].
        masks: "classes" [B], "attributes" [B, M].
        temperature: T of `class_posterior`.

    Returns:
        Values [B] in nats and weights [B], 1 on the images it acts on.

    Raises:
        ValueError: If the shapes do not fit each other or T is not positive.
    """
    del attribute_logits
    q, weights = _posterior_and_weights(class_logits, relatedness, labels, masks, temperature)
    return co_annotation_distillation(class_logits, q), weights
