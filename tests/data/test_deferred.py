"""Elements at some places of a source."""

import tensorflow as tf

from mtl_dm.data.deferred import deferred, elements_at, every


def listed(source):
    return [(int(place), int(element)) for place, element in source.as_numpy_iterator()]


def test_only_what_is_wanted_is_made_and_nothing_behind_it_is_read():
    def stored():
        yield from range(10, 15)
        raise ValueError("read too far")

    def make(value):
        with tf.control_dependencies([tf.debugging.Assert(value % 2 == 0, [value])]):
            return value * 10

    spec = tf.TensorSpec((), tf.int64)
    source = deferred(tf.data.Dataset.from_generator(stored, output_signature=spec), make, 20)
    assert listed(elements_at(source, [4, 0, 4])) == [(0, 100), (4, 140)]


def test_an_ordinary_source():
    assert listed(elements_at(tf.data.Dataset.range(5), [3, 1])) == [(1, 1), (3, 3)]


def test_of_every_other_element_the_rest_is_not_made():
    def make(value):
        with tf.control_dependencies([tf.debugging.Assert(value % 2 == 1, [value])]):
            return value * 10

    source = deferred(tf.data.Dataset.range(6), make, 6)
    assert list(every(source, 2, 1).as_numpy_iterator()) == [10, 30, 50]
    assert list(every(tf.data.Dataset.range(5), 2).as_numpy_iterator()) == [0, 2, 4]
