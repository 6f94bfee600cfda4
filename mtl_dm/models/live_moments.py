"""Moments that change while a model trains, kept among the model's weights."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from mtl_dm.models.live_relatedness import LiveRelatedness
from mtl_dm.relatedness import Moments


class MomentTable(NamedTuple):
    """The arrays of `Moments` under its names, as tensors.

    Attributes:
        mean: [K, R].
        covariance: [K, R, R].
        whitening: [K, R, R].
        prior: [K].
    """

    mean: Any
    covariance: Any
    whitening: Any
    prior: Any


class LiveMoments(keras.layers.Layer):
    """Stands for `Moments` inside a training step; checkpoints save and restore it.

    Args:
        start: The moments until `assign` is called.
        **kwargs: As for `keras.layers.Layer`.
    """

    confirmed = None
    """No labels judge it; see `LiveRelatedness`."""

    def __init__(self, start: Moments, **kwargs: Any) -> None:
        super().__init__(trainable=False, dtype="float32", **kwargs)
        self._start = start
        self._mean = self._constant("mean", start.mean.shape)
        self._covariance = self._constant("covariance", start.covariance.shape)
        self._whitening = self._constant("whitening", start.covariance.shape)
        self._prior = self._constant("prior", start.mean.shape[:1])
        # Whether the weights hold anything but the start.
        self._replaced = self._constant("replaced", ())
        self.built = True
        self._fill(start)

    def _constant(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.add_weight(name=name, shape=shape, initializer="zeros", trainable=False)

    @property
    def replaced(self) -> bool:
        """Whether anything but the start is in use."""
        return bool(ops.convert_to_numpy(self._replaced))

    def assign(self, moments: Moments) -> None:
        """Make the step see other moments.

        Args:
            moments: Over the labels of the start.

        Raises:
            ValueError: If they name other labels than the start, or in another order.
        """
        start = self._start
        if (moments.classes, moments.values) != (start.classes, start.values):
            raise ValueError(
                f"Learned moments must keep their labels, {start.classes} x {start.values}, got "
                f"{moments.classes} x {moments.values}."
            )
        self._fill(moments)
        self._replaced.assign(1.0)

    def _fill(self, moments: Moments) -> None:
        classes = len(moments.classes)
        even = np.full(classes, 1.0 / classes, np.float32)
        self._mean.assign(moments.mean)
        self._covariance.assign(moments.covariance)
        self._whitening.assign(moments.whitening)
        self._prior.assign(even if moments.prior is None else moments.prior)

    def table(self) -> MomentTable:
        """Return what a coupling form reads."""
        return MomentTable(
            *map(
                ops.convert_to_tensor,
                (self._mean, self._covariance, self._whitening, self._prior),
            )
        )

    def value(self) -> Moments:
        """Return what stands in the weights: the start as it was given until `assign` is called."""
        if not ops.convert_to_numpy(self._replaced):
            return self._start
        return Moments(
            self._start.classes,
            self._start.values,
            ops.convert_to_numpy(self._mean),
            ops.convert_to_numpy(self._covariance),
            f"Learned during training, starting from: {self._start.citation}",
            ops.convert_to_numpy(self._prior),
        )


Live = LiveRelatedness | LiveMoments


def live_of(relation: Any, judged: bool, name: str) -> Live:
    """Return what stands for a relation that training replaces.

    Args:
        relation: The start.
        judged: As for `LiveRelatedness`.
        name: Of the layer.
    """
    if isinstance(relation, Moments):
        return LiveMoments(relation, name=name)
    return LiveRelatedness(relation, judged=judged, name=name)
