"""What networks were given that were trained on ImageNet, from images in [-1, 1]."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

Mode = Literal["caffe", "torch", "tf"]

_MEAN_BGR = (103.939, 116.779, 123.68)
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


@keras.saving.register_keras_serializable("mtl_dm")
class ImageNetInput(keras.layers.Layer):
    """Turns RGB images in [-1, 1] into what a network trained on ImageNet expects.

    Args:
        mode: As `keras.applications` calls it. "caffe": BGR in 0 to 255 minus the data's mean;
            "torch": RGB minus mean, divided by standard deviation; "tf": as it is.
        **kwargs: As for `keras.layers.Layer`.

    Raises:
        ValueError: If the mode is unknown.
    """

    def __init__(self, mode: Mode, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if mode not in ("caffe", "torch", "tf"):
            raise ValueError(f"mode must be caffe, torch or tf, got {mode!r}.")
        self.mode = mode

    def call(self, images: Any) -> Any:
        """Return images [B, H, W, 3] in the network's own range."""
        if self.mode == "tf":
            return images
        unit = (images + 1) / 2
        if self.mode == "caffe":
            return ops.flip(unit, axis=-1) * 255 - ops.convert_to_tensor(_MEAN_BGR, images.dtype)
        mean, deviation = (
            ops.convert_to_tensor(values, images.dtype) for values in (_MEAN, _DEVIATION)
        )
        return (unit - mean) / deviation

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the same shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().get_config(), "mode": self.mode}
