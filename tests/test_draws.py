"""Numbers by seed, name and count."""

import keras
import numpy as np
import pytest
from scipy import stats

from mtl_dm.draws import (
    COUNTS,
    following,
    keys_of,
    normal,
    require_seed,
    truncated_normal,
    uniform,
)

NAMES = ["a", "b", ("a", 1)]
numpy = keras.ops.convert_to_numpy


def tensor(array):
    return keras.ops.convert_to_tensor(np.asarray(array, np.float32))


def hashed(key, count):
    """lowbias32 on Python's integers, of the key and then of both."""

    def mixed(word):
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
            word ^= word >> shift
            word = word * factor & 0xFFFFFFFF
        return word ^ word >> 16

    return ((mixed(mixed(int(key)) ^ count) >> 9) + 0.5) / 2**23


def test_as_with_integers_of_python():
    keys = keys_of(5, NAMES)
    for count in (0, 1, 2**24 - 1):
        want = [hashed(key, count) for key in keys]
        np.testing.assert_allclose(numpy(uniform(keys, float(count))), want, rtol=1e-6)
        got = numpy(normal(keys, float(count)))
        np.testing.assert_allclose(got, stats.norm.ppf(want), rtol=1e-3, atol=1e-5)


def test_a_number_depends_on_seed_name_and_count_alone():
    np.testing.assert_array_equal(keys_of(5, NAMES)[::-1], keys_of(5, NAMES[::-1]))
    first = numpy(uniform(keys_of(5, NAMES), 3.0))
    assert (first != numpy(uniform(keys_of(6, NAMES), 3.0))).all()
    assert (first != numpy(uniform(keys_of(5, NAMES), 4.0))).all()


def test_draws_are_those_of_independent_normal_variables():
    counts = tensor(np.arange(20000))
    one, other, again = (
        numpy(normal(keys_of(seed, [name]), counts))
        for seed, name in ((0, "a"), (0, "b"), (1, "a"))
    )
    assert stats.kstest(one, "norm").pvalue > 0.01
    assert np.abs(one).max() < 6
    limit = 3 / np.sqrt(len(one))  # three standard errors of a correlation
    for x, y in ((one, other), (one[:-1], one[1:]), (one, again)):
        assert abs(np.corrcoef(x, y)[0, 1]) < limit


def test_truncated_draws_are_those_within_two():
    drawn = numpy(truncated_normal(keys_of(0, "a"), tensor(np.arange(20000))))
    assert stats.kstest(drawn, stats.truncnorm(-2, 2).cdf).pvalue > 0.01
    assert np.abs(drawn).max() < 2


def test_the_count_starts_again_where_float32_ends():
    assert float(following(tensor(COUNTS - 2))) == COUNTS - 1
    assert float(following(tensor(COUNTS - 1))) == 0.0
    assert np.isfinite(numpy(normal(keys_of(0, range(1000)), tensor(COUNTS - 1)))).all()


@pytest.mark.parametrize("seed", [-1, 2**31, 0.5, None, True])
def test_refuses_what_is_no_seed(seed):
    with pytest.raises(ValueError, match="seed of x must be an integer from 0 to"):
        require_seed("x", seed)
