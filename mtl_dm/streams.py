"""The streams that may accompany the frames of a clip, and how a network's inputs name them."""

from __future__ import annotations

from collections.abc import Iterable

STREAMS = {"coefficients": 50, "embedding": 16, "mfcc": 40, "words": 50}
"""By name, the usual numbers a frame: coefficients of a 3D face model, an embedding of the
expression, mel-frequency cepstral coefficients of the sound, vectors of the spoken words."""

_SUFFIX = "_mask"


def mask_of(stream: str) -> str:
    """Return the name of a stream's mask [T] among the inputs: 1 where the frame has values."""
    return stream + _SUFFIX


def check_streams(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of streams in the order of `STREAMS`.

    Raises:
        ValueError: If there is none, or one is unknown.
    """
    given = set(names)
    unknown = sorted(given - set(STREAMS))
    if unknown or not given:
        raise ValueError(
            f"streams must be some of {', '.join(STREAMS)}, got {unknown or 'none at all'}."
        )
    return tuple(name for name in STREAMS if name in given)
