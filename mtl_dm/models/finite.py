"""Weights that are numbers: a network with one NaN predicts nothing, and says so nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

SHOWN = 3


def not_finite(weights: Iterable[Any]) -> list[str]:
    """Return the paths of the weights that hold a NaN or an infinity.

    Args:
        weights: Variables of Keras; those that hold no floating-point numbers are finite.
    """
    found = []
    for weight in weights:
        values = keras.ops.convert_to_numpy(weight)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            found.append(weight.path)
    return found


def require_finite(what: str, model: keras.layers.Layer) -> None:
    """Check that all weights of a model are numbers.

    Args:
        what: In the words of a message, "The checkpoint x.keras".
        model: A built model.

    Raises:
        ValueError: If some are NaN or infinite; names the first ones.
    """
    found = not_finite(model.weights)
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise ValueError(
            f"{what} has weights that are NaN or infinite, {', '.join(found[:SHOWN])}{more}: what "
            "it predicts means nothing."
        )


def require_finite_outputs(outputs: Mapping[str, np.ndarray]) -> None:
    """Check what a model says of a batch: weights of any size are numbers, their products not.

    Args:
        outputs: By task name.

    Raises:
        ValueError: If some are NaN or infinite; names the tasks.
    """
    bad = [name for name, values in outputs.items() if not np.isfinite(values).all()]
    if bad:
        raise ValueError(
            f"What the model predicts of {', '.join(bad)} is NaN or infinite: its training broke, "
            "or its inputs are not numbers."
        )
