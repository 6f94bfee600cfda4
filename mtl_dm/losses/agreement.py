"""Distribution matching as a divergence: zero where both heads agree, whatever they say.

Eq. 3 as printed is smallest where no attribute is active. These forms are smallest, and 0, where
attribute predictions and what the classes imply are the same.

Shapes: B images, K classes, M attributes. Everything is float32, whatever the logits are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

from mtl_dm.losses._checks import require_shape
from mtl_dm.losses.forms import MATCHING_FORMS
from mtl_dm.losses.reduction import global_sum
from mtl_dm.relatedness import Relatedness

CLIP = 1e-3
"""Probabilities are kept this far from 0 and 1, so that no gradient explodes; what is nearer
gets no gradient."""


def bernoulli_divergence(p: Any, q: Any, clip: float = CLIP) -> Any:
    """Return KL(Bernoulli(p) || Bernoulli(q)), elementwise.

    Source: Kullback, Leibler 1951: p log(p / q) + (1 - p) log((1 - p) / (1 - q)).

    Args:
        p: Probabilities, clipped to [clip, 1 - clip].
        q: Probabilities of a shape that fits, clipped too.
        clip: > 0.

    Returns:
        float32, in nats, >= 0; 0 where p = q.
    """
    p, q = (ops.clip(ops.cast(each, "float32"), clip, 1.0 - clip) for each in (p, q))
    return p * ops.log(p / q) + (1.0 - p) * ops.log((1.0 - p) / (1.0 - q))


def jensen_shannon(p: Any, q: Any, clip: float = CLIP) -> Any:
    """Return the Jensen-Shannon divergence of Bernoulli(p) and Bernoulli(q), elementwise.

    Source: Lin 1991: (KL(p || m) + KL(q || m)) / 2 with m = (p + q) / 2.

    Args:
        p: Probabilities, clipped to [clip, 1 - clip].
        q: Probabilities of a shape that fits, clipped too.
        clip: > 0.

    Returns:
        float32 in [0, log 2], in nats; symmetric.
    """
    p, q = (ops.clip(ops.cast(each, "float32"), clip, 1.0 - clip) for each in (p, q))
    middle = (p + q) / 2.0
    return (bernoulli_divergence(p, middle, clip) + bernoulli_divergence(q, middle, clip)) / 2.0


def _covered(masks: Mapping[str, Any], like: Any) -> Any:
    """Return 1 for images whose class the relatedness may know, 0 for others, as a column."""
    covered = masks.get("covered")
    return ops.ones_like(like[:, :1]) if covered is None else covered[:, None]


def _predictions(class_logits: Any, attribute_logits: Any, conditional: Any) -> tuple[Any, ...]:
    """Return class probabilities [B, K], attribute probabilities [B, M], the table [K, M]."""
    require_shape("class_logits", class_logits, (None, None))
    require_shape("conditional", conditional, (class_logits.shape[-1], None))
    require_shape("attribute_logits", attribute_logits, (class_logits.shape[0], None))
    require_shape("attribute_logits", attribute_logits, (None, conditional.shape[-1]))
    classes = ops.softmax(ops.cast(class_logits, "float32"), axis=-1)
    attributes = ops.sigmoid(ops.cast(attribute_logits, "float32"))
    return classes, attributes, ops.convert_to_tensor(conditional, dtype="float32")


def _known(masks: Mapping[str, Any], attributes: Any) -> tuple[Any, Any]:
    """Return where the class [B, 1] and each attribute [B, M] is labelled."""
    require_shape("mask of the classes", masks["classes"], (attributes.shape[0],))
    require_shape("mask of the attributes", masks["attributes"], tuple(attributes.shape))
    classes = ops.cast(masks["classes"], "float32")[:, None] > 0
    return classes, ops.cast(masks["attributes"], "float32") > 0


@MATCHING_FORMS.register("js")
def matching_js(
    class_logits: Any,
    attribute_logits: Any,
    relatedness: Relatedness,
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
    *,
    clip: float = CLIP,
) -> tuple[Any, Any]:
    """Return sum_i JS(p_i, q_i) per image, p_i the attribute prediction, q_i the mixture (eq. 2).

    Source: this project; eq. 2 of Kollias et al. 2024 with `jensen_shannon` for eq. 3. The side
    that is labelled for an image is constant in it: its label teaches it better, so the other
    side learns from it and does not pull it away. The gradient moves p_i towards q_i and q_i
    towards p_i, each where it is not labelled and not clipped; an attribute adds at most 0.16 to
    the gradient with respect to any logit. Use it where single images should agree; where an
    image's classes do not decide its attributes (P far from 0 and 1), p_i should differ from q_i,
    and `conditional` asks for less.

    Args:
        class_logits: [B, K].
        attribute_logits: [B, M].
        relatedness: Its `conditional` is P(attribute | class).
        labels: Not used.
        masks: "classes" [B], "attributes" [B, M].
        clip: Probabilities are clipped to [clip, 1 - clip].

    Returns:
        Values [B] in nats, and weights [B], all 1.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    del labels
    classes, p, conditional = _predictions(class_logits, attribute_logits, relatedness.conditional)
    class_known, attribute_known = _known(masks, p)
    q = ops.matmul(classes, conditional)
    p = ops.where(attribute_known, ops.stop_gradient(p), p)
    q = ops.where(class_known, ops.stop_gradient(q), q)
    values = ops.sum(jensen_shannon(p, q, clip), axis=-1)
    return values, ops.ones_like(values)


@MATCHING_FORMS.register("batch")
def matching_batch(
    class_logits: Any,
    attribute_logits: Any,
    relatedness: Relatedness,
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
    *,
    clip: float = CLIP,
) -> tuple[Any, Any]:
    """Return sum_i KL(mean q_i || mean p_i), the means over the global batch.

    Source: this project; expectation regularisation (Mann, McCallum 2007) with the mixture of
    eq. 2 of Kollias et al. 2024 as the expectation. Only frequencies have to agree: an image may
    have any attributes its pixels show. The gradient with respect to each p_i of the batch is
    the same, (mean p_i - mean q_i) / (mean p_i (1 - mean p_i)) / B, and labels make no difference;
    the classes learn from it too, through q. Use it where attributes are hardly labelled and
    their frequencies drift. An attribute whose mean prediction has fallen below `clip` is not
    brought back.

    Args:
        class_logits: [B, K].
        attribute_logits: [B, M].
        relatedness: Its `conditional` is P(attribute | class).
        labels: Not used.
        masks: "covered" [B] if there are images to leave out.
        clip: Means are clipped to [clip, 1 - clip].

    Returns:
        A scalar in nats, the same on every replica, and weight 1.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    del labels
    classes, p, conditional = _predictions(class_logits, attribute_logits, relatedness.conditional)
    covered = _covered(masks, p)
    total = global_sum(ops.sum(covered))
    images = ops.where(total > 0, total, 1.0)
    mean_p = global_sum(ops.sum(covered * p, axis=0)) / images
    mean_q = global_sum(ops.sum(covered * ops.matmul(classes, conditional), axis=0)) / images
    return ops.sum(bernoulli_divergence(mean_q, mean_p, clip)), ops.ones((), "float32")


@MATCHING_FORMS.register("conditional")
def matching_conditional(
    class_logits: Any,
    attribute_logits: Any,
    relatedness: Relatedness,
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
    *,
    clip: float = CLIP,
) -> tuple[Any, Any]:
    """Return how far P(attribute | class) as the batch implies it is from the relatedness.

    Source: this project; generalised expectation criteria (Mann, McCallum 2010). With r_nk the
    class of image n, its label where there is one, else the prediction, and a_ni likewise its
    attributes,

        S_ki = sum_n r_nk a_ni / sum_n r_nk,    sum_k share_k sum_i W_ki KL(P_ki || S_ki)

    where share_k, constant in the gradient, is the part of r on class k, and W_ki in [0, 1] how
    far a pair is relied on, 1 but for a relatedness that labels have judged. `batch` asks that the
    attributes' frequencies agree, this form that they agree within each class, and it says
    nothing about a single image. Where both sides of an image are labelled it has no gradient;
    labelled attributes teach the classes of their images, labelled classes the attributes of
    theirs. It is 0 where S = P, and without a gradient in S_ki where that is clipped.

    Args:
        class_logits: [B, K].
        attribute_logits: [B, M].
        relatedness: Its `likelihood` is P, away from 0 and 1; its `reliability`, where it has one,
            is W.
        labels: "classes" [B, K], "attributes" [B, M].
        masks: "classes" [B], "attributes" [B, M]; "covered" [B] if there are images to leave out.
        clip: S is clipped to [clip, 1 - clip].

    Returns:
        A scalar in nats, the same on every replica, and weight 1.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    classes, attributes, likelihood = _predictions(
        class_logits, attribute_logits, relatedness.likelihood
    )
    class_known, attribute_known = _known(masks, attributes)
    require_shape("labels of the classes", labels["classes"], tuple(classes.shape))
    require_shape("labels of the attributes", labels["attributes"], tuple(attributes.shape))
    r = ops.where(class_known, ops.cast(labels["classes"], "float32"), classes)
    a = ops.where(attribute_known, ops.cast(labels["attributes"], "float32"), attributes)
    r = r * _covered(masks, r)
    mass = global_sum(ops.sum(r, axis=0))
    together = global_sum(ops.matmul(ops.transpose(r), a))
    implied = together / ops.maximum(mass, clip)[:, None]
    share = ops.stop_gradient(mass / ops.maximum(ops.sum(mass), clip))
    apart = bernoulli_divergence(likelihood, implied, clip)
    reliability = getattr(relatedness, "reliability", None)
    if reliability is not None:
        apart = ops.cast(reliability, "float32") * apart
    divergence = ops.sum(apart, axis=-1)
    return ops.sum(share * divergence), ops.ones((), "float32")
