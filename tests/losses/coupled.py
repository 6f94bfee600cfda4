"""Inputs of coupling forms: both heads, a relatedness and partly missing labels."""

import numpy as np

from mtl_dm.losses import COUPLING_FORMS
from mtl_dm.relatedness import Relatedness
from tests.losses import references

CLASSES, ATTRIBUTES = tuple("abcd"), tuple("uvwxy")
B, K, M = 12, len(CLASSES), len(ATTRIBUTES)


def forms():
    """Names of all forms between classes and attributes, in whatever way they were registered."""
    return [name for name in COUPLING_FORMS if "probabilities" in COUPLING_FORMS.get(name).kinds]


def table(seed=0, prior=True, counted=True):
    """A relatedness with zeros and ones among its shares."""
    rng = np.random.default_rng(seed)
    conditional = rng.choice([0.0, 0.25, 0.6, 1.0], (K, M))
    return Relatedness(
        CLASSES,
        ATTRIBUTES,
        conditional,
        conditional,
        "random",
        rng.dirichlet(np.ones(K)) if prior else None,
        rng.integers(0, 30, (K, M)) if counted else None,
    )


def draw(seed=0):
    """The arguments of a form by name; every mixture of labelled and not labelled occurs."""
    rng = np.random.default_rng(seed)
    class_mask, attribute_mask = rng.integers(0, 2, B), rng.integers(0, 2, (B, M))
    class_mask[:4], attribute_mask[:4] = [0, 1, 0, 1], np.array([[0], [0], [1], [1]])
    f = np.float32
    return {
        "class_logits": rng.normal(0, 1.5, (B, K)).astype(f),
        "attribute_logits": rng.normal(0, 2, (B, M)).astype(f),
        "relatedness": table(seed),
        "labels": {
            "classes": np.eye(K)[rng.integers(0, K, B)].astype(f) * class_mask[:, None],
            "attributes": rng.integers(0, 2, (B, M)).astype(f) * attribute_mask,
        },
        "masks": {"classes": class_mask.astype(f), "attributes": attribute_mask.astype(f)},
    }


def gradient(form, arguments, name):
    """The gradient of the sum of the form's values with respect to one of the logits."""
    return references.tape_gradient(
        lambda logits: form(**{**arguments, name: logits})[0], arguments[name]
    )


def float64(arguments):
    """The arguments in double precision, so that a reference rounds nothing."""
    wide = {
        name: arguments[name].astype(np.float64) for name in ("class_logits", "attribute_logits")
    }
    return {**arguments, **wide}
