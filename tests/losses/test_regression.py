import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm.losses import masked_squared_error
from mtl_dm.losses.regression import concordance_loss
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


def lins(x, y):
    """Lin's coefficient of two columns, with population moments."""
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    return 2 * covariance / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)


class TestConcordance:
    def reference(self, labels, predictions, mask):
        """1 - the mean CCC of the columns with at least two labels, float64."""
        losses = []
        for x, y, known in zip(predictions.T, labels.T, mask.T > 0, strict=True):
            if known.sum() > 1:
                losses.append(1 - lins(x[known].astype(float), y[known].astype(float)))
        return np.mean(losses)

    @given(st.integers(0, 2**32 - 1))
    def test_equals_lins(self, seed):
        arrays = draw(seed)
        labels, predictions, mask = arrays
        mask[:3, 0] = 1
        loss, weight = map(numpy, concordance_loss(*arrays))
        assert weight == 1
        assert loss == pytest.approx(self.reference(labels, predictions, mask), rel=1e-4)

    def test_by_hand(self):
        # Of the same spread and twice as far apart as that: 2 * 1 / (1 + 1 + 4) = 1/3.
        y = np.array([[-1.0], [1.0]])
        loss, _ = concordance_loss(y, y + 2, np.ones((2, 1)))
        assert float(loss) == pytest.approx(2 / 3, rel=1e-6)
        loss, _ = concordance_loss(y, -y, np.ones((2, 1)))
        assert float(loss) == pytest.approx(2.0, rel=1e-6)
        loss, _ = concordance_loss(y, y, np.ones((2, 1)))
        assert float(loss) == pytest.approx(0.0, abs=1e-6)

    def test_far_from_0_keeps_its_digits(self):
        rng = np.random.default_rng(0)
        y = rng.normal(1000.0, 0.1, (50, 1))
        x = y + rng.normal(0, 0.05, (50, 1))
        loss, _ = concordance_loss(y, x, np.ones((50, 1)))
        # The reference gets what float32 leaves of the inputs.
        x, y = x.astype(np.float32), y.astype(np.float32)
        assert float(loss) == pytest.approx(self.reference(y, x, np.ones((50, 1))), rel=1e-2)

    def test_gradient(self):
        labels, predictions, mask = draw(3)
        got = references.tape_gradient(lambda x: concordance_loss(labels, x, mask)[0], predictions)
        want = references.central_differences(
            lambda x: self.reference(labels, x, mask), predictions.astype(np.float64)
        )
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-5)
        assert not got[mask == 0].any()

    def test_a_mask_that_weighs_images_says_only_that_there_is_a_label(self):
        labels, predictions, mask = draw()
        assert concordance_loss(labels, predictions, 3 * mask) == concordance_loss(
            labels, predictions, mask
        )

    @pytest.mark.parametrize("junk", [np.nan, np.inf])
    def test_labels_under_mask_0_change_neither_value_nor_gradient(self, junk):
        labels, predictions, mask = draw()
        spoilt = np.where(mask > 0, labels, np.float32(junk))
        got, want = (
            references.tape_gradient(lambda x, y=y: concordance_loss(y, x, mask)[0], predictions)
            for y in (spoilt, labels)
        )
        np.testing.assert_array_equal(got, want)
        assert want.any()

    @pytest.mark.parametrize(
        "case", ["no label", "one label", "constant and equal", "constant labels"]
    )
    def test_where_nothing_is_defined_the_loss_is_absent(self, case):
        labels, predictions, mask = draw()
        mask[:] = 0
        if case == "one label":
            mask[2] = 1
        if case == "constant and equal":
            mask[:], labels[:], predictions[:] = 1, 0.5, 0.5
        if case == "constant labels":
            mask[:], labels[:] = 1, 0.1
        loss, weight = concordance_loss(labels, predictions, mask)
        assert (float(loss), float(weight)) == (0, 0)
        gradient = references.tape_gradient(
            lambda x: concordance_loss(labels, x, mask)[0], predictions
        )
        np.testing.assert_array_equal(gradient, 0 * predictions)

    def test_constant_predictions_have_a_ccc_of_0_and_a_gradient(self):
        labels, predictions, mask = draw()
        mask[:], predictions[:] = 1, 0
        loss, weight = concordance_loss(labels, predictions, mask)
        assert (float(loss), float(weight)) == (pytest.approx(1.0), 1)
        assert references.tape_gradient(
            lambda x: concordance_loss(labels, x, mask)[0], predictions
        ).any()

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
    def test_half_precision_is_computed_in_float32(self, dtype):
        labels, predictions, mask = draw()
        half = keras.ops.cast(predictions * 1e3, dtype)
        loss, _ = concordance_loss(labels, half, mask)
        assert numpy(loss) == concordance_loss(labels, keras.ops.cast(half, "float32"), mask)[0]

    def test_wrong_shapes_name_the_argument(self):
        with pytest.raises(ValueError, match=r"labels must have shape \(3, 2\), got \(3, 1\)"):
            concordance_loss(np.zeros((3, 1)), np.zeros((3, 2)), np.zeros((3, 2)))


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
