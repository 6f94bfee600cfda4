"""What each of several processes evaluates of the same batches."""

import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.data.batch_parts import even_part
from mtl_dm.data.deferred import deferred


def numbered(length):
    """Return a source of numbered rows with a label missing here and there, and what was made."""
    made = []

    def note(number):
        made.append(int(number))
        return number

    def make(stored):
        number = tf.ensure_shape(tf.py_function(note, [stored["number"]], tf.int64), [])
        image = tf.cast(number, tf.float32)
        return {"image": image}, {"a": -image}, {"a": tf.cast(number % 3 > 0, tf.float32)}

    stored = tf.data.Dataset.from_tensor_slices({"number": tf.range(length, dtype=tf.int64)})
    return deferred(stored, make, length), made


def wanted(length, size, devices):
    """Batches of rows (image, mask), the last row repeated under mask 0 until they divide."""
    for start in range(0, length, size):
        rows = [(number, float(number % 3 > 0)) for number in range(length)[start : start + size]]
        yield rows + [(rows[-1][0], 0.0)] * (-len(rows) % devices)


@pytest.mark.parametrize("length", [1, 8, 9, 17])
@pytest.mark.parametrize(
    ("size", "devices", "local"), [(8, 2, 1), (8, 4, 2), (4, 3, 1), (5, 4, 1), (256, 2, 1)]
)
def test_parts_of_a_batch_are_the_batch_filled_up(length, size, devices, local):
    parts = []
    for first in range(0, devices, local):
        source, made = numbered(length)
        parts.append(list(even_part(source, size, devices, first, local).as_numpy_iterator()))
        assert len(made) == sum(len(inputs["image"]) for inputs, _, _ in parts[-1])
    assert {len(part) for part in parts} == {-(-length // size)}
    for place, rows in enumerate(wanted(length, size, devices)):
        together = [part[place] for part in parts]
        assert {len(inputs["image"]) for inputs, _, _ in together} == {len(rows) * local // devices}
        images = np.concatenate([inputs["image"] for inputs, _, _ in together])
        masks = np.concatenate([masks["a"] for _, _, masks in together])
        assert list(zip(images.tolist(), masks.tolist(), strict=True)) == rows
        for inputs, labels, _ in together:
            np.testing.assert_array_equal(labels["a"], -inputs["image"])


def test_a_source_that_does_not_know_its_length_is_counted():
    source, _ = numbered(5)
    source = source.filter(lambda inputs, *_: inputs["image"] < 3)
    (batch,) = even_part(source, 8, 2, 1, 1)
    assert batch[0]["image"].numpy().tolist() == [2, 2]
    assert batch[2]["a"].numpy().tolist() == [1, 0]
