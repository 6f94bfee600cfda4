"""A relatedness that changes while a model trains, kept among the model's weights."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from mtl_dm.relatedness import Relatedness

UNJUDGED = -1.0
"""Stands for the share that labels confirm of a table before they were asked."""


class Table(NamedTuple):
    """The arrays of a `Relatedness` under its names, as tensors; learned weights are P as well.

    Attributes:
        conditional: [K, M].
        weights: [K, M].
        likelihood: [K, M].
        prior: [K].
        reliability: [K, M] in [0, 1], how far a pair is relied on; None: wholly.
    """

    conditional: Any
    weights: Any
    likelihood: Any
    prior: Any
    reliability: Any = None


class LiveRelatedness(keras.layers.Layer):
    """Stands for a `Relatedness` inside a training step; checkpoints save and restore it.

    Args:
        start: The relatedness until `assign` is called.
        judged: Labels are to judge it (`mtl_dm.relatedness.confirmed_share`): what they say is kept
            too. Until then a step sees what it would see of the start itself, to the last bit.
        **kwargs: As for `keras.layers.Layer`.
    """

    def __init__(self, start: Relatedness, judged: bool = False, **kwargs: Any) -> None:
        super().__init__(trainable=False, dtype="float32", **kwargs)
        self._start = start
        self._judged = judged
        shape = (len(start.classes), len(start.attributes))
        self._conditional = self._constant("conditional", shape)
        self._counts = self._constant("counts", shape)
        self._prior = self._constant("prior", shape[:1])
        self._likelihood = self._constant("likelihood", shape)
        # Whether the weights hold anything but the start.
        self._replaced = self._constant("replaced", ())
        if judged:
            self._confirmed = self._constant("confirmed", ())
            self._confirmed.assign(UNJUDGED)
            self._reliability = self._constant("reliability", shape)
            self._reliability.assign(np.ones(shape, np.float32))
        self.built = True
        self._fill(start)

    def _constant(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.add_weight(name=name, shape=shape, initializer="zeros", trainable=False)

    @property
    def replaced(self) -> bool:
        """Whether anything but the start is in use."""
        return bool(ops.convert_to_numpy(self._replaced))

    @property
    def confirmed(self) -> float | None:
        """The share of the start that labels confirm; None: nobody has asked them."""
        if not self._judged:
            return None
        share = float(ops.convert_to_numpy(self._confirmed))
        return None if share == UNJUDGED else share

    def confirm(self, share: float) -> None:
        """Keep the share of the start that labels confirm.

        Raises:
            ValueError: If they are not to judge it, or the share is not in [0, 1].
        """
        if not self._judged or not 0.0 <= share <= 1.0:
            raise ValueError(
                "The confirmed share of a relatedness that labels judge must lie in [0, 1], got "
                f"{share}{'' if self._judged else ' for one that they do not judge'}."
            )
        self._confirmed.assign(share)

    def assign(self, relatedness: Relatedness, reliability: Any = None) -> None:
        """Make the step see another relatedness.

        Args:
            relatedness: Over the labels of the start.
            reliability: [K, M], of one that labels judge; None: leave it.

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
        if reliability is not None:
            self._reliability.assign(reliability)
        self._replaced.assign(1.0)

    def _fill(self, relatedness: Relatedness) -> None:
        classes = len(relatedness.classes)
        # Its logarithm is 0: adding it to a score leaves that as it is without a prior.
        share = 1.0 if self._judged else 1.0 / classes
        uniform = np.full(classes, share, np.float32)
        counts = relatedness.counts
        self._conditional.assign(relatedness.conditional)
        self._counts.assign(np.zeros_like(relatedness.conditional) if counts is None else counts)
        self._prior.assign(uniform if relatedness.prior is None else relatedness.prior)
        self._likelihood.assign(relatedness.likelihood)

    def load_own_variables(self, store: Any) -> None:
        """Load the weights; of a model saved before its relatedness could change there are none."""
        if store.keys():
            super().load_own_variables(store)

    def table(self) -> Table:
        """Return what a coupling form reads."""
        conditional = ops.convert_to_tensor(self._conditional)
        return Table(
            conditional,
            ops.where(self._replaced > 0, conditional, self._start.weights.astype(np.float32)),
            ops.convert_to_tensor(self._likelihood),
            ops.convert_to_tensor(self._prior),
            ops.convert_to_tensor(self._reliability) if self._judged else None,
        )

    def value(self) -> Relatedness:
        """Return what stands in the weights: the start as it was given until `assign` is called."""
        if not ops.convert_to_numpy(self._replaced):
            return self._start
        conditional = ops.convert_to_numpy(self._conditional)
        counts = ops.convert_to_numpy(self._counts)
        prior = ops.convert_to_numpy(self._prior)
        share = self.confirmed
        judged = "" if share is None else f", of which labels confirm {share:.0%}"
        return Relatedness(
            self._start.classes,
            self._start.attributes,
            conditional,
            conditional,
            f"Learned during training{judged}, starting from: {self._start.citation}",
            # Ones stand for no prior.
            prior if np.isclose(prior.sum(), 1.0, atol=1e-4) else None,
            counts if counts.any() else None,
        )
