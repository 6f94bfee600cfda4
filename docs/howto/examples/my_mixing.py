"""A way of mixing: behind the images of a batch stand noisy copies of them."""

import math
from typing import Any

import tensorflow as tf

from mtl_dm.data import MIXING, VIRTUAL, Part

DRAWS = 2**41
"""Added to the seed: augmentation draws other numbers of the same batch."""


@MIXING.register("noisy_copies")
def noisy_copies(
    batches: tf.data.Dataset,
    seed: int,
    start: int = 0,
    part: Part | None = None,
    /,
    *,
    deviation: float = 0.1,
    weight: float = 1.0,
) -> tf.data.Dataset:
    """Return batches of real images and of as many copies with noise, under the same labels.

    Args:
        batches: (inputs, labels, masks); inputs is one array of floats.
        seed: Fixes every draw.
        start: Number of the first batch: batch n of the stream is always mixed alike.
        part: None, for `noisy_copies.divides` is not there: every batch is whole.
        deviation: Of the noise; images lie in [-1, 1].
        weight: Of the copies in the objective; real images have 1.
    """
    del part

    def mix(element: tuple[Any, Any, Any], number: tf.Tensor) -> tuple[Any, Any, Any]:
        images, labels, masks = element
        draw = tf.random.stateless_normal(tf.shape(images), [seed + DRAWS, number])
        both = tf.concat([images, images + deviation * draw], axis=0)
        labels, masks = tf.nest.map_structure(
            lambda rows: tf.concat([rows, rows], axis=0), (dict(labels), dict(masks))
        )
        real, copies = tf.zeros_like(images[:, 0, 0, 0]), tf.ones_like(images[:, 0, 0, 0])
        # Which rows are copies, and what the two parts weigh; the model does the rest.
        labels[VIRTUAL] = tf.concat([real, copies], axis=0)
        masks[VIRTUAL] = tf.concat([real + 1.0, weight * copies], axis=0)
        return both, labels, masks

    numbered = tf.data.Dataset.zip(batches, tf.data.Dataset.counter(start))
    return numbered.map(mix, num_parallel_calls=tf.data.AUTOTUNE)


def check_options(deviation: float, weight: float) -> None:
    """Check the options before there are batches.

    Raises:
        ValueError: If one breaks its rule.
    """
    for name, value in (("deviation", deviation), ("weight", weight)):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"noisy_copies: {name} must be finite and >= 0, got {value}.")


noisy_copies.check_options = check_options
