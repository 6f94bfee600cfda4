"""What a Keras network computes, as a digest: its file has the date in it, and counted names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

_IDENTITY = "shared_object_id"
"""An address in the memory of the process that wrote the configuration."""


def content_of(model: keras.Model) -> str:
    """Return the same text for two networks of the same layers and weights: a SHA-256.

    Names do not count: Keras numbers those of layers by what the process built before. Nor does
    when, where and how the network was saved.

    Args:
        model: A network with weights.
    """
    config = json.loads(model.to_json())
    numbers = {name: place for place, name in enumerate(dict.fromkeys(_names(config)))}
    total = hashlib.sha256(json.dumps(_numbered(config, numbers), sort_keys=True).encode())
    for weight in model.weights:
        values = np.ascontiguousarray(keras.ops.convert_to_numpy(weight))
        total.update(f"{values.dtype.str} {values.shape}".encode())
        total.update(values.tobytes())
    return total.hexdigest()


def _names(config: Any) -> Iterator[str]:
    if isinstance(config, dict):
        if isinstance(config.get("name"), str):
            yield config["name"]
        for value in config.values():
            yield from _names(value)
    elif isinstance(config, list):
        for value in config:
            yield from _names(value)


def _numbered(config: Any, numbers: dict[str, int]) -> Any:
    """Return a configuration with the order of names in their place, wherever they stand."""
    if isinstance(config, dict):
        kept = {key: value for key, value in config.items() if key != _IDENTITY}
        return {key: _numbered(value, numbers) for key, value in kept.items()}
    if isinstance(config, list):
        return [_numbered(value, numbers) for value in config]
    return numbers.get(config, config) if isinstance(config, str) else config
