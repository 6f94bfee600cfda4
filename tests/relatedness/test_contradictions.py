"""Planted contradictions are found, agreement is left alone."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from mtl_dm.relatedness import Relatedness, contradictions, count, implied_frequencies
from mtl_dm.relatedness.contradictions import BEYOND_NOISE, wilson

CLASSES, ATTRIBUTES = ("a", "b"), ("u", "v", "w")
P = np.array([[0.8, 0.1, 0.5], [0.2, 0.6, 0.5]])


def table_of(conditional, counts=None, prior=None):
    return Relatedness(CLASSES, ATTRIBUTES, conditional, conditional, "test", prior, counts)


def tally_of(shares, images=400):
    """Counts in which exactly these shares of the images of each class are active."""
    classes = np.repeat([0, 1], images)
    place = np.tile(np.arange(images), 2)[:, None]
    return count(classes, place < shares[classes] * images, None, CLASSES, ATTRIBUTES)


@pytest.mark.parametrize("softened", [0.0, 0.5, 1.0])
def test_agreement(softened):
    # As the table has it, or as its likelihood has it, or anything between.
    shares = P + softened * (0.9 * P + 0.05 - P)
    assert contradictions(table_of(P), tally_of(shares)) == []


def test_planted_pairs_are_found_the_largest_first():
    shares = 0.9 * P + 0.05
    shares[0, 1], shares[1, 2] = 0.9, 0.3
    found = contradictions(table_of(P), tally_of(shares))
    assert [(each.class_name, each.attribute) for each in found] == [("a", "v"), ("b", "w")]
    assert found[0].assumed == pytest.approx(0.1)
    assert found[0].counted == pytest.approx(0.9)
    assert found[0].images == 400


def test_three_standard_errors():
    # P = 0.5 of 400 images: a standard error is 0.025.
    for share, beyond in ((0.57, False), (0.58, True)):
        shares = 0.9 * P + 0.05
        shares[0, 2] = share
        assert bool(contradictions(table_of(P), tally_of(shares))) is beyond


def test_a_counted_table_has_noise_of_its_own():
    shares = 0.9 * P + 0.05
    shares[0, 2] = 0.58
    few = table_of(0.9 * P + 0.05, np.full((2, 3), 100.0))
    assert contradictions(few, tally_of(shares)) == []


def test_wilson_is_that_of_scipy():
    # Two-sided 3 standard errors are a confidence of erf(3 / sqrt 2).
    level = math.erf(BEYOND_NOISE / math.sqrt(2))
    for active, images in ((0, 10), (7, 20), (50, 50)):
        want = binomtest(active, images).proportion_ci(level, "wilson")
        assert wilson(active / images, images) == pytest.approx((want.low, want.high), abs=1e-9)


def test_implied_frequencies():
    relatedness = table_of(P, prior=[0.5, 0.5])
    found = implied_frequencies(relatedness, [100, 190, 0], [200, 200, 0])
    assert [each.implied for each in found] == pytest.approx([0.5, 0.35, 0.5], abs=1e-6)
    assert [each.beyond_noise for each in found] == [False, True, False]
    # v at 0.95: even class b alone would give 0.6.
    assert [each.impossible for each in found] == [False, True, False]
    assert math.isnan(found[2].observed)
    # Another prior explains u at 0.7, which 0.5 / 0.5 does not.
    (u, *_) = implied_frequencies(relatedness, [700, 0, 0], [1000, 0, 0])
    assert u.beyond_noise
    assert not u.impossible
    (u, *_) = implied_frequencies(relatedness, [700, 0, 0], [1000, 0, 0], [0.87, 0.13])
    assert not u.beyond_noise
    # 0.5 / 0.5 counted on 10 images has a standard error of 0.3 / sqrt(10) for u.
    few = implied_frequencies(relatedness, [700, 0, 0], [1000, 0, 0], [0.5, 0.5], 10)
    assert not few[0].beyond_noise
