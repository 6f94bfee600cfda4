"""A model that was trained in mixed precision, as one that computes in float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mtl_dm.models.multi_task_model import MultiTaskModel
from mtl_dm.models.policies import under_policy

_HALVES = ("float16", "bfloat16")


def in_float32(model: MultiTaskModel) -> MultiTaskModel:
    """Return a model of the same weights whose layers all compute in float32.

    Mixed precision keeps its weights in float32 and rounds what flows between the layers to 11
    (float16) or 8 (bfloat16) bits. The copy leaves that rounding out; nothing else changes. Many
    programs that run models know no bfloat16, and none rounds as another one does.

    Args:
        model: A built model.

    Returns:
        The model itself if none of its layers computes in half precision.
    """
    config = model.get_config()
    full = _full_precision(config)
    if full == config:
        return model
    # Layers that do not store their policy take the one of the moment.
    with under_policy("float32"):
        copy = type(model).from_config(full)
        copy.build_from_config(model.get_build_config())
    copy.set_weights(
        [
            np.asarray(values, np.float32) if weight.dtype in _HALVES else values
            for weight, values in zip(model.weights, model.get_weights(), strict=True)
        ]
    )
    return copy


def _full_precision(config: Any) -> Any:
    """Return a configuration of Keras with float32 in place of every half precision."""
    if isinstance(config, Mapping):
        if config.get("class_name") == "DTypePolicy" and _is_half(config["config"]["name"]):
            return {**config, "config": {"name": "float32"}}
        return {
            key: "float32" if key == "dtype" and _is_half(value) else _full_precision(value)
            for key, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return type(config)([_full_precision(value) for value in config])
    return config


def _is_half(name: Any) -> bool:
    return isinstance(name, str) and name.removeprefix("mixed_") in _HALVES
