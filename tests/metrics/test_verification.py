"""Metrics of pairs, against scikit-learn and SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from scipy.spatial.distance import cdist
from sklearn.metrics import roc_auc_score, roc_curve

from mtl_dm.metrics import identity_intervals, pair_distances, verification_scores
from mtl_dm.metrics.verification_folds import fold_accuracies
from mtl_dm.metrics.verification_roc import area, equal_error_rate, roc, true_accept_rate


def random_pairs(seed, count=400, levels=None):
    rng = np.random.default_rng(seed)
    same = rng.random(count) < 0.5
    distances = rng.normal(1.0 - 0.8 * same, 0.5)
    if levels:
        distances = np.round(distances * levels) / levels
    return distances, same, np.arange(count) % 10


CASES = [random_pairs(0), random_pairs(1, levels=4), random_pairs(2, count=40, levels=1)]


@pytest.mark.parametrize(("distances", "same", "folds"), CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_roc_equals_scikit_learn(distances, same, folds, weighted):
    weights = np.random.default_rng(3).integers(0, 4, len(same)) * 1.0 if weighted else None
    curve = roc(distances, same, weights)
    far, tar, threshold = roc_curve(
        same, -distances, sample_weight=weights, drop_intermediate=False
    )
    if not weighted:  # scikit-learn leaves out the distances of pairs without weight.
        np.testing.assert_allclose(curve.far, far)
        np.testing.assert_allclose(curve.tar, tar)
        np.testing.assert_allclose(curve.threshold, -threshold)
    np.testing.assert_allclose(area(curve), roc_auc_score(same, -distances, sample_weight=weights))
    expected = brentq(lambda x: 1.0 - x - interp1d(far, tar)(x), 0.0, 1.0)
    np.testing.assert_allclose(equal_error_rate(curve), expected, atol=1e-9)
    for rate in (0.0, 0.05, 0.1, 0.5, 1.0):
        assert true_accept_rate(curve, rate) == pytest.approx(tar[far <= rate + 1e-12].max())


@pytest.mark.parametrize(("distances", "same", "folds"), CASES)
def test_accuracy_equals_a_search_over_scikit_learns_thresholds(distances, same, folds):
    found = fold_accuracies(distances, same, folds)
    for fold, threshold, accuracy in zip(*found, strict=True):
        own, kinds = folds == fold, same[folds != fold]
        far, tar, _ = roc_curve(kinds, -distances[~own], drop_intermediate=False)
        best = (tar * kinds.sum() + (1 - far) * (~kinds).sum()).max()
        assert ((distances[~own] <= threshold) == kinds).sum() == pytest.approx(best)
        assert accuracy == pytest.approx(np.mean((distances[own] <= threshold) == same[own]))
    scores = verification_scores(distances, same, folds)
    assert scores["accuracy"] == pytest.approx(found.accuracy.mean())
    assert scores["accuracy_error"] == pytest.approx(found.accuracy.std(ddof=1) / np.sqrt(10))
    assert scores["auc"] == pytest.approx(roc_auc_score(same, -distances))


def test_a_threshold_has_not_seen_its_own_fold():
    distances, same, folds = random_pairs(4)
    changed = np.where(folds == 3, distances[::-1] * 7, distances)
    before, after = (fold_accuracies(each, same, folds) for each in (distances, changed))
    assert before.threshold[3] == after.threshold[3]
    assert (before.threshold != after.threshold).sum() > 0


def test_by_hand():
    # Fold 1 leaves 1 | 4 of fold 2: the cut is 2.5, at which 2 (same) and 3 (not) are right. Fold
    # 2 likewise, 1 and 4 at 2.5.
    found = fold_accuracies(
        np.array([2.0, 3.0, 1.0, 4.0]), np.array([True, False, True, False]), np.array([1, 1, 2, 2])
    )
    assert found.threshold.tolist() == [2.5, 2.5]
    assert found.accuracy.tolist() == [1.0, 1.0]


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 3), st.integers(1, 3)), min_size=6, max_size=12
    )
)
def test_weights_are_repetitions(rows):
    same, distances, weights = (np.array(each) for each in zip(*rows, strict=True))
    folds, distances = np.arange(len(rows)) % 2, distances * 1.0
    again = np.repeat(np.arange(len(rows)), weights)
    one, other = roc(distances, same, weights * 1.0), roc(distances[again], same[again])
    np.testing.assert_allclose(one.tar, other.tar)
    np.testing.assert_allclose(one.far, other.far)
    weighted = fold_accuracies(distances, same, folds, weights * 1.0)
    repeated = fold_accuracies(distances[again], same[again], folds[again])
    np.testing.assert_allclose(weighted.accuracy, repeated.accuracy)
    np.testing.assert_allclose(weighted.threshold, repeated.threshold)


def test_rates_too_small_for_the_pairs_are_not_stated():
    scores = verification_scores(*random_pairs(5, count=60))
    assert np.isnan(scores["tar_at_far_0.001"]) and np.isnan(scores["tar_at_far_0.01"])
    assert 0 < scores["tar_at_far_0.1"] < 1


@pytest.mark.parametrize("kind", ["cosine", "euclidean"])
def test_distances_are_those_of_all_pairs(kind):
    first, second = np.random.default_rng(6).normal(size=(2, 20, 5)).astype(np.float32)
    expected = np.diag(cdist(first.astype(float), second.astype(float), kind))
    np.testing.assert_allclose(pair_distances(first, second, kind), expected)


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (np.ones((2, 4)), r"got the shapes \(2, 4\) and \(2, 3\)"),
        (np.array([[1, 2, 3], [np.inf, 0, 0]]), "that of pair 1 is not"),
        (np.array([[0, 0, 0], [1, 0, 0]]), "pair 0 is all zeros"),
    ],
)
def test_embeddings_that_are_none(first, message):
    with pytest.raises(ValueError, match=message):
        pair_distances(first, np.ones((2, 3)))


def test_an_unknown_distance():
    with pytest.raises(ValueError, match=r"Unknown distance 'l1'. Known: cosine, euclidean"):
        pair_distances(np.ones((1, 2)), np.ones((1, 2)), "l1")


HALF = np.array([1, 0] * 4)


@pytest.mark.parametrize(
    ("distances", "same", "folds", "message"),
    [
        (np.ones(7), HALF, HALF, "equally long vectors"),
        (np.full(8, np.nan), HALF, HALF, "must be finite, got nan for pair 0"),
        (np.ones(8), HALF + 1, HALF, "same must be true or false"),
        (np.ones(8), HALF, np.ones(8), r"at least two folds, got \[1.0\]"),
        (np.ones(8), np.ones(8), HALF, "only pairs of one person"),
        (np.ones(8), np.zeros(8), HALF, "only pairs of two people"),
        (np.ones(8), HALF, HALF, "other than 0 are all of one kind"),
    ],
)
def test_pairs_that_cannot_be_scored(distances, same, folds, message):
    with pytest.raises(ValueError, match=message):
        verification_scores(distances, same, folds)


def people_and_pairs(people=24, images=4):
    """People on a line, images around them; pairs of one person and as many of two, two folds."""
    rng = np.random.default_rng(7)
    who = np.repeat(np.arange(people), images)
    place = 4 * rng.normal(size=people)[who] + rng.normal(size=len(who))
    one, other = np.triu_indices(len(who), 1)
    same = who[one] == who[other]
    two = rng.permutation(np.flatnonzero(~same & (who[one] % 2 == who[other] % 2)))[: same.sum()]
    kept = np.append(np.flatnonzero(same), two)
    one, other = one[kept], other[kept]
    distances = np.abs(place[one] - place[other])
    return distances, same[kept], who[one] % 2, (who[one], who[other])


def test_intervals_lie_around_the_scores_and_are_wider_than_those_of_independent_pairs():
    distances, same, folds, people = people_and_pairs()
    scores = verification_scores(distances, same, folds)
    found = identity_intervals(distances, same, folds, people, draws=60)
    assert set(found) == set(scores) - {"accuracy_error"}
    for name in ("accuracy", "auc", "eer", "tar_at_far_0.1"):
        low, high = found[name]
        assert 0 <= low < scores[name] < high <= 1
    assert np.isnan(found["tar_at_far_0.001"]).all()
    alone = identity_intervals(distances, same, folds, (np.arange(len(same)),) * 2, draws=60)
    assert np.ptp(found["auc"]) > 1.15 * np.ptp(alone["auc"])
    again = identity_intervals(distances, same, folds, people, draws=60)
    np.testing.assert_array_equal(list(again.values()), list(found.values()))


def standard_error_of_auc(distances, same):
    """DeLong, DeLong and Clarke-Pearson (1988): the variance of what each pair adds to the AUC."""
    closer = distances[same][:, None] < distances[~same][None, :]
    parts = [closer.mean(axis=axis) for axis in (1, 0)]
    return np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts))


def test_the_interval_of_pairs_that_share_nobody_is_delongs():
    # Products of weights alone would make what pairs of two people add three times as large.
    distances, same, folds = random_pairs(8, count=300)
    first = np.arange(len(same))
    people = (first, np.where(same, first, -1 - first))
    low, high = identity_intervals(distances, same, folds, people, draws=250)["auc"]
    expected = 2 * 1.96 * standard_error_of_auc(distances, same)
    assert high - low == pytest.approx(expected, rel=0.15)


def test_what_one_person_adds_is_not_told_apart_from_pair_to_pair():
    # Every pair there four times, of the same people: the interval of the pairs without copies.
    distances, same, folds = random_pairs(9, count=100)
    first = np.arange(len(same))
    arrays = (distances, same, folds, first, np.where(same, first, -1 - first))
    once = identity_intervals(*arrays[:3], arrays[3:], draws=100)
    copies = [np.tile(each, 4) for each in arrays]
    again = identity_intervals(*copies[:3], tuple(copies[3:]), draws=100)
    np.testing.assert_allclose(again["auc"], once["auc"])


def test_without_a_mistake_there_is_no_interval():
    _, same, folds, people = people_and_pairs(people=12)
    found = identity_intervals(np.where(same, 0.25, 0.75), same, folds, people, draws=20)
    assert np.isnan(list(found.values())).all()


def test_intervals_of_other_arrays():
    distances, same, folds, (first, _) = people_and_pairs(people=6)
    with pytest.raises(ValueError, match="people must be two vectors as long as"):
        identity_intervals(distances, same, folds, (first, first[1:]))
    with pytest.raises(ValueError, match="draws must be at least 2"):
        identity_intervals(distances, same, folds, (first, first), draws=1)
