"""Computes every coupling form on one device and on two replicas; prints what came out as JSON.

Run in a process of its own, as `tests.training.replicas` says.
"""

import json

import numpy as np
import tensorflow as tf

from mtl_dm.losses import COUPLING_FORMS, concordance_loss, weighted_mean
from mtl_dm.losses.rules import RULES
from mtl_dm.losses.shares import Labelled
from mtl_dm.losses.weighting import co_annotation_factor, matching_factor
from tests.losses import coupled, moments

CCC = "ccc"
"""The loss of a regression, beside the forms."""
FIRST = 9
"""Images of the first replica; the second has the other 3 of 12."""


def arguments_of():
    """Class labels on the second replica alone; of attribute labels each has some, unevenly."""
    arguments = coupled.draw()
    masks, labels = arguments["masks"], arguments["labels"]
    masks["classes"][:FIRST], masks["classes"][FIRST:] = 0, 1
    labels["classes"] = np.eye(coupled.K, dtype=np.float32)[np.arange(coupled.B) % coupled.K]
    labels["classes"][:FIRST] = 0
    masks["attributes"][-1] = 0
    masks["attributes"][:, 0] = 0  # an attribute without a single label
    labels["attributes"] *= masks["attributes"]
    return arguments


def values_of():
    """Arguments of a form between classes and values, by the names of one with attributes."""
    arguments = moments.draw()
    masks = arguments["masks"]
    masks["classes"][:FIRST], masks["classes"][FIRST:] = 0, 1
    arguments["labels"]["classes"][FIRST:] = np.eye(moments.K)[np.arange(moments.B - FIRST)]
    # Labels of the first value stand on the first replica alone.
    masks["values"][FIRST:, 0] = 0
    return {
        "class_logits": arguments["logits"],
        "attribute_logits": arguments["predictions"],
        "relatedness": arguments["relation"],
        "labels": arguments["labels"],
        "masks": masks,
    }


def concordance(logits, predictions, relation, labels, masks):
    del logits, relation
    return concordance_loss(labels["values"], predictions, masks["values"])


def cases():
    """Name -> form and its arguments."""
    found = {name: (COUPLING_FORMS.get(name).function, arguments_of()) for name in coupled.forms()}
    by_moments = [name for name in COUPLING_FORMS if "moments" in COUPLING_FORMS.get(name).kinds]
    found |= {name: (COUPLING_FORMS.get(name).function, values_of()) for name in by_moments}
    return {**found, CCC: (concordance, values_of())}


def term_and_gradients(form, arguments):
    logits = [tf.convert_to_tensor(arguments[n]) for n in ("class_logits", "attribute_logits")]
    with tf.GradientTape() as tape:
        tape.watch(logits)
        rest = (arguments[name] for name in ("relatedness", "labels", "masks"))
        values, weights = form(*logits, *rest)
        term = weighted_mean(values, weights)
    return term, tape.gradient(term, logits, unconnected_gradients="zero")


def on_replicas(strategy, form, arguments):
    """The sum of the terms, and the gradients of all images."""
    relatedness = arguments["relatedness"]
    arrays = {name: value for name, value in arguments.items() if name != "relatedness"}

    def part(context):
        rows = (slice(None, FIRST), slice(FIRST, None))[context.replica_id_in_sync_group]
        return tf.nest.map_structure(lambda array: tf.constant(array[rows]), arrays)

    @tf.function
    def step(parts):
        return strategy.run(
            lambda each: term_and_gradients(form, {**each, "relatedness": relatedness}), [parts]
        )

    term, gradients = step(strategy.experimental_distribute_values_from_function(part))
    local = [strategy.experimental_local_results(each) for each in gradients]
    assert [len(each) for each in local[0]] == [FIRST, coupled.B - FIRST]
    return strategy.reduce("SUM", term, axis=None), [tf.concat(each, axis=0) for each in local]


def main():
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    report = {}
    for name, (form, arguments) in cases().items():
        one, one_gradients = term_and_gradients(form, arguments)
        two, two_gradients = on_replicas(strategy, form, arguments)
        gaps = [np.abs(a - b).max() for a, b in zip(one_gradients, two_gradients, strict=True)]
        report[name] = {
            "one": float(one),
            "two": float(two),
            "gradient": float(max(np.abs(each).max() for each in one_gradients)),
            "gap": float(max(gaps)),
        }
    report["factors"] = factors(arguments_of()["masks"], strategy)
    print(json.dumps(report))


def factors(masks, strategy):
    """The factors of every rule on one device and on each replica."""

    def both(part):
        labelled = Labelled(part["classes"], part["attributes"])
        return [
            factor
            for rule in RULES
            for factor in (
                matching_factor("conditional", labelled, "mean", rule),
                co_annotation_factor("posterior", labelled, rule),
            )
        ]

    def part(context):
        rows = (slice(None, FIRST), slice(FIRST, None))[context.replica_id_in_sync_group]
        return {name: tf.constant(mask[rows]) for name, mask in masks.items()}

    @tf.function
    def step(parts):
        return strategy.run(both, [parts])

    got = step(strategy.experimental_distribute_values_from_function(part))
    local = [strategy.experimental_local_results(each) for each in got]
    return {
        "one": [float(each) for each in both(masks)],
        "two": [[float(each) for each in pair] for pair in local],
    }


if __name__ == "__main__":
    main()
