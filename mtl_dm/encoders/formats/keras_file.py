"""Keras files: a `MultiTaskModel` of this package, whose features count, or any other model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mtl_dm.encoders.formats.content import content_of
from mtl_dm.encoders.network import Network, image_size
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
    model = load_keras(path, compile=False)
    require_finite(f"The encoder {path}", model)
    known = model.count_params(), content_of(model)
    if isinstance(model, MultiTaskModel):
        return Network(image_side(model), 3, network_of(model, layer), *known)
    shape = getattr(model, "input_shape", None)
    side, channels = image_size(f"The encoder {path}", tuple(shape or ())[1:])
    if layer is not None:
        return Network(side, channels, layer_outputs(model, layer), *known)

    def outputs(images: np.ndarray) -> np.ndarray:
        return flat(model(images, training=False))

    return Network(side, channels, outputs, *known)
