"""Several encoders' embeddings of the same images, side by side and on one scale.

Shapes: R rows (images), N numbers of all sources together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from mtl_dm.encoders import Embeddings
from mtl_dm.spec import repeated

BATCH = 1024
"""Rows that are looked at at a time, however many there are."""


@dataclasses.dataclass(frozen=True)
class Sources:
    """Embeddings of the same images by different encoders.

    Args:
        parts: One of each encoder, in the order in which they are concatenated.

    Raises:
        ValueError: If there is none, two have one name, or they are of different numbers of images.
    """

    parts: tuple[Embeddings, ...]

    def __post_init__(self) -> None:
        counts = {part.name: len(part) for part in self.parts}
        twice = repeated(part.name for part in self.parts)
        if not self.parts or twice or len(set(counts.values())) != 1:
            raise ValueError(
                "Sources must be at least one, of different names, and of the same images; got "
                f"{', '.join(f'{part.name} ({len(part)} images)' for part in self.parts) or 'none'}"
                "."
            )

    def __len__(self) -> int:
        return len(self.parts[0])

    @property
    def width(self) -> int:
        """Numbers of all sources together."""
        return sum(part.width for part in self.parts)

    @property
    def slices(self) -> dict[str, slice]:
        """Where each source lies in a row."""
        ends = np.cumsum([part.width for part in self.parts]).tolist()
        return {
            part.name: slice(end - part.width, end)
            for part, end in zip(self.parts, ends, strict=True)
        }

    def rows(self, places: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the concatenated embeddings of some images, float32 [len(places), N]."""
        return np.concatenate([part.rows(places) for part in self.parts], axis=1)

    def batches(self, places: np.ndarray, size: int = BATCH) -> Iterator[np.ndarray]:
        """Yield the rows of some images, in order, `size` or fewer at a time."""
        for start in range(0, len(places), size):
            yield self.rows(places[start : start + size])


@dataclasses.dataclass(frozen=True, eq=False)
class Standard:
    """What brings all sources to one scale.

    Every number has mean 0, and of each source the variance is 1 on average over its numbers; how
    the numbers of one source compare with each other stays.

    Attributes:
        mean: [N].
        scale: [N], one value a source.
    """

    mean: np.ndarray
    scale: np.ndarray

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return standardised rows, float32 [R, N]."""
        return ((rows - self.mean) / self.scale).astype(np.float32)

    def inverse(self, rows: np.ndarray) -> np.ndarray:
        """Return rows in the sources' own scale, float32 [R, N]."""
        return (rows * self.scale + self.mean).astype(np.float32)


def standard_of(sources: Sources, places: np.ndarray) -> Standard:
    """Return the standardisation of some rows, in one pass over them.

    Raises:
        ValueError: If a source gives the same embedding for all of them.
    """
    # Around the first row: squares of large numbers that vary little would cancel.
    origin = sources.rows(places[:1])[0].astype(np.float64)
    total, squares = np.zeros_like(origin), np.zeros_like(origin)
    for rows in sources.batches(places):
        off = rows - origin
        total += off.sum(axis=0)
        squares += (off**2).sum(axis=0)
    mean = total / len(places)
    variance = np.maximum(squares / len(places) - mean**2, 0.0)
    scale = np.empty_like(origin)
    for name, part in sources.slices.items():
        scale[part] = np.sqrt(variance[part].mean())
        if not scale[part].all():
            raise ValueError(
                f"The source {name!r} gives the same embedding for all {len(places)} images."
            )
    return Standard(mean + origin, scale)
