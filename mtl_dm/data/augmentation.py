"""Random changes of training images that keep every label true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from mtl_dm.data.batch_parts import Part, drawn
from mtl_dm.data.built import IMAGE


def augment(
    batches: tf.data.Dataset,
    seed: int = 0,
    shift: float = 0.08,
    start: int = 0,
    part: Part | None = None,
) -> tf.data.Dataset:
    """Return the batches with images mirrored, shifted and lit at random.

    An expression and the action units of both halves of a face survive a mirror image. Whole
    batches are changed at once, which costs a tenth of changing image by image.

    Args:
        batches: (image [B, H, W, 3] in [-1, 1], labels, masks). Of a dictionary of inputs the
            component named "image" is changed, else the only one of that shape; the
            rest is left alone, so that positions in the image would no longer fit it.
        seed: Fixes every draw (with TensorFlow's global seed, where one is set and the batches
            end).
        shift: Largest shift as a part of a side; the border is filled by reflection.
        start: Number of the first batch of an endless stream. Batch n of it is always changed in
            the same way, so a stream that goes on where it stopped changes as if it never had.
        part: Rows of larger batches that these are, and are changed as; None: all of them.

    Raises:
        ValueError: If the inputs are no images or it is not plain which of them are, or `shift`
            is outside [0, 0.5).
    """
    spec = batches.element_spec[0]
    component = _image_component(spec)
    if not 0 <= shift < 0.5:
        raise ValueError(f"shift must lie in [0, 0.5), got {shift}.")
    numbers = tf.data.Dataset.counter(start)
    if int(batches.cardinality()) != tf.data.INFINITE_CARDINALITY:
        # Every epoch draws anew.
        numbers = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)

    def change(element: tuple[Any, Any, Any], number: tf.Tensor) -> tuple[Any, Any, Any]:
        inputs, labels, masks = element
        draw = tf.random.stateless_uniform([], [seed, number], None, None, tf.int64)
        if component is None:
            return change_images(inputs, draw, shift, part), labels, masks
        return (
            {**inputs, component: change_images(inputs[component], draw, shift, part)},
            labels,
            masks,
        )

    return tf.data.Dataset.zip(batches, numbers).map(change, num_parallel_calls=tf.data.AUTOTUNE)


def _image_component(spec: Any) -> str | None:
    """Return the name of the images among inputs; None where the input is images itself."""
    if isinstance(spec, tf.TensorSpec) and spec.shape.rank == 4:
        return None
    parts = spec if isinstance(spec, Mapping) else {}
    images = [
        name
        for name, part in parts.items()
        if isinstance(part, tf.TensorSpec) and part.shape.rank == 4 and part.shape[-1] == 3
    ]
    if IMAGE in images:
        return IMAGE
    if len(images) != 1:
        raise ValueError(
            "augment needs batches of images [B, H, W, 3]; of a dictionary one component of that "
            f"shape or the one named {IMAGE!r}, got {spec}."
        )
    return str(images[0])


def change_images(
    images: tf.Tensor, draw: tf.Tensor, shift: float, part: Part | None = None
) -> tf.Tensor:
    """Return [B, H, W, 3] images, each mirrored with probability 1/2, shifted, relit.

    Args:
        images: [B, H, W, 3] in [-1, 1].
        draw: Integer; the same one gives the same result.
        shift: As for `augment`.
        part: As for `augment`.
    """
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    seeds = tf.stack([tf.fill([4], draw), tf.range(4, dtype=draw.dtype)], axis=1)

    def uniform(seed: tf.Tensor, *shape: int, low: Any = 0.0, high: Any = 1.0) -> tf.Tensor:
        kind = tf.constant(low).dtype
        return drawn(
            lambda rows: tf.random.stateless_uniform([rows, *shape], seed, low, high, kind),
            count,
            part,
        )

    mirrored = uniform(seeds[0], 1, 1, 1) < 0.5
    images = tf.where(mirrored, images[:, :, ::-1], images)
    rows, columns = (
        uniform(seed, 1, low=-round(shift * side), high=round(shift * side) + 1)
        for side, seed in ((height, seeds[1]), (width, seeds[2]))
    )
    images = tf.gather(images, _reflected(rows, height), axis=1, batch_dims=1)
    images = tf.gather(images, _reflected(columns, width), axis=2, batch_dims=1)
    light = uniform(seeds[3], 1, 1, 1, 2, low=-0.2, high=0.2)
    return tf.clip_by_value(images * (1.0 + light[..., 0]) + light[..., 1], -1.0, 1.0)


def _reflected(offset: tf.Tensor, side: int) -> tf.Tensor:
    """Return indices 0..side-1 moved by `offset` [B, 1], reflected at both ends."""
    indices = tf.abs(tf.range(side)[None] + offset)
    return side - 1 - tf.abs(side - 1 - indices)
