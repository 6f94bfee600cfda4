"""A spatial transformer: a small network looks at an image and turns, shifts and scales it.

Shapes: B images, H x W pixels, C channels, N points.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""The affine map that changes nothing."""


def affine_points(theta: Any, height: int, width: int) -> Any:
    """Return where each pixel of the result lies in the image.

    Source: Jaderberg et al. 2015, eq. 1: (x, y) = A (x', y', 1) with coordinates in [-1, 1], here
    between the centres of the outer pixels.

    Args:
        theta: [B, 6], the rows of A, x before y.
        height: H.
        width: W.

    Returns:
        [B, H * W, 2] float32, row and column in pixels.
    """
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    grid = np.stack([x.ravel(), y.ravel(), np.ones(height * width)]).astype(np.float32)
    theta = ops.reshape(ops.cast(theta, "float32"), (-1, 2, 3))
    x, y = ops.unstack(ops.matmul(theta, grid), 2, axis=1)
    rows, columns = (y + 1.0) * (height - 1) / 2.0, (x + 1.0) * (width - 1) / 2.0
    return ops.stack([rows, columns], axis=-1)


def sample_bilinear(images: Any, points: Any) -> Any:
    """Return images at points between their pixels, 0 outside of them.

    Args:
        images: [B, H, W, C], H and W known.
        points: [B, N, 2], row and column in pixels.

    Returns:
        [B, N, C] float32, differentiable in `points` but for whole numbers.
    """
    height, width, channels = images.shape[1:]
    # A frame of zeros, so that every point has four neighbours; they are looked up as one.
    framed = ops.pad(ops.cast(images, "float32"), [[0, 0], [1, 2], [1, 2], [0, 0]])
    above, below = framed[:, :-1], framed[:, 1:]
    corners = [each[:, :, start:][:, :, : width + 2] for each in (above, below) for start in (0, 1)]
    corners = ops.reshape(
        ops.concatenate(corners, axis=-1), (-1, (height + 2) * (width + 2), 4 * channels)
    )
    rows, columns = ops.unstack(points, 2, axis=-1)
    rows, columns = ops.clip(rows, -1.0, height), ops.clip(columns, -1.0, width)
    top, left = ops.floor(rows), ops.floor(columns)
    places = ops.cast((top + 1.0) * (width + 2) + left + 1.0, "int32")
    down, right = rows - top, columns - left
    up, aside = 1.0 - down, 1.0 - right
    weights = (up * aside, up * right, down * aside, down * right)
    found = ops.split(_looked_up(corners, places), 4, axis=-1)
    return sum(weight[..., None] * each for weight, each in zip(weights, found, strict=True))


def _looked_up(rows: Any, places: Any) -> Any:
    """Return [B, N, C] of [B, P, C] at [B, N]; `ops.take_along_axis` takes four times as long."""
    return ops.vectorized_map(lambda each: ops.take(each[0], each[1], axis=0), (rows, places))


@keras.saving.register_keras_serializable("mtl_dm")
class AffineSampler(layers.Layer):
    """Images under an affine map each, of the same size, sampled bilinearly and 0 outside.

    It computes in float32 under every precision: half precision knows no place finer than a
    sixteenth of a pixel beyond column 64.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "dtype": "float32"})

    def build(self, input_shape: Any) -> None:
        """Do nothing: it has no weights."""
        del input_shape

    def call(self, inputs: Any) -> Any:
        """Return the images [B, H, W, C] of a list of images and maps [B, 6], transformed."""
        images, theta = inputs
        height, width, channels = images.shape[1:]
        sampled = sample_bilinear(images, affine_points(theta, height, width))
        return ops.reshape(sampled, (-1, height, width, channels))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments; without a method of its own Keras leaves out the name."""
        return super().get_config()


def spatial_transformer(shape: tuple[int, int, int]) -> keras.Model:
    """Return the transformer of Vo et al. 2020: what it sees says how it turns the image.

    Source: code of the authors: convolutions 3 -> 8 (7 x 7) and 8 -> 10 (5 x 5), each with a
    max-pool of 2 and ReLU, without padding; dense 32, ReLU, dense 6, which starts as identity.

    Args:
        shape: (height, width, 3), each side at least 20.
    """
    images = keras.Input(shape)
    x = images
    for index, (filters, size) in enumerate(((8, 7), (10, 5)), start=1):
        x = layers.Conv2D(filters, size, name=f"conv{index}")(x)
        x = layers.ReLU()(layers.MaxPooling2D()(x))
    x = layers.Dense(32, activation="relu", name="dense")(layers.Flatten()(x))
    start = keras.initializers.Constant(list(IDENTITY))
    theta = layers.Dense(
        6, kernel_initializer="zeros", bias_initializer=start, dtype="float32", name="theta"
    )(x)
    return keras.Model(images, AffineSampler()([images, theta]), name="spatial_transformer")
