"""Aff-Wild2 as clips: its built frames, and around each of them what was computed of the video.

The built data set holds frames. Streams (sound, words, face coefficients, embeddings) are computed
from the videos by their user, a file a video:

    DATA_DIR/aff_wild2_streams/STREAM/VIDEO.npy     [frames, numbers], NaN where missing

with STREAM one of `mtl_dm.streams.STREAMS`, row i the stream at frame i + 1. A video without a file
has that stream missing whole; a stream without a folder is left out.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import tensorflow as tf

from experiments.engine.built import Built
from mtl_dm import data
from mtl_dm.data.windows import stream_window
from mtl_dm.streams import STREAMS, mask_of
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig

FOLDER = "aff_wild2_streams"


def streams_in(data_dir: str) -> dict[str, int]:
    """Return the streams that are there, and the numbers that each has a frame.

    Raises:
        ValueError: If a file holds no numbers [frames, numbers].
    """
    found = {}
    for name in STREAMS:
        files = sorted((Path(data_dir) / FOLDER / name).glob("*.npy"))
        if files:
            found[name] = _values(files[0]).shape[1]
    return found


class AffWild2Clips(Built):
    """Frames of Aff-Wild2 with the streams around them.

    Args:
        config: Names the data sets.
        test: The test set.
        window: Frames of a stream, odd.

    Raises:
        ValueError: If the window is not odd or a stream's file is malformed.
    """

    by_name = False
    gaps = True

    def __init__(self, config: TrainConfig, test: str, window: int) -> None:
        super().__init__(config, test)
        if window < 1 or window % 2 == 0:
            raise ValueError(f"window must be odd and at least 1, got {window}.")
        self._window = window
        # To count a network before there are any: all of them, as usual.
        self._streams = streams_in(config.data_dir) or dict(STREAMS)
        self.record = {**self.record, "window": window, "streams": self._streams}

    def input_shape(self) -> dict[str, Any]:
        """Return the shapes of the frame, of the streams and of their masks."""
        shapes: dict[str, Any] = {"image": super().input_shape()}
        for name, size in self._streams.items():
            shapes |= {name: (self._window, size), mask_of(name): (self._window,)}
        return shapes

    def _load(self, name: str, tasks: Sequence[Task]) -> tf.data.Dataset:
        images = super()._load(name, tasks)
        paths = data.raw_features(name, ["path"], data_dir=self.config.data_dir)["path"]
        shapes = {key: shape for key, shape in self.input_shape().items() if key != "image"}

        def around(path: tf.Tensor) -> dict[str, tf.Tensor]:
            parts = tf.numpy_function(self._around, [path], [tf.float32] * len(shapes))
            return {
                key: tf.ensure_shape(part, shape)
                for (key, shape), part in zip(shapes.items(), parts, strict=True)
            }

        clips = tf.data.Dataset.from_tensor_slices(paths).map(around)
        return tf.data.Dataset.zip(images, clips).map(
            lambda element, streams: ({"image": element[0], **streams}, *element[1:])
        )

    def _around(self, path: bytes) -> list[np.ndarray]:
        """Return every stream [T, D] around a frame, and its mask [T]."""
        frame = PurePosixPath(path.decode())
        rows = int(frame.stem) - 1 + np.arange(self._window) - self._window // 2
        found: list[np.ndarray] = []
        for name, size in self._streams.items():
            file = Path(self.config.data_dir) / FOLDER / name / f"{frame.parent.name}.npy"
            values = _values(file) if file.is_file() else None
            length = 0 if values is None else len(values)
            inside = (rows >= 0) & (rows < length)
            kept = np.clip(rows, 0, max(0, length - 1))
            found += stream_window(values, kept, inside, size)
        return found


@functools.lru_cache(maxsize=1024)
def _values(file: Path) -> np.ndarray:
    """Return a stream of a video; it stays on the disk until it is read."""
    values = np.load(file, mmap_mode="r")
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.floating):
        raise ValueError(
            f"{file} must hold real numbers [frames, numbers], got {values.dtype} of shape "
            f"{values.shape}."
        )
    return values
