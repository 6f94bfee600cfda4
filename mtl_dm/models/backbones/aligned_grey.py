"""The part of an aligned face that a network for small grey faces sees."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

GRID = 14
"""The part is cut at whole fourteenths of the side, which are 8 of 112 pixels."""
LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601), which Pillow's grey images have too."""


def crop_of(side: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the part of an aligned face that is used.

    It is the square that makes the mean aligned face of Labeled Faces in the Wild most like that
    of FER2013, eyes and mouth at the same height and as large (8, 16, 104, 112 of 112 pixels;
    found for `experiments.problems.real_faces_data`, which see).

    Args:
        side: Of the aligned face, a multiple of 28.

    Raises:
        ValueError: If it is none.
    """
    if side < 2 * GRID or side % (2 * GRID):
        raise ValueError(f"The side of an aligned face must be a multiple of 28, got {side}.")
    cell = side // GRID
    return cell, 2 * cell, side - cell, side


@keras.saving.register_keras_serializable("mtl_dm")
class AlignedGrey(keras.layers.Layer):
    """Cuts aligned faces [B, S, S, 3], halves them and takes their luminance: [B, 6S/14, 6S/14, 1].

    The colours of a photo and its grey copy become the same, so that a network may be trained on
    databases of either kind and colour tells it nothing.
    """

    def call(self, images: Any) -> Any:
        """Return the luminance of the mean of every 2 x 2 pixels of the part."""
        left, top, right, bottom = crop_of(images.shape[1])
        # Keras on JAX has no default for the strides.
        halved = ops.average_pool(images[:, top:bottom, left:right], 2, strides=2)
        weights = ops.convert_to_tensor(LUMINANCE, halved.dtype)
        return ops.sum(halved * weights, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the result."""
        left, _, right, _ = crop_of(input_shape[1])
        half = (right - left) // 2
        return (input_shape[0], half, half, 1)
