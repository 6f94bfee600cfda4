"""A backbone from a file: what `distill` leaves, or any other model from images to features."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from mtl_dm.files import expand_home
from mtl_dm.models.finite import require_finite
from mtl_dm.models.loading import load_keras
from mtl_dm.registry import Registry
from mtl_dm.spec import Spec

SUFFIX = ".keras"


class Backbones(Registry[Callable[..., keras.Model]]):
    """The registry of backbones, in which the path of a .keras file is a backbone, too."""

    def spec(self, text: str) -> Spec:
        """Return a specification; a path stands for itself. As `Registry.spec`."""
        return Spec(text, {}) if text.endswith(SUFFIX) else super().spec(text)

    def create(self, text: str, *positional: Any) -> Any:
        """Return a backbone by name or from a file.

        Args:
            text: As for `spec`.
            *positional: The input shape.

        Raises:
            ValueError: As `Registry.create` and `saved_backbone`.
            FileNotFoundError: If there is no such file.
        """
        if text.endswith(SUFFIX):
            return saved_backbone(positional[0], text)
        return super().create(text, *positional)


def saved_backbone(input_shape: Any, path: str) -> keras.Model:
    """Return the network in a file with its weights, all of them to be trained on.

    Args:
        input_shape: Of the images.
        path: A .keras file of a model from images to features [B, D], or of a `MultiTaskModel`,
            whose backbone it is.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read, takes other images, or gives no features.
    """
    file = Path(expand_home(path))
    if not file.is_file():
        raise FileNotFoundError(f"No backbone at {path}.")
    loaded = load_keras(file, compile=False)
    network = getattr(loaded, "backbone", loaded)
    require_finite(f"The backbone {path}", network)
    takes = tuple(getattr(network, "input_shape", None) or ())[1:]
    if takes != tuple(input_shape):
        raise ValueError(
            f"The backbone {path} takes the input_shape {takes}, the images have "
            f"{tuple(input_shape)}: give --image_size."
        )
    outputs = network.output_shape
    if not isinstance(outputs, dict) and len(outputs) != 2:
        raise ValueError(f"The backbone {path} must give features [B, D], it gives {outputs}.")
    network.trainable = True
    return network
