import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm.losses import masked_squared_error
from tests.losses import references

B, R = 8, 3
TOLERANCE = {"rtol": 1e-5, "atol": 1e-6}


def draw(seed=0):
    rng = np.random.default_rng(seed)
    mask = rng.integers(0, 2, (B, R))
    mask[0], mask[1] = 0, 1
    arrays = rng.normal(size=(B, R)), rng.normal(size=(B, R)), mask
    return tuple(array.astype(np.float32) for array in arrays)


def numpy(values):
    assert values.dtype == "float32"
    return keras.ops.convert_to_numpy(values)


@given(st.integers(0, 2**32 - 1))
def test_equals_the_reference(seed):
    arrays = draw(seed)
    got = numpy(masked_squared_error(*arrays))
    np.testing.assert_allclose(got, references.squared_error(*arrays), **TOLERANCE)


def test_by_hand():
    # Errors 1 and 3, the third value not annotated: (1 + 9) / 2. The second image has none.
    labels = [[1.0, 2.0, 9.0], [1.0, 1.0, 1.0]]
    mask = [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    got = numpy(
        masked_squared_error(np.array(labels), np.array([[0, -1, 0.0]] * 2), np.array(mask))
    )
    np.testing.assert_array_equal(got, [5.0, 0.0])


def test_gradient():
    # d/dx = 2 (x - y) / n where annotated.
    labels, predictions, mask = draw()
    got = references.tape_gradient(lambda x: masked_squared_error(labels, x, mask), predictions)
    count = np.maximum(mask.sum(axis=1, keepdims=True), 1)
    np.testing.assert_allclose(got, 2 * mask * (predictions - labels) / count, **TOLERANCE)


@pytest.mark.parametrize("junk", [np.nan, np.inf, 1e30])
def test_labels_under_mask_0_change_neither_value_nor_gradient(junk):
    labels, predictions, mask = draw()
    spoilt = np.where(mask > 0, labels, np.float32(junk))
    np.testing.assert_array_equal(
        masked_squared_error(spoilt, predictions, mask),
        masked_squared_error(labels, predictions, mask),
    )
    got, want = (
        references.tape_gradient(lambda x, y=y: masked_squared_error(y, x, mask), predictions)
        for y in (spoilt, labels)
    )
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(dtype):
    labels, predictions, mask = draw()
    half = keras.ops.cast(predictions * 1e3, dtype)  # squares beyond the range of float16
    got = numpy(masked_squared_error(labels, half, mask))
    assert np.isfinite(got).all()
    np.testing.assert_array_equal(
        got, masked_squared_error(labels, keras.ops.cast(half, "float32"), mask)
    )


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(3, 2), (3,), (3, 2)], "predictions must have shape"),
        ([(3, 1), (3, 2), (3, 2)], r"labels must have shape \(3, 2\), got \(3, 1\)"),
        ([(3, 2), (3, 2), (3,)], "mask must have shape"),
    ],
)
def test_wrong_shapes_name_the_argument(shapes, message):
    with pytest.raises(ValueError, match=message):
        masked_squared_error(*(np.zeros(shape, np.float32) for shape in shapes))
