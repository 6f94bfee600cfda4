"""What a process takes of every batch, without the other processes."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from mtl_dm import processes
from mtl_dm.data.process_rows import require_even_part, training_part


def batches(rows, count=1, labels=None):
    """Batches of `rows` numbered rows, in dictionaries as a source yields them."""
    numbers = tf.range(rows * count, dtype=tf.float32)
    labels = numbers if labels is None else labels
    parts = {"image": numbers[:, None], "audio": -numbers}, {"a": labels}, {"a": numbers * 0 + 1}
    return tf.data.Dataset.from_tensor_slices(parts).batch(rows, drop_remainder=True)


def doubled(*batch):
    """What mixing does that keeps the real images: their rows come after the mixed ones."""
    return tf.nest.map_structure(lambda tensor: tf.concat([tensor + 100, tensor], axis=0), batch)


def parts_of(stream, monkeypatch, devices=2, local=1, batch_size=8):
    """Return what each process gets, as lists of batches."""
    monkeypatch.setenv(processes.PROCESSES, str(devices // local))
    found = []
    for process in range(devices // local):
        place = (devices, local, process * local)
        monkeypatch.setattr(processes, "_devices", lambda place=place: place)
        found.append(list(training_part(stream, batch_size).as_numpy_iterator()))
    return found


@pytest.mark.parametrize(("devices", "local"), [(2, 1), (4, 2), (4, 1)])
def test_the_parts_are_the_whole_batch(monkeypatch, devices, local):
    parts = parts_of(batches(8, 2), monkeypatch, devices, local)
    for number, whole in enumerate(batches(8, 2).as_numpy_iterator()):
        joined = tf.nest.map_structure(
            lambda *rows: np.concatenate(rows), *[part[number] for part in parts]
        )
        tf.nest.map_structure(np.testing.assert_array_equal, joined, whole)


# The first keeps the number of rows known, the second does not.
@pytest.mark.parametrize("forget", [False, True])
def test_no_row_of_a_doubled_batch_is_lost(monkeypatch, forget):
    stream = batches(4).map(doubled)
    if forget:
        unknown = tf.nest.map_structure(
            lambda spec: tf.TensorSpec([None, *spec.shape[1:]], spec.dtype), stream.element_spec
        )
        known = stream
        stream = tf.data.Dataset.from_generator(lambda: iter(known), output_signature=unknown)
    first, second = parts_of(stream, monkeypatch, batch_size=4)
    rows = [part[0][1]["a"].tolist() for part in (first, second)]
    assert rows == [[100, 101, 102, 103], [0, 1, 2, 3]]


def test_rows_that_do_not_divide_are_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"batch_size must be a multiple of the 2 .*got 7"):
        parts_of(batches(7), monkeypatch, batch_size=7)
    message = "The rows of a batch must be a multiple of the 2 devices of all processes"
    with pytest.raises(ValueError, match=f"{message}, got 7"):
        parts_of(batches(7), monkeypatch)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        parts_of(batches(8).unbatch().batch(7), monkeypatch)


def test_a_batch_size_that_mixing_needs_is_said(monkeypatch):
    message = r"got 9\. The option mix made 9 rows of the 6 .* batch_size that is a multiple of 4"
    with pytest.raises(ValueError, match=message):
        parts_of(batches(9), monkeypatch, batch_size=6)
    for devices, size in itertools.product(range(2, 9), range(1, 65)):
        divides = size % devices == 0 and (size + size // 2) % devices == 0
        assert divides == (size % (2 * devices) == 0)


def test_parts_of_a_batch_that_differ_in_rows_are_refused(monkeypatch):
    def cut(inputs, labels, masks):
        return inputs, {"a": labels["a"][:4]}, masks

    with pytest.raises(ValueError, match=r"must have the same rows, got \[4, 8\]"):
        parts_of(batches(8).map(cut), monkeypatch)


def test_a_part_that_devices_cannot_share_is_refused(monkeypatch):
    monkeypatch.setenv(processes.PROCESSES, "2")
    monkeypatch.setattr(processes, "_devices", lambda: (4, 2, 2))
    require_even_part(batches(4))
    with pytest.raises(ValueError, match=r"of its 2 devices, got \[3\]. mix_augment needs"):
        require_even_part(batches(3))


def test_alone_a_process_takes_everything(monkeypatch):
    monkeypatch.delenv(processes.PROCESSES, raising=False)
    stream = batches(7)
    assert training_part(stream, 7) is stream
