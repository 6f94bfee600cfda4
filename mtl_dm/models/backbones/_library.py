"""Networks of `keras.applications` as backbones: preprocessing in front, features behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import layers

from mtl_dm.models.backbones._contract import require_image
from mtl_dm.models.backbones._narrow import Size, narrowed
from mtl_dm.models.backbones.preprocessing import ImageNetInput, Mode

Application = Callable[..., keras.Model]

LEAST = 32
"""Smallest side of an image that the networks take."""


def library_trunk(
    name: str,
    application: Application,
    mode: Mode,
    input_shape: Any,
    size: Size,
    *,
    own_input: str = "",
) -> keras.Model:
    """Return a network of `keras.applications` from images in [-1, 1] to features [B, D].

    Args:
        name: Of the backbone.
        application: Builds the network, such as `keras.applications.VGG16`.
        mode: What the network expects; see `ImageNetInput`.
        input_shape: (height, width, 3).
        size: What becomes of the network.
        own_input: Pattern of the names of the network's own preprocessing layers, which
            `ImageNetInput` replaces.

    Raises:
        ValueError: If `input_shape` is no colour image of at least 32 x 32 pixels.
    """
    inputs = keras.Input(require_image(name, input_shape, LEAST), name="images")
    prepared = ImageNetInput(mode, name="imagenet_input")(inputs)
    whole = application(include_top=False, weights=None, input_tensor=prepared)
    dropped = "|".join(filter(None, (own_input, size.dropped)))
    trunk = narrowed(whole, Size(**{**vars(size), "dropped": dropped}))
    features = layers.GlobalAveragePooling2D(name="features")(trunk.output)
    return keras.Model(trunk.input, features, name=name)


def with_outputs(
    backbone: keras.Model, outputs: Sequence[str], dropout: float = 0.0
) -> keras.Model:
    """Return a backbone that ends with dropout and gives the outputs of some of its layers too.

    Args:
        backbone: From images to features [B, D].
        outputs: Names of layers; none: the backbone gives features alone, else a dictionary with
            "features" and an entry a name.
        dropout: Share of features dropped in training.

    Raises:
        ValueError: If a layer is unknown; some that are known are listed.
    """
    features = backbone.output
    if dropout:
        features = layers.Dropout(dropout, name="dropout")(features)
    known = [layer.name for layer in backbone.layers[1:]]
    unknown = [name for name in outputs if name not in known or name == "features"]
    if unknown:
        some = ", ".join(known[:: max(1, len(known) // 12)])
        raise ValueError(
            f"{backbone.name} has no layers {unknown} to take outputs of. It has {len(known)}, "
            f"among them: {some}."
        )
    found: Any = features
    if outputs:
        found = {"features": features}
        found |= {name: backbone.get_layer(name).output for name in outputs}
    return keras.Model(backbone.input, found, name=backbone.name)
