"""A relatedness that changes while a model trains, kept among the model's weights."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from mtl_dm.relatedness import Relatedness


class Table(NamedTuple):
    """The arrays of a `Relatedness` under its names, as tensors; learned weights are P as well."""

    conditional: Any
    weights: Any
    likelihood: Any
    prior: Any


class LiveRelatedness(keras.layers.Layer):
    """Stands for a `Relatedness` inside a training step; checkpoints save and restore it.

    Args:
        start: The relatedness until `assign` is called.
        **kwargs: As for `keras.layers.Layer`.
    """

    def __init__(self, start: Relatedness, **kwargs: Any) -> None:
        super().__init__(trainable=False, dtype="float32", **kwargs)
        self._start = start
        shape = (len(start.classes), len(start.attributes))
        self._conditional = self._constant("conditional", shape)
        self._counts = self._constant("counts", shape)
        self._prior = self._constant("prior", shape[:1])
        self._likelihood = self._constant("likelihood", shape)
        # Whether the weights hold anything but the start.
        self._replaced = self._constant("replaced", ())
        self.built = True
        self._fill(start)

    def _constant(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.add_weight(name=name, shape=shape, initializer="zeros", trainable=False)

    def assign(self, relatedness: Relatedness) -> None:
        """Make the step see another relatedness.

        Raises:
            ValueError: If it names other labels than the start, or in another order.
        """
        start = self._start
        if (relatedness.classes, relatedness.attributes) != (start.classes, start.attributes):
            raise ValueError(
                "A learned relatedness must keep its labels, "
                f"{start.classes} x {start.attributes}, got "
                f"{relatedness.classes} x {relatedness.attributes}."
            )
        self._fill(relatedness)
        self._replaced.assign(1.0)

    def _fill(self, relatedness: Relatedness) -> None:
        classes = len(relatedness.classes)
        uniform = np.full(classes, 1.0 / classes, np.float32)
        counts = relatedness.counts
        self._conditional.assign(relatedness.conditional)
        self._counts.assign(np.zeros_like(relatedness.conditional) if counts is None else counts)
        self._prior.assign(uniform if relatedness.prior is None else relatedness.prior)
        self._likelihood.assign(relatedness.likelihood)

    def table(self) -> Table:
        """Return what a coupling form reads."""
        conditional = ops.convert_to_tensor(self._conditional)
        return Table(
            conditional,
            ops.where(self._replaced > 0, conditional, self._start.weights.astype(np.float32)),
            ops.convert_to_tensor(self._likelihood),
            ops.convert_to_tensor(self._prior),
        )

    def value(self) -> Relatedness:
        """Return what stands in the weights: the start as it was given until `assign` is called."""
        if not ops.convert_to_numpy(self._replaced):
            return self._start
        conditional = ops.convert_to_numpy(self._conditional)
        counts = ops.convert_to_numpy(self._counts)
        return Relatedness(
            self._start.classes,
            self._start.attributes,
            conditional,
            conditional,
            f"Learned during training, starting from: {self._start.citation}",
            ops.convert_to_numpy(self._prior),
            counts if counts.any() else None,
        )
