"""Sources whose elements say where they come from, and what a stream is made of."""

import numpy as np
import tensorflow as tf


def source(size, start=0, task="expression", features=2):
    """`size` elements whose input holds start, start + 1, ...; annotated for `task`."""
    numbers = np.arange(start, start + size, dtype=np.float32)
    inputs = np.repeat(numbers[:, None], features, axis=1)
    if task == "expression":
        labels, masks = np.eye(3, dtype=np.float32)[np.arange(size) % 3], np.ones(size, np.float32)
    else:
        labels = np.stack([numbers % 2, 1 - numbers % 2], axis=1)
        masks = np.ones((size, 2), np.float32)
    return tf.data.Dataset.from_tensor_slices((inputs, {task: labels}, {task: masks}))


def batches(stream, take=None):
    """The numbers of every batch."""
    stream = stream if take is None else stream.take(take)
    return [[int(number) for number in inputs.numpy()[:, 0]] for inputs, _, _ in stream]


def order(stream, take=None):
    return [number for batch in batches(stream, take) for number in batch]
