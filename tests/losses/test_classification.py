"""L_Exp and L_AU under eq. 1."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm.losses import masked_binary_cross_entropy, masked_cross_entropy
from tests.losses import references

B, K, M = 9, 5, 4
TOLERANCE = {"rtol": 1e-5, "atol": 1e-6}  # float32; atol for values near 0


def classes(seed=0, soft=False):
    rng = np.random.default_rng(seed)
    labels = np.eye(K)[rng.integers(0, K, B)]
    if soft:
        labels = rng.dirichlet(np.ones(K), B)
    mask = (rng.random(B) < 0.6).astype(np.float32)
    mask[:2] = 0, 1
    return labels.astype(np.float32), rng.normal(0, 3, (B, K)).astype(np.float32), mask


def attributes(seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (B, M)).astype(np.float32)
    mask = (rng.random((B, M)) < 0.6).astype(np.float32)
    mask[0], mask[1] = 0, 1
    return labels, rng.normal(0, 3, (B, M)).astype(np.float32), mask


def numpy(values):
    assert values.dtype == "float32"
    return keras.ops.convert_to_numpy(values)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([0.0, 0.3]))
def test_cross_entropy_equals_the_reference(seed, soft, smoothing):
    arrays = classes(seed, soft)
    got = numpy(masked_cross_entropy(*arrays, label_smoothing=smoothing))
    np.testing.assert_allclose(got, references.cross_entropy(*arrays, smoothing), **TOLERANCE)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["mean", "sum"]))
def test_binary_cross_entropy_equals_the_reference(seed, reduction):
    arrays = attributes(seed)
    got = numpy(masked_binary_cross_entropy(*arrays, reduction=reduction))
    want = references.binary_cross_entropy(*arrays, reduction)
    np.testing.assert_allclose(got, want, **TOLERANCE)


def test_cross_entropy_by_hand():
    # p = (1, 2, 1) / 4 for logits (0, log 2, 0): -log(1/2) for class 1, -log(1/4) for class 2;
    # the third image is not annotated.
    logits = np.log([[1.0, 2.0, 1.0]] * 3)
    labels = np.eye(3)[[1, 2, 0]]
    got = numpy(masked_cross_entropy(labels, logits, np.array([1.0, 1.0, 0.0])))
    np.testing.assert_allclose(got, [np.log(2), np.log(4), 0.0], rtol=1e-6)


def test_label_smoothing_by_hand():
    # K = 2, s = 0.5: label (1, 0) becomes (0.75, 0.25); p = (3/4, 1/4):
    # -(3/4 log 3/4 + 1/4 log 1/4).
    got = masked_cross_entropy(np.eye(2)[:1], np.log([[3.0, 1.0]]), np.ones(1), label_smoothing=0.5)
    want = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    np.testing.assert_allclose(numpy(got), [want], rtol=1e-6)


def test_binary_cross_entropy_by_hand():
    # p = (3/4, 1/4, 1/2); labels (1, 0, 1); the third attribute is not annotated:
    # (-log 3/4 - log 3/4) / 2 = log 4/3; the sum is twice that.
    arrays = [[1.0, 0.0, 1.0]], [[np.log(3), -np.log(3), 0.0]], [[1.0, 1.0, 0.0]]
    arrays = [np.float32(each) for each in arrays]
    np.testing.assert_allclose(numpy(masked_binary_cross_entropy(*arrays)), [np.log(4 / 3)], 1e-6)
    got = numpy(masked_binary_cross_entropy(*arrays, reduction="sum"))
    np.testing.assert_allclose(got, [2 * np.log(4 / 3)], rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_label_smoothing_is_that_of_keras(smoothing):
    labels, logits, _ = classes()
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=smoothing, reduction="none"
    )
    got = numpy(masked_cross_entropy(labels, logits, np.ones(B), label_smoothing=smoothing))
    np.testing.assert_allclose(got, numpy(loss(labels, logits)), rtol=1e-5)


def test_binary_cross_entropy_is_that_of_keras_where_all_is_annotated():
    labels, logits, _ = attributes()
    loss = keras.losses.BinaryCrossentropy(from_logits=True, reduction="none")
    got = numpy(masked_binary_cross_entropy(labels, logits, np.ones((B, M))))
    np.testing.assert_allclose(got, numpy(loss(labels, logits)), rtol=1e-5)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_an_image_without_annotated_attributes_gives_0(reduction):
    labels, logits, mask = attributes()
    got = numpy(masked_binary_cross_entropy(labels, logits, mask, reduction=reduction))
    assert got[0] == 0.0
    assert (got[1:] >= 0).all()


CASES = {
    "cross entropy": (masked_cross_entropy, classes),
    "smoothed": (lambda *each: masked_cross_entropy(*each, label_smoothing=0.2), classes),
    "binary mean": (masked_binary_cross_entropy, attributes),
    "binary sum": (lambda *each: masked_binary_cross_entropy(*each, reduction="sum"), attributes),
}
every_loss = pytest.mark.parametrize(("loss", "draw"), CASES.values(), ids=CASES.keys())


@every_loss
@pytest.mark.parametrize("junk", [np.nan, np.inf, -1.0, 1e30])
def test_labels_under_mask_0_change_neither_value_nor_gradient(loss, draw, junk):
    labels, logits, mask = draw()
    annotated = mask if mask.ndim == 2 else mask[:, None]
    spoilt = np.where(annotated > 0, labels, np.float32(junk))
    np.testing.assert_array_equal(loss(spoilt, logits, mask), loss(labels, logits, mask))
    got, want = (
        references.tape_gradient(lambda z, y=y: loss(y, z, mask), logits) for y in (spoilt, labels)
    )
    np.testing.assert_array_equal(got, want)


@every_loss
def test_no_gradient_where_nothing_is_annotated(loss, draw):
    labels, logits, mask = draw()
    gradient = references.tape_gradient(lambda z: loss(labels, z, mask), logits)
    annotated = np.broadcast_to(mask if mask.ndim == 2 else mask[:, None], gradient.shape)
    assert (gradient[annotated == 0] == 0).all()
    assert (gradient[annotated == 1] != 0).all()


@given(seed=st.integers(0, 2**32 - 1))
@every_loss
def test_rows_are_independent(loss, draw, seed):
    arrays = draw(seed)
    rows = np.random.default_rng(seed).permutation(B)
    got = numpy(loss(*(array[rows] for array in arrays)))
    # Where a row lies in memory decides which of its exponentials are vectorised, and so their last
    # bit; a loss is a sum of parts as large as the logits, which cancel.
    atol = 4 * np.finfo(np.float32).eps * np.abs(arrays[1]).max()
    np.testing.assert_allclose(got, numpy(loss(*arrays))[rows], rtol=1e-6, atol=atol)


@given(seed=st.integers(0, 2**32 - 1))
@every_loss
def test_the_order_of_labels_does_not_matter(loss, draw, seed):
    labels, logits, mask = draw(seed)
    columns = np.random.default_rng(seed).permutation(labels.shape[1])
    permuted = loss(
        labels[:, columns], logits[:, columns], mask if mask.ndim == 1 else mask[:, columns]
    )
    np.testing.assert_allclose(numpy(permuted), numpy(loss(labels, logits, mask)), **TOLERANCE)


@every_loss
@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e4), ("float16", 6e4), ("bfloat16", 1e4)])
def test_finite_at_extreme_logits(loss, draw, dtype, size):
    labels, logits, mask = draw()
    extreme = size * np.sign(logits)
    value, gradient = references.value_and_gradient(lambda z: loss(labels, z, mask), extreme, dtype)
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()


@every_loss
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_logits_are_computed_in_float32(loss, draw, dtype):
    labels, logits, mask = draw()
    half = keras.ops.cast(logits, dtype)
    got = numpy(loss(labels, half, mask))
    np.testing.assert_array_equal(got, loss(labels, keras.ops.cast(half, "float32"), mask))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_gradient_of_cross_entropy(seed, smoothing):
    labels, logits, mask = classes(seed)
    got = references.tape_gradient(
        lambda z: masked_cross_entropy(labels, z, mask, label_smoothing=smoothing), logits
    )
    want = references.central_differences(
        lambda z: references.cross_entropy(labels, z, mask, smoothing), logits
    )
    np.testing.assert_allclose(got, want, **TOLERANCE)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_gradient_of_binary_cross_entropy(seed, reduction):
    labels, logits, mask = attributes(seed)
    got = references.tape_gradient(
        lambda z: masked_binary_cross_entropy(labels, z, mask, reduction=reduction), logits
    )
    want = references.central_differences(
        lambda z: references.binary_cross_entropy(labels, z, mask, reduction), logits
    )
    np.testing.assert_allclose(got, want, **TOLERANCE)


@pytest.mark.parametrize(
    ("loss", "shapes", "message"),
    [
        (masked_cross_entropy, [(3, 4), (3, 5), (3,)], r"labels must have shape \(3, 5\)"),
        (masked_cross_entropy, [(3,), (3, 5), (3,)], "labels must have shape"),
        (masked_cross_entropy, [(3, 5), (3, 5), (3, 5)], r"mask must have shape \(3,\)"),
        (masked_cross_entropy, [(3, 5), (3, 5), (2,)], "mask must have shape"),
        (masked_cross_entropy, [(3,), (3,), (3,)], "logits must have shape"),
        (masked_binary_cross_entropy, [(3, 4), (3, 5), (3, 5)], "labels must have shape"),
        (masked_binary_cross_entropy, [(3, 5), (3, 5), (3,)], r"mask must have shape \(3, 5\)"),
        (masked_binary_cross_entropy, [(3, 5), (3, 5), (3, 1)], "mask must have shape"),
        (masked_binary_cross_entropy, [(3, 1), (3, 1, 1), (3, 1)], "logits must have shape"),
    ],
)
def test_wrong_shapes_name_the_argument(loss, shapes, message):
    with pytest.raises(ValueError, match=message):
        loss(*(np.zeros(shape, np.float32) for shape in shapes))


def test_unknown_reduction():
    with pytest.raises(ValueError, match="reduction must be 'mean' or 'sum', got 'max'"):
        masked_binary_cross_entropy(*(np.zeros((1, 1)),) * 3, reduction="max")
