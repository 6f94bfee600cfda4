"""Which libraries may start threads of their own beside those that look for faces and predict."""

from __future__ import annotations

import contextlib

import cv2
import tensorflow as tf


def one_core_a_call() -> None:
    """Let OpenCV and TensorFlow do each thing on one core, for the rest of this process.

    With a thread a core at work, more would only wait for each other: of a small network's batch
    on two cores that is a third of its time. A TensorFlow that has begun keeps what it has.
    """
    cv2.setNumThreads(1)
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
