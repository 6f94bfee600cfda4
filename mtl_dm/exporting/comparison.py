"""Whether a written model gives the outputs of the Keras model, as far as float32 can tell.

Two programs add the same products in another order. A sum of n of them then moves by about
sqrt(n) * eps of their size, with eps = 2^-23, and what the layers add to this is as random:

    tolerance = max(1e-5, 4 * eps * sqrt(sum over layers of n)),   n products a sum of the layer

A difference is judged against the size of what is compared: an output b of the Keras model and a of
the written one are equal where

    |a - b| <= tolerance * max(1, largest |b| of this output over all inputs tried).

For probabilities that is an absolute difference. A regression whose outputs reach 1e4 carries
errors of some 1e4 * eps also where one of them comes out small, as the sum of large parts.
"""

from __future__ import annotations

import math

import keras
import numpy as np

from mtl_dm.exporting.formats import Outputs, Runner
from mtl_dm.models.inputs import Inputs, random_inputs

LEAST_TOLERANCE = 1e-5
_EPSILON = float(np.finfo(np.float32).eps)
_DEVIATIONS = 4
_COUNTS = (1, 5)
"""Rows to try: their number is free."""


def compare(name: str, model: keras.Model, written: Runner, inputs: Inputs) -> float:
    """Return the largest difference between a written model and the Keras model.

    Args:
        name: Of the format.
        model: The Keras model, in float32.
        written: Runs the written model.
        inputs: What both take.

    Returns:
        The largest |a - b| / max(1, largest |b|), as above.

    Raises:
        ValueError: If it is above `tolerance(model)`, or an output is missing, has another shape
            or is no number.
    """
    expected: list[Outputs] = []
    found: list[Outputs] = []
    for seed, count in enumerate(_COUNTS):
        batch = random_inputs(inputs, count, seed)
        outputs = model(batch, training=False)
        expected.append({key: keras.ops.convert_to_numpy(each) for key, each in outputs.items()})
        found.append(written(batch))
        _require_same_outputs(name, expected[-1], found[-1])
    limit = tolerance(model)
    largest = 0.0
    for task in expected[0]:
        difference = relative_difference(
            np.concatenate([part[task] for part in expected]),
            np.concatenate([part[task] for part in found]),
        )
        if not difference <= limit:  # NaN too
            raise ValueError(
                f"{name}: {task} differs from the Keras model by {difference:.2g} of its size, "
                f"more than {limit:.1g}. Nothing was written."
            )
        largest = max(largest, difference)
    return largest


def _require_same_outputs(name: str, expected: Outputs, found: Outputs) -> None:
    shapes, written = (
        {task: values.shape for task, values in sorted(outputs.items())}
        for outputs in (expected, found)
    )
    if set(written) != set(shapes):
        raise ValueError(f"{name}: has the outputs {list(written)}, not {list(shapes)}.")
    if written != shapes:
        raise ValueError(f"{name}: its outputs have the shapes {written}, not {shapes}.")


def relative_difference(expected: np.ndarray, found: np.ndarray) -> float:
    """Return the largest difference in units of max(1, the output's largest size); NaN counts.

    Args:
        expected: [N, size].
        found: The same shape.
    """
    size = np.maximum(1.0, np.abs(expected).max(axis=0))
    return float((np.abs(expected - found) / size).max())


def tolerance(model: keras.Model) -> float:
    """Return how far two float32 evaluations of a model may lie apart, see above."""
    # The last axis of a kernel counts its sums, the others run over the products of one.
    products = sum(
        math.prod(weight.shape[:-1]) for weight in model.weights if len(weight.shape) > 1
    )
    return max(LEAST_TOLERANCE, _DEVIATIONS * _EPSILON * math.sqrt(products))
