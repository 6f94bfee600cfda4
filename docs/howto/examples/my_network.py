"""A network with a layer of its own: two convolutions, their channels weighed by the image."""

from typing import Any

import keras
from keras import layers, ops

from mtl_dm.models import BACKBONES
from mtl_dm.models.backbones import example, require_image


# Registered, so that a checkpoint can be read; the name before it keeps it apart from others.
@keras.saving.register_keras_serializable("my_network")
class Weighed(layers.Layer):
    """Channels times a weight in (0, 1) that their means over the image give."""

    def build(self, shape: Any) -> None:
        """Make the weights."""
        self.dense = layers.Dense(shape[-1], activation="sigmoid")
        self.dense.build((shape[0], shape[-1]))

    def call(self, images: Any) -> Any:
        """Return [B, H, W, C]."""
        return images * self.dense(ops.mean(images, axis=(1, 2)))[:, None, None, :]


@BACKBONES.register("my_network")
@example((16, 16, 3))
def my_network(input_shape: tuple[int, ...], width: int = 32, dropout: float = 0.2) -> keras.Model:
    """Return a network from images to features [B, 2 * width].

    Args:
        input_shape: (height, width, channels), each side at least 16.
        width: Channels of the first convolution.
        dropout: Share of features dropped in training.

    Raises:
        ValueError: If `input_shape` is no image or too small.
    """
    inputs = keras.Input(require_image("my_network", input_shape, 16, colour=False))
    x = layers.Conv2D(width, 3, strides=2, activation="relu")(inputs)
    x = layers.Conv2D(2 * width, 3, strides=2, activation="relu")(Weighed()(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dropout(dropout)(x), name="my_network")
