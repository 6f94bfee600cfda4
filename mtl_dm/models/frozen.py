"""Which parts of a model are frozen, told and restored by their places in it.

The config of a backbone that makes its layers itself does not say it, and a model makes its heads
itself. Without it the optimizer of a checkpoint would not find the weights that it was made for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

Frozen = Mapping[str, Sequence[int]]
"""Places of frozen layers, under "layers", and of weights frozen one by one, under "weights"."""


def learnable_weights(layer: keras.layers.Layer) -> list[Any]:
    """Return the weights that are there to be trained, also those that are frozen now."""
    return [weight for each in layer._flatten_layers() for weight in each._trainable_variables]


def frozen_parts(model: keras.Model) -> dict[str, list[int]]:
    """Return what is frozen; empty where nothing is.

    Args:
        model: Built.
    """
    parts = list(model._flatten_layers())
    layers = [place for place, each in enumerate(parts) if not each.trainable]
    closed = {id(w) for place in layers for w in learnable_weights(parts[place])}
    weights = [
        place
        for place, weight in enumerate(learnable_weights(model))
        if not weight.trainable and id(weight) not in closed
    ]
    found = {"layers": layers, "weights": weights}
    return {name: places for name, places in found.items() if places}


def freeze(model: keras.Model, frozen: Frozen) -> None:
    """Freeze what another model like this one had frozen; the rest stays as it is.

    Args:
        model: Built.
        frozen: Of `frozen_parts`.

    Raises:
        ValueError: If a place is not in the model.
    """
    parts = {"layers": list(model._flatten_layers()), "weights": learnable_weights(model)}
    for kind, places in frozen.items():
        if max(places) >= len(parts[kind]):
            raise ValueError(
                f"The config freezes the {kind} {list(places)}, but this model has "
                f"{len(parts[kind])} {kind}: it was made by another version of its backbone."
            )
        for place in places:
            parts[kind][place].trainable = False
