"""Computes every coupling form on one device and on two replicas; prints what came out as JSON.

Run in a process of its own, as `tests.training.replicas` says.
"""

import json

import numpy as np
import tensorflow as tf

from mtl_dm.losses import COUPLING_FORMS, weighted_mean
from mtl_dm.losses.rules import RULES
from mtl_dm.losses.shares import Labelled
from mtl_dm.losses.weighting import co_annotation_factor, matching_factor
from tests.losses import coupled

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
    arguments = arguments_of()
    report = {}
    for name in coupled.forms():
        form = COUPLING_FORMS.get(name).function
        one, one_gradients = term_and_gradients(form, arguments)
        two, two_gradients = on_replicas(strategy, form, arguments)
        gaps = [np.abs(a - b).max() for a, b in zip(one_gradients, two_gradients, strict=True)]
        report[name] = {
            "one": float(one),
            "two": float(two),
            "gradient": float(max(np.abs(each).max() for each in one_gradients)),
            "gap": float(max(gaps)),
        }
    report["factors"] = factors(arguments["masks"], strategy)
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
