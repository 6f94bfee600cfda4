"""Real and virtual rows of a batch: who is blended with whom, by how much, with which labels."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from mtl_dm import data
from mtl_dm.data.batch_parts import Part
from mtl_dm.data.blending import (
    behind_pairs,
    blended_inputs,
    blended_labels,
    mixed_batch,
    pairs,
    shares,
)
from mtl_dm.data.mixing import MIXING, mix_augment, mixes_in_parts
from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.streams import mask_of

ROWS, CLASSES, UNITS = 8, 3, 4


def draw_of(*numbers):
    return tf.constant(numbers, tf.int64)


def tensors(arrays):
    return tf.nest.map_structure(tf.convert_to_tensor, arrays)


def batch(rows=ROWS, seed=0):
    """Every second row has a class, the others some of their units, one row both."""
    rng = np.random.default_rng(seed)
    classes = (np.arange(rows) % 2 == 0).astype(np.float32)
    units = (rng.random((rows, UNITS)) < 0.7).astype(np.float32) * (1 - classes[:, None])
    classes[1], units[1] = 1, 1
    labels = {
        "expression": np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, rows)],
        "units": rng.integers(0, 2, (rows, UNITS)).astype(np.float32),
    }
    inputs = rng.normal(size=(rows, 5)).astype(np.float32)
    return inputs, labels, {"expression": classes, "units": units}


def stream(element, start=0, **options):
    endless = tf.data.Dataset.from_tensors(element).repeat()
    return mix_augment(endless, 3, start, **options)


def mixed(element=None, draw=0):
    """Not through a stream: that compiles."""
    element = tf.nest.map_structure(tf.convert_to_tensor, element or batch())
    draws = draw_of([draw, 1], [draw, 2], [draw, 3])
    found = mixed_batch(element, draws, alpha=0.2, virtual=1.0, real=2.0)
    return tf.nest.map_structure(lambda tensor: tensor.numpy(), found)


def test_real_rows_are_left_as_they_are_with_a_blend_behind_every_pair():
    (inputs, labels, masks), want = mixed(), batch()
    assert inputs.shape == (12, 5)
    np.testing.assert_array_equal(labels[VIRTUAL], [0, 0, 1] * 4)
    np.testing.assert_array_equal(masks[VIRTUAL], [2, 2, 1] * 4)
    real = labels[VIRTUAL] == 0
    np.testing.assert_array_equal(inputs[real], want[0])
    for got, wanted in ((labels, want[1]), (masks, want[2])):
        for name, each in wanted.items():
            np.testing.assert_array_equal(got[name][real], each)


@pytest.mark.parametrize(("rows", "virtual"), [(7, [0, 0, 1] * 3 + [0]), (1, [0])])
def test_a_row_without_a_partner_has_no_blend(rows, virtual):
    _, labels, _ = mixed(tuple(tf.nest.map_structure(lambda x: x[:rows], batch())))
    np.testing.assert_array_equal(labels[VIRTUAL], virtual)


def test_known_rows_stay_known_and_unknown_ones_are_made():
    assert stream(batch()).element_spec[0].shape == (12, 5)
    unknown = tf.data.Dataset.from_tensor_slices(batch()).batch(7)
    sizes = [len(x) for x, _, _ in mix_augment(unknown, 0)]
    assert sizes == [10, 1]


@pytest.mark.parametrize("seed", range(3))
def test_a_blend_is_of_two_rows_and_counts_only_where_both_are_annotated(seed):
    _, labels, masks = batch(seed=seed)
    first, second = (each.numpy() for each in pairs(tensors(masks), draw_of(seed, 9)))
    share = np.linspace(0, 1, 4, dtype=np.float32)
    got_labels, got_masks = blended_labels(*tensors([labels, masks]), first, second, share)
    for name, label in labels.items():
        mask = masks[name][first] * masks[name][second]
        np.testing.assert_array_equal(got_masks[name], mask)
        weight = share[:, None]
        blend = weight * label[first] + (1 - weight) * label[second]
        mask = mask if mask.ndim == 2 else mask[:, None]
        np.testing.assert_allclose(got_labels[name], np.where(mask > 0, blend, 0), atol=1e-6)


@pytest.mark.parametrize("junk", [9.0, np.nan, np.inf])
def test_no_label_leaks_through_a_mask(junk):
    inputs, labels, masks = batch()
    changed = {
        name: np.where(masks[name].reshape(ROWS, -1) > 0, label, np.float32(junk))
        for name, label in labels.items()
    }
    want, got = mixed(), mixed((inputs, changed, masks))
    virtual = want[1][VIRTUAL] == 1
    for name in labels:
        np.testing.assert_array_equal(got[2][name], want[2][name])
        np.testing.assert_array_equal(got[1][name][virtual], want[1][name][virtual])


def test_whole_and_none_are_the_parents():
    _, labels, _ = batch()
    everywhere = {"expression": np.ones(ROWS, np.float32), "units": np.ones((ROWS, UNITS), "f")}
    for share, parent in ((1.0, [0, 2]), (0.0, [1, 3])):
        got, _ = blended_labels(
            *tensors([labels, everywhere]), [0, 2], [1, 3], np.full(2, share, np.float32)
        )
        for name in labels:
            np.testing.assert_array_equal(got[name], labels[name][parent])


def test_partners_that_change_places_with_their_shares_give_the_same():
    _, labels, masks = batch()
    share = np.array([0.3, 0.9], np.float32)
    one = blended_labels(*tensors([labels, masks]), [0, 1], [2, 4], share)
    other = blended_labels(*tensors([labels, masks]), [2, 4], [0, 1], 1 - share)
    tf.nest.map_structure(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), one, other)


def test_a_label_that_is_no_number_to_blend_is_missing_in_blends():
    inputs, labels, masks = batch()
    labels["identity"], masks["identity"] = np.arange(ROWS), np.ones(ROWS, np.float32)
    _, got, got_masks = mixed((inputs, labels, masks))
    np.testing.assert_array_equal(got_masks["identity"], 1 - got[VIRTUAL])
    assert (got["identity"][got[VIRTUAL] == 1] == 0).all()


def test_partners_are_annotated_for_the_same_tasks_and_drawn_by_chance():
    masks = tensors(
        {"a": np.arange(12.0) % 2, "b": np.arange(12.0)[:, None] % 2 * [-1, 1] + [1, 0]}
    )
    seen = set()
    for number in range(20):
        first, second = (each.numpy() for each in pairs(masks, draw_of(0, number)))
        np.testing.assert_array_equal(first % 2, second % 2)
        assert sorted([*first, *second]) == list(range(12))
        seen.add(tuple(zip(first, second, strict=True)))
    assert len(seen) > 15


def test_shares_are_of_the_beta_distribution():
    got = shares(4000, draw_of([1, 2], [3, 4]), 0.2).numpy()
    assert stats.kstest(got, stats.beta(0.2, 0.2).cdf).pvalue > 0.01
    extreme = shares(400, draw_of([1, 2], [3, 4]), 1e-6).numpy()
    assert set(extreme) == {0.0, 1.0}
    assert 150 < extreme.sum() < 250


def test_the_stream_goes_on_where_it_stopped_and_every_batch_has_its_own_draws():
    whole = [x.numpy() for x, _, _ in stream(batch()).take(3)]
    later = next(iter(stream(batch(), start=2)))[0].numpy()
    np.testing.assert_array_equal(later, whole[2])
    assert np.any(whole[0] != whole[1])


def test_of_several_inputs_all_are_blended_alike():
    inputs, labels, masks = batch()
    both = {"a": inputs, "b": inputs[:, None, :2]}
    got, _, _ = mixed((both, labels, masks))
    np.testing.assert_allclose(got["b"][:, 0], got["a"][:, :2], rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("junk", [0.0, 9.0, np.nan, np.inf])
def test_no_frame_leaks_through_the_mask_of_a_stream(seed, junk):
    rng = np.random.default_rng(seed)
    there = (rng.random((ROWS, 6)) < 0.6).astype(np.float32)
    values = rng.normal(size=(ROWS, 6, 2)).astype(np.float32)
    stream = np.where(there[..., None] > 0, values, np.float32(junk))
    image = rng.normal(size=(ROWS, 3)).astype(np.float32)
    inputs = tensors({"image": image, "words": stream, mask_of("words"): there})
    first, second, share = np.array([0, 3, 5]), np.array([6, 1, 2]), np.array([0.2, 0, 1], "f")
    got = blended_inputs(inputs, first, second, share)
    both = there[first] * there[second]
    np.testing.assert_array_equal(got[mask_of("words")], both)
    weight = share[:, None, None]
    blend = weight * values[first] + (1 - weight) * values[second]
    np.testing.assert_allclose(got["words"], blend * both[..., None], atol=1e-6)
    weight = share[:, None]
    np.testing.assert_allclose(
        got["image"], weight * image[first] + (1 - weight) * image[second], atol=1e-6
    )


def test_rows_stand_behind_their_pairs():
    got = behind_pairs(tf.constant([0, 1, 2, 3, 4]), tf.constant([10, 11]))
    assert got.numpy().tolist() == [0, 1, 10, 2, 3, 11, 4]


def test_none_changes_nothing():
    source = tf.data.Dataset.from_tensors(batch())
    assert MIXING.create("none", source, 0, 0) is source


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0.0}, "alpha must be finite and > 0, got 0"),
        ({"alpha": float("inf")}, "alpha"),
        ({"virtual": -1.0}, "virtual must be finite and >= 0, got -1"),
        ({"real": float("nan")}, "real must be"),
        ({"virtual": 0.0, "real": 0.0}, "both 0"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        stream(batch(), **options)


def test_batches_that_cannot_be_mixed():
    inputs, labels, masks = batch()
    with pytest.raises(ValueError, match="'tokens' is int64"):
        stream(({"tokens": np.arange(ROWS)}, labels, masks))
    with pytest.raises(ValueError, match="needs batches with labels"):
        stream((inputs, {}, {}))
    with pytest.raises(ValueError, match="names its own label"):
        stream((inputs, {VIRTUAL: masks["expression"]}, {VIRTUAL: masks["expression"]}))
    assert data.MIXING is MIXING


@pytest.mark.parametrize("seed", range(4))
def test_partners_are_of_one_block(seed):
    _, _, masks = batch(24, seed)
    first, second = (each.numpy() for each in pairs(tensors(masks), draw_of(seed, 9), 6))
    assert sorted([*first, *second]) == list(range(24))
    np.testing.assert_array_equal(first // 6, second // 6)
    # Blends stand behind rows of their block.
    np.testing.assert_array_equal(first // 6, np.arange(12) // 3)


@pytest.mark.parametrize("seed", range(4))
def test_one_block_is_the_whole_batch(seed):
    _, _, masks = batch(24, seed)
    whole, block = (pairs(tensors(masks), draw_of(seed, 9), size) for size in (None, 24))
    np.testing.assert_array_equal(whole, block)


def test_parts_of_whole_blocks_are_the_mixed_batch():
    element = batch(24)
    whole = next(stream(element, blocks=4).as_numpy_iterator())
    for first, rows in ((0, 6), (6, 12), (18, 6)):
        part = Part(first, rows, 24)
        endless = tf.data.Dataset.from_tensors(tf.nest.map_structure(part.of, element)).repeat()
        got = next(mix_augment(endless, 3, 0, part, blocks=4).as_numpy_iterator())
        own = slice(first * 3 // 2, (first + rows) * 3 // 2)
        want = tf.nest.map_structure(lambda values, own=own: values[own], whole)
        tf.nest.map_structure(np.testing.assert_array_equal, got, want)


@pytest.mark.parametrize(
    ("text", "part", "can"),
    [
        ("none", Part(1, 2, 8), True),
        ("mix_augment", Part(0, 4, 8), False),
        ("mix_augment", Part(0, 8, 8), True),
        ("mix_augment(blocks=2)", Part(4, 4, 8), True),
        ("mix_augment(blocks=2)", Part(2, 4, 8), False),
        ("mix_augment(blocks=4)", Part(4, 4, 8), True),
        ("mix_augment(alpha=1.0, blocks=3)", Part(4, 4, 8), False),
        ("mix_augment(blocks=16)", Part(4, 4, 8), False),
    ],
)
def test_what_can_be_mixed_in_parts(text, part, can):
    assert mixes_in_parts(text, part) == can


@pytest.mark.parametrize(
    ("options", "part", "message"),
    [
        ({"blocks": 0}, None, "blocks must be an integer >= 1, got 0"),
        ({"blocks": 1.5}, None, "blocks must be an integer >= 1, got 1.5"),
        ({"blocks": 3}, None, "3 blocks need a batch_size that is a multiple of 6, got 8"),
        ({"blocks": 8}, None, "8 blocks need a batch_size that is a multiple of 16, got 8"),
        ({}, Part(0, 8, 16), "is not made of whole blocks of 16"),
        ({"blocks": 2}, Part(0, 4, 8), "the batches have 8 rows, but"),
    ],
)
def test_blocks_that_do_not_fit_are_refused(options, part, message):
    endless = tf.data.Dataset.from_tensors(batch()).repeat()
    with pytest.raises(ValueError, match=message):
        mix_augment(endless, 3, 0, part, **options)


def test_blocks_of_unknown_rows_are_refused():
    unknown = tf.data.Dataset.from_tensor_slices(batch()).batch(4)
    with pytest.raises(ValueError, match=r"rows are known: batch\(N, drop_remainder=True\)"):
        mix_augment(unknown, 3, blocks=2)
