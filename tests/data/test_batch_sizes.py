"""Batches that nobody chose the size of fit into memory."""

import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.data import batch_sizes
from mtl_dm.data.batch_sizes import bytes_of, fitting_batch


def source(rows=8, side=16):
    images = np.zeros((rows, side, side, 3), np.float32)
    return tf.data.Dataset.from_tensor_slices((images, {"a": np.zeros(rows, np.int64)}))


def test_bytes_of_an_element():
    assert bytes_of(source().element_spec) == 16 * 16 * 3 * 4 + 8
    assert bytes_of(tf.TensorSpec([None, 2], tf.uint8)) == 512
    assert bytes_of(tf.TensorSpec([], tf.string)) == 0


@pytest.mark.parametrize(("gigabytes", "size"), [(1.0, 256), (2e-4, 17), (1e-9, 1)])
def test_as_many_as_memory_has_place_for(gigabytes, size, monkeypatch):
    monkeypatch.setattr(batch_sizes, "machine_bytes", lambda: int(gigabytes * 2**30))
    assert fitting_batch(source(), 256) == size
