"""Windows of T frames around the frames of a sequence, in NumPy.

Shapes: N frames of a sequence, M windows, T frames of a window, D numbers of a stream.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Recording:
    """A sequence of frames with what is known of each.

    Attributes:
        name: What messages call it.
        frames: uint8 [N, H, W, 3], or anything with a length that gives a frame [H, W, 3] by its
            number: it is asked for the frames at the centre of windows only.
        labels: By task name one label a frame, missing ones marked as for
            `mtl_dm.data.from_arrays`.
        streams: By name [N, D]; a row with NaN is missing. A stream left out is missing whole.
    """

    name: str
    frames: Any
    labels: Mapping[str, np.ndarray]
    streams: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


def centres(
    length: int, size: int, *, stride: int = 1, pad: bool = False, name: str = "The sequence"
) -> np.ndarray:
    """Return the frames in the middle of the windows of a sequence, int [M].

    Args:
        length: N.
        size: T, odd: the static frame is the one in the middle.
        stride: Frames from one centre to the next.
        pad: Also centre windows on frames so close to an end that the sequence does not fill
            them.
        name: Of the sequence, for messages.

    Raises:
        ValueError: If `size` is no odd number above 0, `stride` is below 1, or the sequence is
            shorter than the window and `pad` is off, or has no frame.
    """
    if size < 1 or size % 2 == 0:
        raise ValueError(f"window must be odd and at least 1, got {size}.")
    if stride < 1:
        raise ValueError(f"stride must be at least 1, got {stride}.")
    half = size // 2
    if length < (1 if pad else size):
        raise ValueError(
            f"{name} has {length} frames, the window {size}."
            + (" pad=True fills what is missing under a mask." if length else "")
        )
    return np.arange(0, length, stride) if pad else np.arange(half, length - half, stride)


def around(centre: int, size: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the frames of one window and which of them the sequence has.

    Args:
        centre: Frame in the middle.
        size: T.
        length: N.

    Returns:
        int [T], frames beyond the ends replaced by the nearest, and bool [T].
    """
    frames = np.arange(centre - size // 2, centre + size // 2 + 1)
    return np.clip(frames, 0, length - 1), (frames >= 0) & (frames < length)


def stream_window(
    stream: np.ndarray | None, rows: np.ndarray, inside: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a stream in one window, float32 [T, D], and its mask float32 [T].

    Args:
        stream: [N, D], NaN where missing; None: missing whole.
        rows: Of `around`.
        inside: Likewise.
        size: D.
    """
    if stream is None:
        return np.zeros((*rows.shape, size), np.float32), np.zeros(rows.shape, np.float32)
    # Cut before it is converted: a stream on the disk is read around the window alone.
    values = np.asarray(np.asarray(stream)[rows], np.float32)
    mask = inside & ~np.isnan(values).any(axis=-1)
    return np.where(mask[..., None], values, 0), mask.astype(np.float32)


def stream_sizes(recordings: Sequence[Recording], names: Sequence[str]) -> dict[str, int]:
    """Return the numbers a frame, D, of every stream.

    Raises:
        ValueError: If a stream is missing everywhere, is not [N, D], or has another length than its
            frames or another D than elsewhere; the message names it and the recording.
    """
    sizes = {}
    for name in names:
        there = [each for each in recordings if _has_values(each.streams.get(name))]
        if not there:
            raise ValueError(
                f"The stream {name!r} is missing in all {len(recordings)} recordings: leave it out "
                "of streams."
            )
        for each in there:
            if np.ndim(each.streams[name]) != 2:
                raise ValueError(
                    f"The stream {name!r} of {each.name!r} must be [frames, numbers], got the "
                    f"shape {np.shape(each.streams[name])}."
                )
        sizes[name] = np.shape(there[0].streams[name])[1]
        for each in recordings:
            want = (len(each.frames), sizes[name])
            shape = np.shape(each.streams[name]) if name in each.streams else want
            if shape != want:
                raise ValueError(
                    f"The stream {name!r} of {each.name!r} must have the shape {want}, got {shape}."
                )
    return sizes


def _has_values(stream: np.ndarray | None) -> bool:
    if stream is None or np.ndim(stream) != 2:
        return stream is not None
    return bool((~np.isnan(np.asarray(stream, np.float32)).any(axis=-1)).any())
