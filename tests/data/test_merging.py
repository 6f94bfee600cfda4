"""Mixed batches: how many places a source gets, in which order, and when an epoch ends."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm.data.batch_parts import Part
from mtl_dm.data.deferred import deferred
from mtl_dm.data.merging import (
    epoch_length,
    interleaving,
    merge,
    places_per_batch,
    steps_per_epoch,
)
from tests.data.cases import batches, order, source

shares_and_size = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=6).flatmap(
    lambda shares: st.tuples(st.just(shares), st.integers(len(shares), 300))
)


@pytest.mark.parametrize(
    ("shares", "batch_size", "places"),
    [
        ([1], 7, [7]),
        ([1, 1], 10, [5, 5]),
        ([30, 10], 8, [6, 2]),
        ([0.75, 0.25], 8, [6, 2]),
        ([10, 4], 5, [4, 1]),  # exact 3.57 and 1.43: the larger remainder takes the last place
        ([5, 3, 2], 16, [8, 5, 3]),  # 8, 4.8, 3.2
        ([1000, 1], 10, [9, 1]),  # nobody gets 0
        ([1000, 1, 1], 3, [1, 1, 1]),
        ([98, 1, 1], 10, [8, 1, 1]),  # 9.8, 0.1, 0.1
        ([50, 50, 1, 1], 8, [3, 3, 1, 1]),
    ],
)
def test_places_by_hand(shares, batch_size, places):
    assert places_per_batch(shares, batch_size, len(shares)) == places


@given(shares_and_size)
def test_places_fill_the_batch_and_leave_nobody_out(case):
    shares, batch_size = case
    places = places_per_batch(shares, batch_size, len(shares))
    assert sum(places) == batch_size
    assert min(places) >= 1
    assert all(isinstance(place, int) for place in places)


@given(shares_and_size)
def test_places_differ_from_the_share_by_less_than_one_unless_raised_to_one(case):
    shares, batch_size = case
    places = places_per_batch(shares, batch_size, len(shares))
    exact = np.array(shares) / sum(shares) * batch_size
    if (exact >= 1).all():
        assert (np.abs(np.array(places) - exact) < 1).all()


@given(shares_and_size, st.sampled_from([2.0**-3, 2.0, 2.0**10]))
def test_the_unit_of_the_shares_does_not_matter(case, unit):
    shares, batch_size = case
    scaled = [unit * share for share in shares]
    assert places_per_batch(scaled, batch_size, len(shares)) == places_per_batch(
        shares, batch_size, len(shares)
    )


@given(shares_and_size)
def test_a_larger_share_never_gets_fewer_places(case):
    shares, batch_size = case
    places = places_per_batch(shares, batch_size, len(shares))
    by_share = [place for _, place in sorted(zip(shares, places, strict=True))]
    for one, other, share, following in zip(
        by_share, by_share[1:], sorted(shares), sorted(shares)[1:], strict=False
    ):
        assert one <= other or share == following


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_interleaving_has_every_place_spread_evenly(places):
    sequence = interleaving(places)
    assert np.bincount(sequence, minlength=len(places)).tolist() == places
    for source_index, count in enumerate(places):
        positions = np.flatnonzero(sequence == source_index)
        # The j-th of `count` elements stands where j + 1/2 of `count` parts of the batch end.
        ideal = (np.arange(count) + 0.5) / count * sum(places)
        assert (np.abs(positions - ideal) <= len(places)).all()


def test_epoch_length_by_hand():
    # Places (2, 1) in the order 0, 1, 0 (middles 1/4, 1/2, 3/4). Of 5 elements the fifth is the
    # first of the third batch: 3 + 3 + 1.
    assert interleaving([2, 1]).tolist() == [0, 1, 0]
    assert epoch_length(interleaving([2, 1]), [5, 1], [2, 1]) == 7
    assert epoch_length(interleaving([2, 1]), [6, 1], [2, 1]) == 9
    # 4 / 1 > 6 / 2: source 1 is the larger one per its share, four batches up to its place.
    assert epoch_length(interleaving([2, 1]), [6, 4], [2, 1]) == 11


def merged(**options):
    """30 and 10 elements, 6 and 2 places."""
    return merge([source(30), source(10, 100, "units")], 8, **options)


def test_every_batch_has_the_same_composition():
    for batch in batches(merged()):
        assert len(batch) == 8
        assert sum(number >= 100 for number in batch) == 2


def test_an_epoch_sees_every_element_once_where_shares_follow_sizes():
    assert sorted(order(merged())) == [*range(30), *range(100, 110)]


def test_an_epoch_sees_the_largest_source_once_and_smaller_ones_repeat():
    stream = merge([source(21), source(4, 100, "units")], 6, shares=[1, 1], seed=3)
    seen = order(stream)
    assert sorted(number for number in seen if number < 100) == list(range(21))
    small = [number for number in seen if number >= 100]
    # 7 batches of 3 each, the last one cut where the large source ends.
    assert len(small) in (20, 21)
    passes = [small[start : start + 4] for start in range(0, len(small), 4)]
    assert all(sorted(each) == [100, 101, 102, 103] for each in passes[:5])
    assert len({tuple(each) for each in passes[:5]}) > 1, "every pass has an order of its own"


def test_the_largest_is_so_per_its_share():
    # 12 elements in 3 places are seen in 4 batches, 8 elements in 1 place in 8.
    stream = merge([source(12), source(8, 100, "units")], 4, shares=[3, 1])
    counts = np.unique(order(stream), return_counts=True)
    seen = dict(zip(*(each.tolist() for each in counts), strict=True))
    assert [seen[number] for number in range(100, 108)] == [1] * 8
    assert all(seen[number] >= 1 for number in range(12))


def test_only_the_last_batch_may_be_smaller():
    sizes = [len(batch) for batch in batches(merge([source(21), source(7, 100, "units")], 8))]
    assert sizes[:-1] == [8] * (len(sizes) - 1)
    assert 1 <= sizes[-1] <= 8
    assert len(list(merge([source(21)], 8))) == 3


def test_sources_that_are_equally_large_per_their_share_are_all_seen_once():
    stream = merge([source(4), source(4, 100, "units")], 4)
    assert sorted(order(stream)) == [0, 1, 2, 3, 100, 101, 102, 103]
    assert [len(batch) for batch in batches(stream)] == [4, 4]


def test_the_same_seed_gives_the_same_epochs_in_a_fresh_data_set():
    one, two = merged(seed=5), merged(seed=5)
    first, second = [[order(each) for _ in range(3)] for each in (one, two)]
    assert first == second


def test_every_epoch_has_an_order_of_its_own():
    stream = merged()
    epochs = [order(stream) for _ in range(3)]
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert len({tuple(sorted(epoch)) for epoch in epochs}) == 1


def test_another_seed_gives_another_order():
    assert order(merged(seed=0)) != order(merged(seed=1))


@pytest.mark.parametrize("state", [1, 12345])
def test_the_order_follows_from_the_seed_and_the_global_one(state):
    keras.utils.set_random_seed(state)
    want = order(merged(seed=5))
    merged(seed=6)  # Pipelines made in between change nothing.
    assert order(merged(seed=5)) == want
    keras.utils.set_random_seed(state)
    assert order(merged(seed=5)) == want


def test_elements_are_shuffled():
    assert order(merge([source(30)], 8)) != list(range(30))


def test_sources_of_equal_size_have_orders_of_their_own():
    seen = order(merge([source(20), source(20, 100, "units")], 4))
    assert [n for n in seen if n < 100] != [n - 100 for n in seen if n >= 100]


def test_repeat_is_endless_and_goes_on_shuffled():
    stream = merged(repeat=True, seed=2)
    seen = batches(stream, take=25)
    assert [len(batch) for batch in seen] == [8] * 25
    large = [number for batch in seen for number in batch if number < 100]
    passes = [large[start : start + 30] for start in range(0, 150, 30)]
    assert all(sorted(each) == list(range(30)) for each in passes)
    assert len({tuple(each) for each in passes}) == 5
    assert batches(merged(repeat=True, seed=2), take=25) == seen


def test_one_source_alone():
    stream = merge([source(10)], 4)
    assert [len(batch) for batch in batches(stream)] == [4, 4, 2]
    assert sorted(order(stream)) == list(range(10))
    endless = order(merge([source(10)], 4, repeat=True), take=10)
    assert sorted(endless) == sorted([*range(10)] * 4)


def test_tasks_that_a_source_lacks_are_added_under_mask_0():
    for inputs, labels, masks in merged():
        assert set(labels) == set(masks) == {"expression", "units"}
        assert labels["expression"].shape == (8, 3)
        assert labels["units"].shape == masks["units"].shape == (8, 2)
        assert masks["expression"].shape == (8,)
        assert all(each.dtype == tf.float32 for each in (*labels.values(), *masks.values()))
        units = inputs.numpy()[:, 0] >= 100
        np.testing.assert_array_equal(masks["expression"], 1.0 - units)
        np.testing.assert_array_equal(masks["units"], np.repeat(units[:, None], 2, 1))
        assert not labels["expression"].numpy()[units].any()
        assert not labels["units"].numpy()[~units].any()


def test_labels_stay_with_their_inputs():
    for inputs, labels, _ in merged():
        numbers = inputs.numpy()[:, 0].astype(int)
        large, small = numbers < 100, numbers >= 100
        classes = labels["expression"].numpy().argmax(axis=1)
        np.testing.assert_array_equal(classes[large], numbers[large] % 3)
        np.testing.assert_array_equal(labels["units"].numpy()[small, 0], numbers[small] % 2)


def test_a_task_that_both_sources_have_is_one_task():
    stream = merge([source(6), source(6, 100)], 4)
    for _, labels, masks in stream:
        assert set(labels) == {"expression"}
        assert masks["expression"].numpy().all()


def test_inputs_may_be_dictionaries():
    def with_dictionary(inputs, labels, masks):
        return {"face": inputs, "voice": inputs[:1]}, labels, masks

    sources = [source(6).map(with_dictionary), source(6, 100, "units").map(with_dictionary)]
    for inputs, _, _ in merge(sources, 4, repeat=True).take(3):
        assert inputs["face"].shape == (4, 2)
        assert inputs["voice"].shape == (4, 1)


@pytest.mark.parametrize("options", [{}, {"repeat": True, "start": 3}])
def test_a_deferred_source_comes_in_the_same_order(options):
    made = source(21)
    stored = tf.data.Dataset.range(21).map(lambda n: tf.cast(n, tf.float32))
    labels, masks = next(iter(made.batch(21)))[1:]

    def make(number):
        row = tf.cast(number, tf.int32)
        one = tf.nest.map_structure(lambda tensor: tensor[row], (labels, masks))
        return tf.fill([2], number), *one

    later = deferred(stored, make, 21)
    assert later.element_spec == made.element_spec
    other = source(7, 100, "units")
    want, got = (batches(merge([one, other], 4, **options), 5) for one in (made, later))
    assert got == want


def test_a_source_is_left_as_it_was():
    own = source(6)
    merge([own, source(6, 100, "units")], 4)
    assert order(own.batch(6)) == list(range(6))


def element(inputs=(4, 2), labels=None, masks=None):
    labels = {"expression": np.zeros((4, 3), np.float32)} if labels is None else labels
    masks = {"expression": np.zeros(4, np.float32)} if masks is None else masks
    return tf.data.Dataset.from_tensor_slices((np.zeros(inputs, np.float32), labels, masks))


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (source(4).repeat(), "Source 1 is endless"),
        (source(4).filter(lambda *_: True), r"Source 1 has an unknown size.*assert_cardinality"),
        (source(4).take(0), "Source 1 is empty"),
        (source(4, features=5), "The input of source 1 is"),
        (source(4).map(lambda x, y, m: ({"x": x}, y, m)), "The input of source 1 is|structure"),
        (source(4).map(lambda x, y, m: (tf.cast(x, tf.float64), y, m)), "The input of source 1"),
        (source(4).map(lambda x, y, m: (x, y)), r"Source 1 must have elements \(input, labels"),
        (source(4).map(lambda x, y, m: (x, y["expression"], m)), "Source 1 must have elements"),
        (source(4).map(lambda x, y, m: (x, y, {})), "Source 1 has labels for .*but masks for"),
        (element(labels={"expression": np.zeros((4, 7), np.float32)}), "label of task 'expres"),
        (element(masks={"expression": np.zeros((4, 2), np.float32)}), "mask of task 'expression'"),
        (element(masks={"expression": np.zeros((4, 3), np.float32)}), "mask of task 'expression'"),
        (element(labels={"expression": np.zeros((4, 3), np.int32)}), "label of task 'expression'"),
    ],
    ids=[
        "endless", "unknown size", "empty", "input shape", "input structure", "input type",
        "two parts", "labels no dictionary", "no mask", "label shape", "mask shape",
        "mask per label", "label type",
    ],
)  # fmt: skip
def test_bad_sources(second, message):
    with pytest.raises(ValueError, match=message):
        merge([source(4), second], 4)


def test_no_source():
    with pytest.raises(ValueError, match="at least one source"):
        merge([], 4)


@pytest.mark.parametrize("batch_size", [1, 0, -3, 2.5, "8", None])
def test_bad_batch_size(batch_size):
    with pytest.raises(ValueError, match=r"batch_size must be an integer of at least .* 2"):
        merge([source(4), source(4)], batch_size)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ([1], "one number per source, 2, got 1"),
        ([1, 1, 1], "one number per source, 2, got 3"),
        ([1, 0], "finite and > 0"),
        ([1, -1], "finite and > 0"),
        ([1, float("nan")], "finite and > 0"),
        ([1, float("inf")], "finite and > 0"),
    ],
)
def test_bad_shares(shares, message):
    with pytest.raises(ValueError, match=f"shares .*{message}"):
        merge([source(4), source(4)], 4, shares=shares)


@pytest.mark.parametrize("start", [1, 3, 7, 23])
def test_an_endless_stream_goes_on_where_it_stopped(start):
    whole = batches(merged(repeat=True, seed=2), take=start + 6)
    later = batches(merged(repeat=True, seed=2, start=start), take=6)
    assert later == whole[start:]


def test_the_endless_stream_is_always_the_same_and_every_pass_is_whole():
    stream = merge([source(10)], 5, repeat=True, seed=3)
    keras.utils.set_random_seed(99)  # Not even the program's seed changes it.
    seen = order(stream, take=8)
    passes = [seen[first : first + 10] for first in range(0, 40, 10)]
    assert all(sorted(each) == list(range(10)) for each in passes)
    assert len({tuple(each) for each in passes}) == 4
    assert order(stream, take=8) == seen


@pytest.mark.parametrize(("start", "repeat"), [(-1, True), (2, False)])
def test_bad_start(start, repeat):
    with pytest.raises(ValueError, match="start must be >= 0, and 0 without repeat"):
        merge([source(4)], 2, repeat=repeat, start=start)


def test_steps_per_epoch_are_the_batches_of_one_epoch():
    for sizes, batch in (((10, 37), 8), ((10,), 4), ((5, 5), 2)):
        sources = [source(size, 100 * index) for index, size in enumerate(sizes)]
        assert steps_per_epoch(sources, batch) == len(list(merge(sources, batch)))


@pytest.mark.parametrize("start", [0, 3])
@pytest.mark.parametrize(("first", "rows"), [(0, 3), (3, 3), (4, 1), (0, 6)])
def test_a_part_is_the_rows_of_whole_batches(first, rows, start):
    sources = [source(7), source(4, 10, "action_units"), source(3, 20)]
    given = {"shares": (3, 2, 1), "seed": 5, "repeat": True, "start": start}
    whole = merge(sources, 6, **given).take(8).as_numpy_iterator()
    part = merge(sources, 6, **given, part=Part(first, rows, 6)).take(8).as_numpy_iterator()
    for batch, got in zip(whole, part, strict=True):
        want = tf.nest.map_structure(lambda values: values[first : first + rows], batch)
        tf.nest.map_structure(np.testing.assert_array_equal, got, want)


def test_of_a_part_only_its_rows_are_made():
    made = []

    def make(number):
        tf.numpy_function(lambda value: made.append(int(value)) or np.int64(0), [number], tf.int64)
        value = tf.cast(number, tf.float32)
        return value, {"a": value}, {"a": tf.ones(())}

    faces = deferred(tf.data.Dataset.range(400), make, 400)
    whole = merge([faces], 8, repeat=True).take(50).as_numpy_iterator()
    wanted = {int(number) for inputs, _, _ in whole for number in inputs[2:4]}
    made.clear()
    part = merge([faces], 8, repeat=True, part=Part(2, 2, 8)).take(10).as_numpy_iterator()
    seen = {int(number) for inputs, _, _ in part for number in inputs}
    assert len(seen) == 20
    assert seen <= set(made) <= wanted  # Some are made ahead.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"part": Part(0, 2, 4)}, "with repeat"),
        ({"part": Part(0, 2, 8), "repeat": True}, r"part must be one of 4 rows, .* whole=8"),
    ],
)
def test_a_part_of_other_batches_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        merge([source(7)], 4, **options)


@pytest.mark.parametrize("numbers", [(-1, 2, 4), (0, 0, 4), (3, 2, 4)])
def test_a_part_lies_in_its_batch(numbers):
    with pytest.raises(ValueError, match="among the 4 of a batch"):
        Part(*numbers)
