"""Counting, against a loop over images and by hand."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm.relatedness import annotations, count, from_annotations

CLASSES = ("a", "b", "c")
ATTRIBUTES = ("x", "y")


def by_loop(classes, labels, mask, size):
    """{(class, attribute): share}, one image at a time."""
    counts = {}
    for image, k in enumerate(classes):
        for i in range(len(labels[image])):
            annotated = labels[image][i] >= 0 and (mask is None or mask[image][i])
            if k != -1 and annotated:
                active, total = counts.get((k, i), (0, 0))
                counts[k, i] = (active + int(labels[image][i]), total + 1)
    return np.array(
        [[counts[k, i][0] / counts[k, i][1] for i in range(size[1])] for k in range(size[0])]
    )


def random_annotations(seed, rows=60):
    """Annotations with missing labels on both sides, every pair annotated at least once."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(-1, 3, rows)
    labels = rng.integers(-1, 2, (rows, 2))
    mask = rng.integers(0, 2, (rows, 2)) * (labels >= 0)
    classes[:3], labels[:3], mask[:3] = (0, 1, 2), ((0, 1), (1, 1), (0, 0)), 1
    return classes, labels, mask


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_equals_a_loop_with_labels_missing_on_both_sides(seed, masked):
    classes, labels, mask = random_annotations(seed)
    mask = mask if masked else None
    relatedness = from_annotations(classes, labels, mask, classes=CLASSES, attributes=ATTRIBUTES)
    want = by_loop(classes, labels, mask, (3, 2))
    np.testing.assert_allclose(relatedness.conditional, want, rtol=1e-6)
    np.testing.assert_array_equal(relatedness.weights, relatedness.conditional)
    shares = [np.mean(classes[classes >= 0] == k) for k in range(3)]
    np.testing.assert_allclose(relatedness.prior, shares, rtol=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_images_does_not_matter(seed):
    classes, labels, mask = random_annotations(seed)
    order = np.random.default_rng(seed).permutation(len(classes))
    one, two = (
        from_annotations(
            classes[rows], labels[rows], mask[rows], classes=CLASSES, attributes=ATTRIBUTES
        )
        for rows in (slice(None), order)
    )
    assert one == two


def test_by_hand():
    # Class a: images 0, 1, 2; x active on 0 and 1 of three -> 2/3; y annotated on 0 and 1 only,
    # active on 1 -> 1/2. Class b: image 3: x 0/1, y 1/1. Image 4 has no class: it counts nowhere.
    classes = [0, 0, 0, 1, -1]
    labels = [[1, 0], [1, 1], [0, -1], [0, 1], [1, 1]]
    relatedness = from_annotations(classes, labels, classes=("a", "b"), attributes=ATTRIBUTES)
    np.testing.assert_allclose(relatedness.conditional, [[2 / 3, 1 / 2], [0, 1]], rtol=1e-6)
    np.testing.assert_allclose(relatedness.prior, [0.75, 0.25])
    assert "4 annotated images" in relatedness.citation
    assert relatedness.classes == ("a", "b")
    assert relatedness.attributes == ATTRIBUTES


def test_memory_does_not_grow_with_the_images():
    rng = np.random.default_rng(0)
    few, many = (peak_of_counting(rng, rows) for rows in (100_000, 400_000))
    assert many < 1.2 * few + 4 * 400_000  # Which image has a class takes a byte or two.


def peak_of_counting(rng, rows):
    """Bytes; int8 labels as a built data set stores them."""
    classes = rng.integers(-1, 3, rows).astype(np.int8)
    labels = rng.integers(-1, 2, (rows, 12)).astype(np.int8)
    tracemalloc.start()
    count(classes, labels, labels >= 0, CLASSES, list("abcdefghijkl"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@given(st.integers(0, 2**32 - 1), st.integers(1, 70))
def test_images_may_be_counted_in_parts(seed, size):
    arguments = (*random_annotations(seed), CLASSES, ATTRIBUTES)
    whole = count(*arguments)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(annotations, "_ROWS", size)
        parts = count(*arguments)
    for one, two in zip(dataclasses.astuple(whole), dataclasses.astuple(parts), strict=True):
        np.testing.assert_array_equal(one, two)


def test_more_pairs_than_a_byte_can_number():
    classes = np.arange(100, dtype=np.int8)
    tally = count(classes, np.ones((100, 40), np.int8), None, list(map(str, range(100))), "x" * 40)
    np.testing.assert_array_equal(tally.active, np.ones((100, 40)))


def test_fully_annotated_is_the_printed_formula():
    # #(att and cls) / #(cls): class a has 4 images, x on 3 of them.
    classes = np.array([0, 0, 0, 0, 1])
    labels = np.array([[1, 0], [1, 0], [1, 1], [0, 0], [0, 1]])
    got = from_annotations(classes, labels, classes=("a", "b"), attributes=ATTRIBUTES)
    np.testing.assert_allclose(got.conditional, [[0.75, 0.25], [0.0, 1.0]])


def test_nan_and_minus_1_and_mask_0_all_mean_missing():
    classes = np.array([0, 0, 1, 1])
    full = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    missing = np.array([[0, 0], [0, 1], [0, 0], [1, 0]], dtype=bool)
    names = {"classes": ("a", "b"), "attributes": ATTRIBUTES}
    with_nan = from_annotations(classes, np.where(missing, np.nan, full), **names)
    with_minus_1 = from_annotations(classes, np.where(missing, -1, full).astype(int), **names)
    with_mask = from_annotations(classes, full, ~missing, **names)
    with_both = from_annotations(classes, np.where(missing, np.nan, full), ~missing, **names)
    assert with_nan == with_minus_1 == with_mask == with_both
    np.testing.assert_array_equal(with_nan.conditional, [[0.5, 0.0], [1.0, 0.5]])


def refuse(classes, labels, mask=None, names=CLASSES, attributes=ATTRIBUTES):
    return from_annotations(classes, labels, mask, classes=names, attributes=attributes)


def test_a_class_never_annotated_is_named():
    with pytest.raises(ValueError, match=r"Classes never annotated with any attribute: \['c'\]"):
        refuse([0, 1, 0, 1], np.ones((4, 2)))


def test_a_class_annotated_only_where_attributes_are_not_is_named():
    labels = np.array([[1, 0], [1, 1], [-1, -1]])
    with pytest.raises(ValueError, match=r"any attribute: \['c'\]"):
        refuse([0, 1, 2], labels)


def test_an_attribute_never_annotated_is_named():
    labels = np.array([[1, -1], [0, -1], [1, -1]])
    with pytest.raises(ValueError, match=r"attributes never annotated with any class: \['y'\]"):
        refuse([0, 1, 2], labels)


def test_an_attribute_annotated_only_without_class_is_named():
    labels = np.array([[1, -1], [0, -1], [1, -1], [1, 1]])
    with pytest.raises(ValueError, match=r"with any class: \['y'\]"):
        refuse([0, 1, 2, -1], labels)


def test_a_single_pair_without_an_image_is_named():
    labels = np.array([[1, 0], [1, -1], [0, 1]])
    with pytest.raises(ValueError, match=r"1 pair.* first .'b / y'"):
        refuse([0, 1, 2], labels)


def test_no_images_at_all():
    with pytest.raises(ValueError, match=r"any attribute: \['a', 'b', 'c'\]"):
        refuse(np.zeros(0, int), np.zeros((0, 2)))


@pytest.mark.parametrize(
    ("classes", "labels", "mask", "message"),
    [
        ([0.0, 1.0, 2.0], np.ones((3, 2)), None, "class_labels must be integers"),
        ([[0], [1], [2]], np.ones((3, 2)), None, "class_labels must be integers of shape"),
        ([0, 1, 3], np.ones((3, 2)), None, r"class_labels must lie in \[-1, 2\], got 3 in row 2"),
        ([0, 1, -2], np.ones((3, 2)), None, r"class_labels must lie in \[-1, 2\], got -2 in row 2"),
        ([0, 1, 2], np.ones((3, 3)), None, r"attribute_labels must be \(3, 2\)"),
        ([0, 1, 2], np.ones((2, 2)), None, r"attribute_labels must be \(3, 2\)"),
        ([0, 1, 2], np.full((3, 2), 0.5), None, "attribute_labels must be 0 or 1"),
        ([0, 1, 2], np.full((3, 2), 2), None, "attribute_labels must be 0 or 1"),
        ([0, 1, 2], np.full((3, 2), np.inf), None, "attribute_labels must be 0 or 1"),
        ([0, 1, 2], np.ones((3, 2)), np.ones((3, 1)), r"attribute_mask must be \(3, 2\), got"),
        (
            [0, 1, 2],
            np.ones((3, 2)),
            np.full((3, 2), 0.5),
            r"attribute_mask must be 0 or 1, got 0\.5 in row 0",
        ),
        (
            [0, 1, 2],
            np.ones((3, 2)),
            np.full((3, 2), np.nan),
            "attribute_mask must be 0 or 1, got nan",
        ),
        (
            [0, 1, 2],
            np.full((3, 2), np.nan),
            np.ones((3, 2)),
            "0 or 1 where the mask is 1, got nan",
        ),
        (
            [0, 1, 2],
            [[1, 0], [0, 1], [1, -1]],
            np.ones((3, 2)),
            r"attribute_labels must be 0 or 1 where the mask is 1, got -1.0 in row 2 \(1 such",
        ),
        ([0, 1, 2], [[1, -1], [-1, 1], [1, 1]], None, "attribute_labels hold 1 and -1 and never 0"),
    ],
)
def test_bad_arrays(classes, labels, mask, message):
    with pytest.raises(ValueError, match=message):
        refuse(classes, labels, mask)


def test_repeated_names():
    with pytest.raises(ValueError, match="classes must be unique"):
        refuse([0, 1, 2], np.ones((3, 2)), names=("a", "b", "a"))
    with pytest.raises(ValueError, match="attributes must be unique"):
        refuse([0, 1, 2], np.ones((3, 2)), attributes=("x", "x"))
