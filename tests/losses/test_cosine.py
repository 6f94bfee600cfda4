import keras
import numpy as np
from scipy.spatial import distance

from mtl_dm.losses.cosine import cosine_distance


def test_equals_scipy_and_is_a_distance():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 6, 5)).astype(np.float32)
    b[1], b[2] = 3 * a[1], -a[2]
    found = keras.ops.convert_to_numpy(cosine_distance(a, keras.ops.convert_to_tensor(b)))
    expected = [distance.cosine(*pair) for pair in zip(a, b, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    # What eq. 4 prints would be the other way round.
    assert found[1] < 1e-6 and found[2] > 2 - 1e-6


def test_an_embedding_of_length_0_is_at_distance_1():
    zero, one = np.zeros((1, 3), np.float32), keras.ops.ones((1, 3))
    np.testing.assert_array_equal(cosine_distance(zero, one), [1.0])
