"""Keras files: a `MultiTaskModel` of this package, whose features count, or any other model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mtl_dm.encoders.formats.content import content_of
from mtl_dm.encoders.network import Network, image_size, only_output
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.finite import require_finite
from mtl_dm.models.loading import load_keras
from mtl_dm.verifying.embedding import flat, image_side, layer_outputs, network_of


def keras_file(path: Path, layer: str | None) -> Network:
    """Return the network of a Keras file.

    Args:
        path: A .keras or .h5 file that is there.
        layer: Name of a layer; None: the output, of a `MultiTaskModel` its shared features.

    Raises:
        ValueError: If it cannot be read, does not take images, or has no such layer.
    """
    return keras_network(f"The encoder {path}", load_keras(path, compile=False), layer)


def keras_network(what: str, model: Any, layer: str | None) -> Network:
    """Return the network of a Keras model.

    Args:
        what: What it is, for messages.
        model: The model.
        layer: As for `keras_file`.

    Raises:
        ValueError: As `keras_file`, or if it has several outputs and none is chosen.
    """
    require_finite(what, model)
    known = model.count_params(), content_of(model)
    if isinstance(model, MultiTaskModel):
        return Network(image_side(model), 3, network_of(model, layer), *known)
    shape = getattr(model, "input_shape", None)
    side, channels = image_size(what, tuple(shape or ())[1:])
    if layer is not None:
        return Network(side, channels, layer_outputs(model, layer), *known)
    only_output(what, list(getattr(model, "output_names", None) or ["output"]))

    def outputs(images: np.ndarray) -> np.ndarray:
        return flat(model(images, training=False))

    return Network(side, channels, outputs, *known)
