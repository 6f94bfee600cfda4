import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm.metrics.calibration import reliability


def by_loop(probabilities, outcomes, bins):
    """Guo et al. 2017, eq. 1-3, statement by statement."""
    groups = [[] for _ in range(bins)]
    edges = np.linspace(0, 1, bins + 1)
    for stated, true in zip(probabilities, outcomes, strict=True):
        for place in range(bins):
            inside = edges[place] < stated <= edges[place + 1]
            if inside or (place == 0 and stated == 0):
                groups[place].append((stated, true))
    error = 0.0
    for group in groups:
        if group:
            confidence = sum(stated for stated, _ in group) / len(group)
            accuracy = sum(true for _, true in group) / len(group)
            error += len(group) / len(probabilities) * abs(accuracy - confidence)
    return [len(group) for group in groups], error


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60),
    st.integers(1, 12),
)
def test_equals_the_loop(statements, bins):
    probabilities, outcomes = map(list, zip(*statements, strict=True))
    found = reliability(probabilities, outcomes, bins)
    counts, error = by_loop(probabilities, outcomes, bins)
    assert found.count.tolist() == counts
    assert found.error == pytest.approx(error, abs=1e-12)


def test_by_hand():
    # Bin (0.5, 0.75]: 0.6 and 0.7, one true: confidence 0.65, outcome 0.5. Bin (0.75, 1]: 1.0,
    # true. Error: 2/3 * 0.15 + 1/3 * 0 = 0.1.
    found = reliability([0.6, 1.0, 0.7], [1, 1, 0], bins=4)
    assert found.count.tolist() == [0, 0, 2, 1]
    np.testing.assert_allclose(found.confidence, [np.nan, np.nan, 0.65, 1.0])
    np.testing.assert_allclose(found.outcome, [np.nan, np.nan, 0.5, 1.0])
    assert found.error == pytest.approx(0.1)


def test_honest_probabilities_have_no_gap():
    rng = np.random.default_rng(0)
    stated = rng.random(200_000)
    assert reliability(stated, rng.random(200_000) < stated).error < 0.01
    assert reliability(stated, np.ones(200_000)).error == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("probabilities", "outcomes", "bins", "message"),
    [
        ([], [], 10, "not empty"),
        ([0.5], [1, 0], 10, "equally long"),
        ([[0.5]], [[1]], 10, "vectors"),
        ([1.5], [1], 10, r"in \[0, 1\]"),
        ([float("nan")], [1], 10, r"in \[0, 1\]"),
        ([0.5], [0.5], 10, "0 or 1"),
        ([0.5], [1], 0, "bins must be at least 1, got 0"),
    ],
)
def test_refused(probabilities, outcomes, bins, message):
    with pytest.raises(ValueError, match=message):
        reliability(probabilities, outcomes, bins)
