"""The operators G by name: from standardised rows of all sources to one embedding and back.

Shapes: R rows, N numbers of all sources, K of the common embedding.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Protocol

import numpy as np

from mtl_dm.fusing.autoencoder import Autoencoder, Noted, Training
from mtl_dm.fusing.pca import PrincipalComponents
from mtl_dm.fusing.reconstruction import normalised_errors, reconstructed
from mtl_dm.fusing.sources import Sources, Standard, standard_of
from mtl_dm.fusing.widths import layer_widths
from mtl_dm.registry import Registry


class Operator(Protocol):
    """What makes one embedding of all, and restores them from it.

    Attributes:
        size: K.
    """

    size: int

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """Return embeddings [R, K] of standardised rows [R, N]."""

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return standardised rows [R, N]."""


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """What an operator is fitted to.

    Attributes:
        sources: The embeddings.
        standard: Brings them to one scale.
        places: Of the rows to fit to.
        noted: Told how far an autoencoder is.
    """

    sources: Sources
    standard: Standard
    places: np.ndarray
    noted: Noted = lambda step, steps, error: None

    def at(self, places: np.ndarray) -> np.ndarray:
        """Return standardised rows."""
        return self.standard(self.sources.rows(places))


OPERATORS: Registry[Callable[..., Operator]] = Registry("operator")


@OPERATORS.register("concatenation")
class Concatenation:
    """All sources side by side.

    Args:
        rows: Whose.
    """

    def __init__(self, rows: Rows) -> None:
        self.size = rows.sources.width

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows."""
        return rows

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the codes."""
        return codes


@OPERATORS.register("pca")
def pca(rows: Rows, size: int | None = None) -> PrincipalComponents:
    """Return the principal components.

    Args:
        rows: To fit to.
        size: Of the embedding; None: as an autoencoder's.

    Raises:
        ValueError: If there are fewer rows than components, or it is not narrower than the sources.
    """
    batches = (rows.standard(each) for each in rows.sources.batches(rows.places))
    return PrincipalComponents(batches, layer_widths(rows.sources.width, size)[-1])


@OPERATORS.register("autoencoder")
def autoencoder(
    rows: Rows,
    size: int | None = None,
    steps: int = 2000,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> Autoencoder:
    """Return a trained autoencoder, what the paper takes.

    Args:
        rows: To train on.
        size: Of the embedding; None: by the paper's factor, `layer_widths`.
        steps: Of training at most; fewer rows have fewer, see `Training`.
        batch_size: Rows a step.
        learning_rate: Of Adam at the start.
        seed: Of all that is drawn.

    Raises:
        ValueError: If it is not narrower than the sources, or its loss is no number.
    """
    return _trained(rows, size, Training(steps, batch_size, learning_rate, seed))


@OPERATORS.register("denoising")
def denoising(
    rows: Rows,
    size: int | None = None,
    masked: float = 0.1,
    steps: int = 2000,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> Autoencoder:
    """Return a trained denoising autoencoder.

    Args:
        rows: To train on.
        size: As for `autoencoder`.
        masked: Share of the inputs that is set to 0 in training (the paper names no noise).
        steps: As for `autoencoder`.
        batch_size: Likewise.
        learning_rate: Likewise.
        seed: Likewise.

    Raises:
        ValueError: As `autoencoder`, or if the share is outside [0, 1).
    """
    training = Training(steps, batch_size, learning_rate, seed)
    return _trained(rows, size, training, masked=masked)


@OPERATORS.register("variational")
def variational(
    rows: Rows,
    size: int | None = None,
    deviation: float = 0.25,
    steps: int = 2000,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> Autoencoder:
    """Return a trained variational autoencoder, whose embedding is the mean of its code.

    Args:
        rows: To train on.
        size: As for `autoencoder`.
        deviation: Of the decoder, about the error to expect (the paper's Table 5: 0.19 to 0.31).
        steps: As for `autoencoder`.
        batch_size: Likewise.
        learning_rate: Likewise.
        seed: Likewise.

    Raises:
        ValueError: As `autoencoder`, or if the deviation is not above 0.
    """
    training = Training(steps, batch_size, learning_rate, seed)
    return _trained(rows, size, training, deviation=deviation)


def _trained(
    rows: Rows,
    size: int | None,
    training: Training,
    *,
    masked: float = 0.0,
    deviation: float | None = None,
) -> Autoencoder:
    for name in ("steps", "batch_size", "learning_rate"):
        if not getattr(training, name) > 0:
            raise ValueError(f"{name} must be above 0, got {getattr(training, name)}.")
    width = rows.sources.width
    network = Autoencoder(
        width, layer_widths(width, size), masked=masked, deviation=deviation, seed=training.seed
    )
    network.fit(rows.at, rows.places, training, rows.noted)
    return network


@dataclasses.dataclass(frozen=True, eq=False)
class Fusion:
    """An operator with the scale of its sources and the mean of its embeddings.

    The common embedding is the operator's code less the mean of the codes that it was fitted to.
    Vielzeuf et al. 2019 take the code as it is. That of an autoencoder lies far from 0, so that the
    cosine of eq. 4 is large for whatever always gives the mean, and what differs between faces
    hardly moves it; a decoder of the embedding loses nothing by the shift. Three variants of what a
    student is to give were compared, once, on 200 held-out faces of an unlabelled set (2,000 of
    FER2013, 12 passes): the code as it is, centred, and centred with every number of variance 1.
    Its cosine with the centred code was .72, .79 and .79; a linear decoder of its features restored
    the sources with a normalised RMSE of .59, .60 and .59, which tells none from another.

    Attributes:
        operator: G.
        standard: The scale.
        centre: [K], the mean code.
    """

    operator: Operator
    standard: Standard
    centre: np.ndarray

    @property
    def size(self) -> int:
        """Numbers of the common embedding."""
        return self.operator.size

    def embed(self, rows: np.ndarray) -> np.ndarray:
        """Return common embeddings [R, K] of the sources' rows [R, N]."""
        return self.operator.encode(self.standard(rows)) - self.centre

    def restore(self, codes: np.ndarray) -> np.ndarray:
        """Return rows [R, N] in the sources' own scale."""
        return self.standard.inverse(self.operator.decode(codes + self.centre))

    def errors(self, sources: Sources, places: np.ndarray) -> dict[str, float]:
        """Return the normalised RMSE of each source; see `normalised_errors`."""
        pairs = reconstructed(sources, places, lambda rows: self.restore(self.embed(rows)))
        return normalised_errors(pairs, sources.slices)


def fuse(
    text: str,
    sources: Sources,
    places: np.ndarray,
    noted: Noted = lambda step, steps, error: None,
) -> Fusion:
    """Return an operator, fitted to some rows.

    Args:
        text: A specification of `OPERATORS`.
        sources: The embeddings.
        places: Of the rows to fit to, at least two.
        noted: Told how far an autoencoder is.

    Raises:
        ValueError: If the name or an option is unknown, there is no row, a source does not vary, or
            the operator cannot be fitted.
    """
    OPERATORS.spec(text)
    if len(places) < 2:
        raise ValueError(f"An operator needs at least two images to fit to, got {len(places)}.")
    standard = standard_of(sources, places)
    operator = OPERATORS.create(text, Rows(sources, standard, places, noted))
    total = np.zeros(operator.size)
    for rows in sources.batches(places):
        total += operator.encode(standard(rows)).sum(axis=0, dtype=np.float64)
    return Fusion(operator, standard, (total / len(places)).astype(np.float32))
