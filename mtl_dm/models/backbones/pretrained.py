"""The network of a checkpoint that comes with this package, to train on."""

from __future__ import annotations

import keras

from mtl_dm.models.backbones._contract import example, require_image
from mtl_dm.models.backbones._weights import with_weights
from mtl_dm.models.backbones.aligned_grey import AlignedGrey
from mtl_dm.models.backbones.small_resnet import features_of
from mtl_dm.pretrained import DEFAULT, checkpoint_at

WIDTH = 24
"""Channels of the first block of the network that is shipped."""


@example(
    (28, 28, 3),
    refused=((28, 28), (28, 28, 1), (56, 28, 3), (48, 48, 3), (None, None, 3), (2, 28, 28, 3)),
    exact={"dropout": 0.0},
    options={"weights": "none"},
    sizes={"": (112, 112, 3)},
)
def pretrained(
    input_shape: tuple[int, ...], weights: str = DEFAULT, dropout: float = 0.4
) -> keras.Model:
    """Return `small_resnet` on the luminance of aligned faces, with the weights of a checkpoint.

    Source: this project; `AlignedGrey` in front of the network, whose layers are those of
    `mtl_dm.pretrained`'s checkpoint `small_faces`. Its weights are of aligned faces of 112 pixels
    (`python -m data_prep.align`; `--image_size=112`).

    Args:
        input_shape: (side, side, 3), the side a multiple of 28; with the weights of `small_faces`
            (112, 112, 3).
        weights: Name of a pretrained checkpoint, none (the same network, drawn anew), or the path
            of a file.
        dropout: Share of features dropped in training.

    Raises:
        ValueError: If `input_shape` is no such image, there is no checkpoint of that name, or
            weights do not fit.
        FileNotFoundError: If the file is not there.
    """
    height, width, channels = require_image("pretrained", input_shape, 28)
    if height != width or height % 28:
        raise ValueError(
            "pretrained needs square images whose side is a multiple of 28, got input_shape "
            f"{(height, width, channels)}; aligned faces have 112 pixels (--image_size=112)."
        )
    inputs = keras.Input((height, width, channels))
    features = features_of(AlignedGrey()(inputs), WIDTH, dropout)
    model = keras.Model(inputs, features, name="small_resnet")
    return with_weights(
        model, weights if weights == "none" else str(checkpoint_at(weights)), "pretrained"
    )
