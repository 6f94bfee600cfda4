"""Networks of `keras.applications` as backbones: preprocessing in front, features behind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import layers

from mtl_dm.models.backbones._contract import require_image, require_variant
from mtl_dm.models.backbones._narrow import Size, narrowed
from mtl_dm.models.backbones._weight_files import input_mode_in
from mtl_dm.models.backbones._weights import with_weights
from mtl_dm.models.backbones.preprocessing import ImageNetInput, Mode

Application = Callable[..., keras.Model]

LEAST = 32
"""Smallest side of an image that the networks take."""


SHAPES = ((), (32, 32), (31, 32, 3), (32, 31, 3), (32, 32, 1), (None, None, 3), (2, 32, 32, 3))
"""Input shapes that they refuse."""

_NO_INPUT = r"(rescaling|normalization)(_\d+)?"
"""EfficientNets' own preprocessing, whose statistics are 0 and 1 unless a file is read."""


def library_backbone(
    name: str,
    application: Application,
    mode: Mode,
    input_shape: Any,
    variant: str,
    demo: Size,
    *,
    weights: str,
    dropout: float,
    outputs: Sequence[str],
    drop_connect: float = 1.0,
    own_input: str = "",
) -> keras.Model:
    """Return a network of `keras.applications` as a backbone.

    A network of mode "caffe" takes 0 to 255 for its published weights alone: from there a start at
    random runs away. Without weights it takes [-1, 1] and starts as He et al. 2015 do.

    Args:
        name: As for `library_trunk`.
        application: Likewise.
        mode: Likewise.
        input_shape: Likewise.
        variant: "paper", the network as it is, or "demo".
        demo: Size of the variant demo.
        weights: As for `with_weights`.
        dropout: As for `with_outputs`.
        outputs: Likewise.
        drop_connect: Factor on the rates of the network's own dropout layers.
        own_input: As for `library_trunk`.

    Raises:
        ValueError: If an option or the shape is none that the network takes.
        FileNotFoundError: If there is no file of weights.
        OSError: If the weights of ImageNet cannot be fetched.
    """
    is_demo = require_variant(name, variant)
    size = dataclasses.replace(demo if is_demo else Size(), drop_connect=drop_connect)
    if mode == "caffe":
        if weights == "none":
            size = dataclasses.replace(size, initializer="he_uniform")
        mode = "tf" if is_demo or weights == "none" else input_mode_in(weights) or mode
    trunk = library_trunk(name, application, mode, input_shape, size, own_input=own_input)

    def imagenet() -> keras.Model:
        return application(include_top=False, weights="imagenet", input_shape=(224, 224, 3))

    with_weights(trunk, weights, name, imagenet=None if is_demo else imagenet)
    return with_outputs(trunk, outputs, dropout)


def efficientnet(
    name: str,
    application: Application,
    input_shape: Any,
    variant: str,
    demo: Size,
    *,
    weights: str,
    dropout: float,
    drop_connect: float | None,
    outputs: Sequence[str],
) -> keras.Model:
    """Return an EfficientNet of `keras.applications` as a backbone.

    Args:
        name: As for `library_backbone`.
        application: Likewise.
        input_shape: Likewise.
        variant: Likewise.
        demo: Likewise.
        weights: Likewise.
        dropout: Likewise.
        drop_connect: Share of the last block's outputs dropped whole in training; None: 0.2, of
            the demo 0.
        outputs: As for `library_backbone`.

    Raises:
        ValueError: As `library_backbone`.
        FileNotFoundError: Likewise.
        OSError: Likewise.
    """
    if drop_connect is None:
        drop_connect = 0.0 if variant == "demo" else 0.2
    return library_backbone(
        name,
        application,
        "torch",
        input_shape,
        variant,
        demo,
        weights=weights,
        dropout=dropout,
        drop_connect=drop_connect / 0.2,  # The library's own rate.
        own_input=_NO_INPUT,
        outputs=outputs,
    )


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
    # Only its layers are wanted: values take most of the time. They have seeds, so that not to draw
    # them changes no other draw.
    with keras.StatelessScope(initialize_variables=False):
        whole = application(include_top=False, weights=None, input_tensor=prepared)
    dropped = "|".join(filter(None, (own_input, size.dropped)))
    trunk = narrowed(whole, dataclasses.replace(size, dropped=dropped))
    features = averaged(trunk.output, size.cells, name="features")
    # Some of the networks take a list of one input.
    return keras.Model(trunk.inputs[0], features, name=name)


def averaged(x: Any, cells: int, name: str) -> Any:
    """Return averages over a map, or over each cell of a grid on it, [B, cells * cells * C].

    Args:
        x: [B, H, W, C].
        cells: A side of the grid; 1: the whole map. A smaller map has a cell a place.
        name: Of the last layer.
    """
    if cells == 1:
        return layers.GlobalAveragePooling2D(name=name)(x)
    sides = [max(1, side // cells) for side in x.shape[1:3]]
    return layers.Flatten(name=name)(layers.AveragePooling2D(sides, name=f"{name}_cells")(x))


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
