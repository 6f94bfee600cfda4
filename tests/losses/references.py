"""The losses again, in float64 NumPy and SciPy, and what measures a gradient of either."""

import numpy as np
import tensorflow as tf
from scipy.spatial.distance import jensenshannon
from scipy.special import expit, log_expit, log_softmax, rel_entr, softmax


def cross_entropy(labels, logits, mask, smoothing=0.0):
    labels = np.where(mask[:, None] > 0, labels, 0.0)
    labels = (1 - smoothing) * labels + smoothing / labels.shape[1]
    return np.where(mask > 0, -np.sum(labels * log_softmax(logits, axis=1), axis=1), 0.0)


def binary_cross_entropy(labels, logits, mask, reduction="mean"):
    labels = np.where(mask > 0, labels, 0.0)
    each = -labels * log_expit(logits) - (1 - labels) * log_expit(-logits)
    total = np.sum(np.where(mask > 0, each, 0.0), axis=1)
    return total if reduction == "sum" else total / np.maximum(mask.sum(axis=1), 1)


def squared_error(labels, predictions, mask):
    total = np.sum(np.where(mask > 0, labels - predictions, 0.0) ** 2, axis=1)
    return total / np.maximum(mask.sum(axis=1), 1)


def mixture(class_logits, conditional):
    return np.einsum("bk,km->bm", softmax(class_logits, axis=1), conditional)


def matching_paper(class_logits, attribute_logits, conditional, epsilon=1e-7):
    q = np.maximum(mixture(class_logits, conditional), epsilon)
    return -np.sum(expit(attribute_logits) * np.log(q), axis=1)


def matching_bernoulli(class_logits, attribute_logits, conditional, epsilon=1e-7):
    q, p = mixture(class_logits, conditional), expit(attribute_logits)
    active, inactive = np.maximum(q, epsilon), np.maximum(1 - q, epsilon)
    return -np.mean(p * np.log(active) + (1 - p) * np.log(inactive), axis=1)


def soft_labels(attributes, mask, weights):
    """Image by image, class by class, as eq. 4 is written."""
    scores = np.zeros((len(attributes), len(weights)))
    for b, (values, present) in enumerate(zip(attributes, mask, strict=True)):
        for c, row in enumerate(weights):
            related = [(w, y) for w, y, d in zip(row, values, present, strict=True) if d and w]
            if related:
                scores[b, c] = sum(w * y for w, y in related) / sum(w for w, _ in related)
    return softmax(scores, axis=1)


def co_annotation_paper(class_logits, soft, epsilon=1e-7):
    return -np.sum(softmax(class_logits, axis=1) * np.log(np.maximum(soft, epsilon)), axis=1)


def co_annotation_distillation(class_logits, soft):
    return -np.sum(soft * log_softmax(class_logits, axis=1), axis=1)


def class_posterior(attributes, mask, likelihood, prior=None, temperature=1.0):
    """Image by image, class by class, as a product of probabilities to the power 1 / T."""
    prior = np.full(len(likelihood), 1 / len(likelihood)) if prior is None else prior
    joint = np.zeros((len(attributes), len(likelihood)))
    for b, (values, present) in enumerate(zip(attributes, mask, strict=True)):
        for c, row in enumerate(likelihood):
            seen = [x if y else 1 - x for x, y, d in zip(row, values, present, strict=True) if d]
            joint[b, c] = prior[c] * np.prod(seen) ** (1 / temperature)
    return joint / joint.sum(axis=1, keepdims=True)


def both_outcomes(p, clip):
    """[..., 2]: clipped probabilities of active and not active."""
    p = np.clip(p, clip, 1 - clip)
    return np.stack([p, 1 - p], axis=-1)


def bernoulli_divergence(p, q, clip=1e-3):
    return rel_entr(both_outcomes(p, clip), both_outcomes(q, clip)).sum(axis=-1)


def jensen_shannon(p, q, clip=1e-3):
    return jensenshannon(both_outcomes(p, clip), both_outcomes(q, clip), axis=-1) ** 2


def matching_batch(class_logits, attribute_logits, conditional, clip=1e-3):
    q = mixture(class_logits, conditional).mean(axis=0)
    return bernoulli_divergence(q, expit(attribute_logits).mean(axis=0), clip).sum()


def implied(class_logits, attribute_logits, labels, masks):
    """S [K, M] and share [K], image by image."""
    together, mass = np.zeros((class_logits.shape[1], attribute_logits.shape[1])), 0.0
    for n in range(len(class_logits)):
        r = labels["classes"][n] if masks["classes"][n] else softmax(class_logits[n])
        a = np.where(masks["attributes"][n], labels["attributes"][n], expit(attribute_logits[n]))
        together += np.outer(r, a)
        mass = mass + r
    return together / np.maximum(mass, 1e-12)[:, None], mass / mass.sum()


def matching_conditional(
    class_logits, attribute_logits, likelihood, labels, masks, share=None, clip=1e-3
):
    """`share` is a constant of the gradient: give it where differences are taken."""
    conditional, own_share = implied(class_logits, attribute_logits, labels, masks)
    share = own_share if share is None else share
    return np.sum(share[:, None] * bernoulli_divergence(likelihood, conditional, clip))


def weighted_mean(values, weights):
    return np.average(values, weights=weights) if np.any(weights) else 0.0


def central_differences(function, array, step=1e-6):
    """The gradient of sum(function(array)), float64."""
    gradient = np.zeros(np.shape(array))
    for place in np.ndindex(gradient.shape):
        up, down = np.array(array, dtype=np.float64), np.array(array, dtype=np.float64)
        up[place] += step
        down[place] -= step
        gradient[place] = (np.sum(function(up)) - np.sum(function(down))) / (2 * step)
    return gradient


def tape_gradient(function, array, dtype=tf.float32):
    """The gradient of sum(function(array)) that training would use."""
    array = tf.convert_to_tensor(array, dtype)
    with tf.GradientTape() as tape:
        tape.watch(array)
        total = tf.reduce_sum(function(array))
    return tape.gradient(total, array, unconnected_gradients="zero").numpy()


def value_and_gradient(function, array, dtype):
    """Both as float64 NumPy arrays, whatever the type of the input."""
    value = np.asarray(function(tf.cast(array, dtype)), dtype=np.float64)
    return value, tape_gradient(function, tf.cast(array, dtype), dtype).astype(np.float64)
