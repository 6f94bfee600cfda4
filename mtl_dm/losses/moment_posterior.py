"""Soft labels of the class from annotated real values, by Bayes' rule.

Shapes: B images, K classes, R values. Everything is float32, whatever the logits are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

from mtl_dm.losses._checks import require_shape
from mtl_dm.losses.co_annotation import co_annotation_distillation, co_annotation_paper
from mtl_dm.losses.forms import MOMENT_CO_ANNOTATION_FORMS
from mtl_dm.losses.gaussian import log_densities
from mtl_dm.losses.posterior import with_prior
from mtl_dm.relatedness.moments import Moments


def class_given_values(
    values: Any,
    mask: Any,
    means: Any,
    covariances: Any,
    prior: Any = None,
    temperature: float = 1.0,
) -> Any:
    """Return P(class k | annotated values y) of each image, tempered.

    Source: this project; Bayes' rule with a normal distribution a class (quadratic discriminant
    analysis), q_k ~ prior_k N(y; mu_k, Sigma_k)^(1/T), over the values that are annotated.

    Args:
        values: [B, R], y; anything under a zero mask.
        mask: [B, R], 1 annotated, 0 not.
        means: mu, [K, R].
        covariances: Sigma, [K, R, R], positive definite.
        prior: [K], 0 where a class cannot occur; None: uniform.
        temperature: T > 0.

    Returns:
        [B, K] float32 probabilities; the prior where nothing is annotated.

    Raises:
        ValueError: If the shapes do not fit each other or T is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be > 0, got {temperature}.")
    require_shape("means", means, (None, None))
    require_shape("covariances", covariances, (*means.shape, means.shape[-1]))
    require_shape("values", values, (None, means.shape[-1]))
    require_shape("mask", mask, tuple(values.shape))
    means, covariances = (ops.convert_to_tensor(each, "float32") for each in (means, covariances))
    scores = log_densities(values, mask, means, covariances) / temperature
    return ops.softmax(with_prior(scores, prior), axis=-1)


def _soft_and_weights(
    logits: Any,
    relation: Moments,
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
    temperature: float,
) -> tuple[Any, Any]:
    """Return q [B, K] and 1 where values are annotated and the class is not, [B]."""
    require_shape("logits of the classes", logits, (None, relation.mean.shape[0]))
    require_shape("mask of the classes", masks["classes"], (logits.shape[0],))
    q = class_given_values(
        labels["values"],
        masks["values"],
        relation.mean,
        relation.covariance,
        relation.prior,
        temperature,
    )
    some = ops.max(ops.cast(masks["values"], "float32"), axis=-1)
    return q, some * (1.0 - ops.cast(masks["classes"], "float32"))


@MOMENT_CO_ANNOTATION_FORMS.register("posterior")
def moment_posterior(
    logits: Any,
    predictions: Any,
    relation: Moments,
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
    *,
    temperature: float = 1.0,
) -> tuple[Any, Any]:
    """Return sum_k -p_k log q_k with q the posterior given the annotated values.

    Source: this project; what `posterior` is for attributes, with `class_given_values`: it acts on
    images whose values are annotated and whose class is not, and leaves alone what the network is
    sure of.

    Args:
        logits: [B, K].
        predictions: [B, R], not used.
        relation: Its moments and prior make q.
        labels: "values" [B, R].
        masks: "classes" [B], "values" [B, R].
        temperature: T of `class_given_values`.

    Returns:
        Values [B] in nats and weights [B], 1 on the images it acts on.

    Raises:
        ValueError: If the shapes do not fit each other or T is not positive.
    """
    del predictions
    q, weights = _soft_and_weights(logits, relation, labels, masks, temperature)
    return co_annotation_paper(logits, q), weights


@MOMENT_CO_ANNOTATION_FORMS.register("posterior_distillation")
def moment_posterior_distillation(
    logits: Any,
    predictions: Any,
    relation: Moments,
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
    *,
    temperature: float = 1.0,
) -> tuple[Any, Any]:
    """Return sum_k -q_k log p_k with q the posterior given the annotated values.

    Source: this project; `moment_posterior` with the roles of p and q exchanged, as
    `posterior_distillation` is for attributes.

    Args:
        logits: [B, K].
        predictions: [B, R], not used.
        relation: Its moments and prior make q.
        labels: "values" [B, R].
        masks: "classes" [B], "values" [B, R].
        temperature: T of `class_given_values`.

    Returns:
        Values [B] in nats and weights [B], 1 on the images it acts on.

    Raises:
        ValueError: If the shapes do not fit each other or T is not positive.
    """
    del predictions
    q, weights = _soft_and_weights(logits, relation, labels, masks, temperature)
    return co_annotation_distillation(logits, q), weights
