"""Whether a backbone adds losses itself, found out without computing anything."""

from __future__ import annotations

from typing import Any

import keras

PLAIN = ("keras.", "mtl_dm.models.backbones.")
"""Modules whose layers never call `add_loss`; of ours, backbones bring terms by name instead."""


def known_inputs(backbone: keras.layers.Layer) -> Any:
    """Return what a backbone takes, a symbol or a structure of them; None: data must tell."""
    if isinstance(backbone, keras.Sequential):
        inputs = getattr(backbone, "inputs", None)
        return inputs[0] if inputs else None
    return getattr(backbone, "input", None) if isinstance(backbone, keras.Model) else None


def adds_losses(backbone: keras.layers.Layer, inputs: Any) -> bool:
    """Return whether a built backbone has losses of its own in training.

    Args:
        backbone: Built.
        inputs: A `keras.KerasTensor`, or a structure of them.
    """
    if backbone.losses:  # Regularisers.
        return True
    # A look runs through all of a network once more, which takes seconds for a deep one.
    if not any(map(_may_add, backbone._flatten_layers())):
        return False
    looked = _Look(backbone)
    looked.compute_output_spec(inputs)
    return looked.found


def _may_add(layer: keras.layers.Layer) -> bool:
    plain = f"{type(layer).__module__}.".startswith(PLAIN)
    return not plain or layer.activity_regularizer is not None


class _Look(keras.Operation):
    """Calls a backbone symbolically and watches `add_loss`, which Keras then lets fall."""

    def __init__(self, backbone: keras.layers.Layer) -> None:
        super().__init__()
        self._backbone = backbone
        self.found = False

    def call(self, inputs: Any) -> Any:
        with keras.StatelessScope(collect_losses=True) as scope:
            outputs = self._backbone(inputs, training=True)
        self.found = bool(scope.losses)
        return outputs
