"""The vector of the word that is spoken at each video frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

Spoken = tuple[float, float, str]
"""Start and end in seconds, and the word."""


def word_stream(
    words: Sequence[Spoken],
    vectors: Mapping[str, np.ndarray],
    frames: int,
    frames_per_second: float,
) -> np.ndarray:
    """Return the vector of the word at the middle of each frame.

    Args:
        words: Of one recording; where two overlap, the later entry counts.
        vectors: By word, [D] each; a word that has none is missing.
        frames: N.
        frames_per_second: Of the video.

    Returns:
        float32 [N, D]; NaN, which is missing, where no known word is spoken.

    Raises:
        ValueError: If there is no vector or they differ in length, a word ends before it starts,
            or `frames` or `frames_per_second` is not above 0.
    """
    shapes = {np.shape(vector) for vector in vectors.values()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 1:
        raise ValueError("vectors must have at least one word, and one length [D] for all.")
    for name, value in (("frames", frames), ("frames_per_second", frames_per_second)):
        if not value > 0:
            raise ValueError(f"{name} must be above 0, got {value}.")
    stream = np.full((frames, *shape), np.nan, np.float32)
    middles = (np.arange(frames) + 0.5) / frames_per_second
    for start, end, word in words:
        if not start <= end:
            raise ValueError(f"The word {word!r} ends at {end} s, before its start at {start} s.")
        if word in vectors:
            stream[(middles >= start) & (middles < end)] = vectors[word]
    return stream
