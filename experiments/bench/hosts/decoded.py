"""A plugin of mtl_dm.launch that counts the images which a process decodes.

It writes COUNTS/PROCESS.json at the end, COUNTS being the folder of that environment variable:
images by what they were decoded for. Each is counted by a call of Python, which costs time: no
training that is timed has this plugin.
"""

from __future__ import annotations

import atexit
import collections
import json
import os
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from mtl_dm import processes

FOLDER = "MTL_DM_BENCH_COUNTS"

PURPOSES = {
    "merging.py": "training",
    "batch_parts.py": "validation",
    "observing.py": "judging",
    "built.py": "validation",
}
"""By the file of the library that asks for images; what is loaded and left as it is, one process
alone validates on."""

_counts: collections.Counter[str] = collections.Counter()
_lock = threading.Lock()  # Images are decoded in several threads.
_decode = tfds.features.Image.decode_example


def _counted(feature: Any, example: Any) -> Any:
    purpose = _purpose()

    def count(image: Any) -> Any:
        with _lock:
            _counts[purpose] += 1
        return image

    decoded = _decode(feature, example)
    return tf.ensure_shape(tf.numpy_function(count, [decoded], decoded.dtype), decoded.shape)


def _purpose() -> str:
    """Return what the graph that is being made decodes images for."""
    frame: FrameType | None = sys._getframe()
    files = set()
    while frame is not None:
        files.add(Path(frame.f_code.co_filename).name)
        frame = frame.f_back
    return next(purpose for name, purpose in PURPOSES.items() if name in files)


def _write() -> None:
    path = Path(os.environ[FOLDER], f"{os.environ.get(processes.PROCESS, '0')}.json")
    path.write_text(json.dumps(_counts), encoding="utf-8")


if FOLDER in os.environ:  # Else it is imported for its names.
    tfds.features.Image.decode_example = _counted
    atexit.register(_write)
