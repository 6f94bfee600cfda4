"""Aff-Wild2 as clips: its built frames, and around each of them what was computed of the video.

The built data set holds frames. Streams (sound, words, face coefficients, embeddings) are computed
from the videos by their user, a file a video:

    DATA_DIR/aff_wild2_streams/STREAM/VIDEO.npy     [frames, numbers], NaN where missing

with STREAM one of `mtl_dm.streams.STREAMS`, row i the stream at frame i + 1. A video without a file
has that stream missing whole; a stream without a folder is left out. All files of a stream have as
many numbers a frame.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, cast

import numpy as np
import tensorflow as tf

from experiments.engine.built import Built
from mtl_dm.data.deferred import deferred, parts_of
from mtl_dm.data.windows import stream_window
from mtl_dm.files import read_array
from mtl_dm.streams import STREAMS, mask_of
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig

FOLDER = "aff_wild2_streams"


class Stream(NamedTuple):
    """The files of a stream.

    Attributes:
        size: Numbers a frame.
        files: How many there are.
        digest: Of their names and frames, and of what each says of the frame in its middle.
    """

    size: int
    files: int
    digest: str


def streams_in(data_dir: str) -> dict[str, Stream]:
    """Return the streams that are there.

    Raises:
        ValueError: If a file holds no numbers [frames, numbers], or not as many as the first.
    """
    folders = {name: Path(data_dir) / FOLDER / name for name in STREAMS}
    found = {name: sorted(folder.glob("*.npy")) for name, folder in folders.items()}
    return {name: _stream(files) for name, files in found.items() if files}


def _stream(files: Sequence[Path]) -> Stream:
    size = _read(files[0]).shape[1]
    digest = hashlib.sha256()
    for file in files:
        values = _read(file)
        if values.shape[1] != size:
            raise ValueError(
                f"{file} must have {size} numbers a frame, as {files[0].name}, got "
                f"{values.shape[1]}."
            )
        # The whole of them would take minutes to read.
        middle = np.ascontiguousarray(values[len(values) // 2 :][:1])
        digest.update(f"{file.name} {values.shape} {values.dtype}".encode() + middle.tobytes())
    return Stream(size, len(files), digest.hexdigest()[:16])


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
        there = streams_in(config.data_dir)
        self._streams = {name: each.size for name, each in there.items()} or dict(STREAMS)
        streams = {name: each._asdict() for name, each in there.items()}
        self.record = {**self.record, "window": window, "streams": streams}

    def input_shape(self) -> dict[str, Any]:
        """Return the shapes of the frame, of the streams and of their masks."""
        shapes: dict[str, Any] = {"image": super().input_shape()}
        for name, size in self._streams.items():
            shapes |= {name: (self._window, size), mask_of(name): (self._window,)}
        return shapes

    def _load(self, name: str, tasks: Sequence[Task]) -> tf.data.Dataset:
        images = super()._load(name, tasks)
        # What `load` returns is always deferred. So is this: streams are read after shuffling.
        stored, element = cast(tuple[tf.data.Dataset, Callable[..., Any]], parts_of(images))
        shapes = {key: shape for key, shape in self.input_shape().items() if key != "image"}

        def clip(example: dict[str, Any]) -> tuple[Any, Any, Any]:
            image, labels, masks = element(example)
            parts = tf.numpy_function(self._around, [example["path"]], [tf.float32] * len(shapes))
            streams = {
                key: tf.ensure_shape(part, shape)
                for (key, shape), part in zip(shapes.items(), parts, strict=True)
            }
            return {"image": image, **streams}, labels, masks

        return deferred(stored, clip, int(images.cardinality()))

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


# Each holds its file open, and a process may often have 1,024 files open.
@functools.lru_cache(maxsize=128)
def _values(file: Path) -> np.ndarray:
    return _read(file)


def _read(file: Path) -> np.ndarray:
    """Return a stream of a video; it stays on the disk until it is used.

    Raises:
        ValueError: If the file holds no numbers [frames, numbers].
    """
    values = read_array(file, mapped=True)
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.floating):
        raise ValueError(
            f"{file} must hold real numbers [frames, numbers], got {values.dtype} of shape "
            f"{values.shape}."
        )
    return values
