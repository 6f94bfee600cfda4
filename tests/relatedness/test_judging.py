"""How far labels confirm a table: against a grid, SciPy and worlds whose table is known."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar

from mtl_dm.relatedness import (
    Estimator,
    Observations,
    Relatedness,
    confirmed_share,
    has_learned,
    learn,
    learn_judged,
)
from mtl_dm.relatedness.judging import (
    likeliest_share,
    per_label,
    pseudo_images,
    rates_of,
    reliability_of,
    share_log_likelihood,
    shrunk_to_rates,
)

K, M = 3, 4
TRUTH = np.array([[0.9, 0.1, 0.5, 0.2], [0.1, 0.9, 0.5, 0.3], [0.2, 0.2, 0.6, 0.9]])


def table(conditional, counts=None):
    names = tuple("abc"), tuple("wxyz")[: np.shape(conditional)[1]]
    return Relatedness(*names, conditional, conditional, "given", counts=counts)


def drawn(seed, images=40):
    """p, attribute labels with holes, a table away from 0 and 1."""
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random((images, M)) < 0.7, rng.integers(0, 2, (images, M)), -1.0)
    labels[0], labels[1] = 1.0, 0.0
    return rng.dirichlet(np.full(K, 0.4), images), labels, rng.uniform(0.05, 0.95, (K, M))


def world(images, seed=0, skill=4.0):
    """Images labelled for one task each, by a network that knows the classes fairly well."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, K, images)
    attributes = (rng.random((images, M)) < TRUTH[classes]).astype(float)
    scores = skill * np.eye(K)[classes] + rng.gumbel(size=(images, K))
    predicted = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    first = np.arange(images) < images // 2
    return Observations(
        predicted,
        np.full((images, M), 0.5),
        np.where(first, classes, -1),
        np.where(first[:, None], -1.0, attributes),
    )


WORLD = world(4000)


@pytest.mark.parametrize(("seed", "share"), [(0, 0.0), (1, 0.3), (2, 0.5), (3, 1.0)])
def test_log_likelihood_is_that_of_bernoullis(seed, share):
    p, labels, given_table = drawn(seed)
    rates = rates_of(labels)
    q = p @ (share * given_table + (1 - share) * rates)
    want = sum(
        stats.bernoulli.logpmf(int(labels[n, i]), q[n, i])
        for n, i in zip(*np.nonzero(labels >= 0), strict=True)
    )
    assert share_log_likelihood(share, p, labels, given_table, rates) == pytest.approx(want)


@pytest.mark.parametrize("seed", range(12))
def test_likeliest_share_is_the_highest_of_a_grid_and_of_scipy(seed):
    p, labels, given_table = drawn(seed)
    arguments = p, labels, given_table, rates_of(labels)
    got = likeliest_share(*arguments)
    grid = np.linspace(0.0, 1.0, 101)
    values = np.array([share_log_likelihood(share, *arguments) for share in grid])
    assert abs(got - grid[values.argmax()]) <= grid[1]
    assert share_log_likelihood(got, *arguments) >= values.max() - 1e-9
    found = minimize_scalar(
        lambda share: -share_log_likelihood(share, *arguments), bounds=(0, 1), method="bounded"
    )
    assert got == pytest.approx(found.x, abs=1e-4)
    # Concave: no value lies below the line between its neighbours.
    assert (np.diff(values, 2) <= 1e-9).all()


def test_a_rate_of_zero_or_one_is_no_obstacle():
    p, labels, given_table = drawn(3)
    labels[:, 0], labels[:, 1] = 0.0, 1.0
    got = likeliest_share(p, labels, given_table, rates_of(labels))
    alone = likeliest_share(p, labels[:, 2:], given_table[:, 2:], rates_of(labels)[2:])
    assert 0.0 <= got <= alone  # The table is wrong about both, the rates are right.


def test_rates_are_those_of_the_labels():
    labels = np.array([[1.0, -1.0], [0.0, -1.0], [1.0, -1.0], [-1.0, -1.0]])
    np.testing.assert_allclose(rates_of(labels), [2 / 3, 0.5])


def test_the_true_table_is_confirmed_and_a_permuted_one_is_not():
    true = table(TRUTH, np.full((K, M), 10_000))
    assert confirmed_share(WORLD, true) > 0.95
    # Every class has the row of another: the truth lies on the other side of the rates.
    assert confirmed_share(WORLD, table(TRUTH[[1, 2, 0]])) == 0.0
    assert confirmed_share(WORLD, table(TRUTH[[0, 2, 1]])) < 0.5  # Two classes of three swapped.


def test_the_share_is_known_exactly_in_the_limit():
    # Half of an infinite sample: P is halfway between the table and the rates.
    rates = TRUTH.mean(axis=0)
    half = 0.5 * TRUTH + 0.5 * rates
    n = 200
    labels = np.concatenate(
        [np.arange(n)[:, None] < np.round(n * half[c]) for c in range(K)]
    ).astype(float)
    p = np.repeat(np.eye(K), n, axis=0)
    assert likeliest_share(p, labels, TRUTH, rates) == pytest.approx(0.5, abs=0.01)


def test_images_classes_and_attributes_come_in_any_order():
    given_table = table(0.5 * TRUTH + 0.25)
    want = confirmed_share(WORLD, given_table)
    rng = np.random.default_rng(1)
    k, m, n = rng.permutation(K), rng.permutation(M), rng.permutation(len(WORLD.classes))
    labels = np.where(WORLD.class_labels < 0, -1, np.argsort(k)[WORLD.class_labels])
    seen = Observations(
        WORLD.classes[n][:, k], WORLD.attributes[n], labels[n], WORLD.attribute_labels[n][:, m]
    )
    other = given_table.restrict(
        [given_table.classes[c] for c in k], [given_table.attributes[i] for i in m]
    )
    assert confirmed_share(seen, other) == pytest.approx(want, abs=1e-8)


def test_an_attribute_without_labels_takes_no_part_and_keeps_its_column():
    labels = WORLD.attribute_labels.copy()
    labels[:, 1] = -1.0
    seen = WORLD._replace(attribute_labels=labels)
    one, other = TRUTH.copy(), TRUTH.copy()
    other[:, 1] = other[::-1, 1]
    assert confirmed_share(seen, table(one)) == confirmed_share(seen, table(other))
    for safe in (True, False):
        for confirmed, relied in ((0.8, 0.8), (0.2, 0.0)):  # 40 and 2.5 pseudo images.
            got = learn_judged(seen, table(one), confirmed, Estimator(safe=safe))
            np.testing.assert_allclose(
                got.relatedness.conditional[:, 1], table(one).likelihood[:, 1], rtol=1e-6
            )
            np.testing.assert_allclose(got.reliability[:, 1], relied)


def test_a_class_without_labels_is_judged_by_the_others():
    gone = WORLD.class_labels == 2
    seen = WORLD._replace(class_labels=np.where(gone, -1, WORLD.class_labels))
    assert confirmed_share(seen, table(TRUTH)) > 0.8
    got = learn_judged(seen, table(TRUTH), 0.9)
    assert np.isfinite(got.relatedness.conditional).all()
    assert (got.relatedness.prior > 0).all()


def test_images_of_predicted_classes_count_as_many_as_there_are_labels():
    predicted = np.tile([0.5, 0.25, 0.25], (8, 1))
    labels = np.array([0, -1, -1, -1, -1, -1, -1, 1])
    attributes = np.where(np.arange(8)[:, None] < 1, -1.0, 1.0) * np.ones((8, M))
    seen = Observations(predicted, np.full((8, M), 0.5), labels, attributes)
    # Six predicted images, and one that is labelled with both: 3, 1.5 + 1 and 1.5 images.
    np.testing.assert_allclose(per_label(seen), [3.0, 2.5, 1.5])
    few = WORLD._replace(class_labels=np.where(np.arange(4000) < 60, WORLD.class_labels, -1))
    wrong = table(TRUTH[[1, 2, 0]])
    tables = [learn_judged(each, wrong, 0.5).relatedness.conditional for each in (WORLD, few)]
    far = [np.abs(each - wrong.conditional).mean() for each in tables]
    assert far[1] < 0.7 * far[0]


def test_strength_of_a_table():
    np.testing.assert_allclose(pseudo_images(0.5), 10.0)
    np.testing.assert_allclose(pseudo_images(0.75), 30.0)
    np.testing.assert_allclose(pseudo_images(1.0), 10_000.0)
    assert pseudo_images(0.0) == 0.0
    np.testing.assert_allclose(pseudo_images(0.75, np.array([[4, 31]])), [[4, 30]])


def test_shrunk_and_relied_on_by_hand():
    # 3 of 4 images, 2 of the table at 0.5, 4 at the rate 0.25: (3 + 1 + 1) / 10.
    got, divisor = shrunk_to_rates(
        np.array([[3.0]]), np.array([[4.0]]), np.array([[0.5]]), np.array([[2.0]]),
        np.array([0.25]), 4.0,
    )  # fmt: skip
    assert (got.item(), divisor.item()) == (0.5, 10.0)
    np.testing.assert_allclose(reliability_of(np.array([4.9, 5.0, 15.0]), 5.0), [0, 0.5, 0.75])


def test_a_wrong_table_is_replaced_by_what_labels_say_and_a_right_one_kept():
    wrong, right = table(TRUTH[[1, 2, 0]]), table(TRUTH, np.full((K, M), 1000))
    for safe in (True, False):
        settings = Estimator(safe=safe)
        learned = learn_judged(WORLD, wrong, confirmed_share(WORLD, wrong), settings)
        assert np.abs(learned.relatedness.conditional - TRUTH).mean() < 0.08
        kept = learn_judged(WORLD, right, 1.0, settings)
        assert np.abs(kept.relatedness.conditional - TRUTH).mean() < 0.04
        assert (kept.reliability <= 1.0).all() and (kept.reliability > 0.5).all()
    np.testing.assert_array_equal(kept.reliability, 1.0)  # Of the variant that is not safe.


def test_without_safety_it_is_learning_with_the_strength_of_the_share():
    # As many images of each class are labelled as predicted.
    seen = Observations(*(each[:3000] for each in WORLD))
    given_table = table(TRUTH[[1, 2, 0]])
    got = learn_judged(seen, given_table, 0.5, Estimator(safe=False)).relatedness
    want = learn(seen, given_table, Estimator(strength=10.0))
    np.testing.assert_allclose(got.conditional, want.conditional, rtol=1e-6)
    np.testing.assert_allclose(got.counts, want.counts, rtol=1e-6)
    np.testing.assert_array_equal(got.prior, want.prior)


def test_attributes_that_know_no_class_are_relied_on_least():
    flat = np.tile([0.5, 0.9, 0.5, 0.1], (K, 1))
    flat[:, 1] = TRUTH[:, 1]
    rng = np.random.default_rng(2)
    classes = WORLD.classes.argmax(axis=1)
    labels = np.where(
        WORLD.attribute_labels < 0, -1.0, rng.random(WORLD.attribute_labels.shape) < flat[classes]
    )
    nothing = WORLD._replace(
        attribute_labels=np.where(labels < 0, labels, rng.random(labels.shape) < 0.5)
    )
    given_table = table(TRUTH[[1, 2, 0]])
    safe = Estimator(safe=True)
    some = learn_judged(WORLD._replace(attribute_labels=labels), given_table, 0.0, safe).reliability
    none = learn_judged(nothing, given_table, 0.0, safe).reliability
    assert none.max() < some.min()


def test_what_has_learned_nothing_is_told():
    assert has_learned(WORLD)
    shares = np.bincount(WORLD.class_labels[WORLD.class_labels >= 0]) / (len(WORLD.classes) // 2)
    blank = np.tile(shares, (len(WORLD.classes), 1))
    assert not has_learned(WORLD._replace(classes=blank))
    wrong = WORLD._replace(classes=WORLD.classes[:, [1, 2, 0]])
    assert not has_learned(wrong)


def test_bad_observations_are_refused():
    with pytest.raises(ValueError, match="needs class labels and attribute labels"):
        confirmed_share(WORLD._replace(class_labels=np.full(4000, -1)), table(TRUTH))
    with pytest.raises(ValueError, match=r"attributes must have the shape \(4000, 3\)"):
        learn_judged(WORLD, table(TRUTH[:, :3]), 0.5)
