"""Shrinkage, against SciPy's beta-binomial distribution and by hand."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom

from mtl_dm.relatedness import Relatedness, estimate, facs, from_annotations, shrink
from mtl_dm.relatedness.shrinkage import STRENGTHS, log_evidence

CLASSES, ATTRIBUTES = ("a", "b", "c"), ("x", "y", "z", "w")
NAMES = {"classes": CLASSES, "attributes": ATTRIBUTES}
K, M = 3, 4


def table(seed=0, classes=CLASSES, attributes=ATTRIBUTES):
    conditional = np.random.default_rng(seed).random((len(classes), len(attributes)))
    return Relatedness(classes, attributes, conditional, conditional, "a table")


def counted(seed=0, highest=12, toward=None):
    """0 to `highest` images a pair; of each attribute's pairs at least one was counted."""
    rng = np.random.default_rng(seed)
    n = rng.integers(0, highest + 1, (K, M))
    n[0] = np.maximum(n[0], 2)
    rate = rng.random((K, M)) if toward is None else toward
    p = rng.binomial(n, rate) / np.maximum(n, 1)
    return Relatedness(CLASSES, ATTRIBUTES, p, p, "Counted.", rng.dirichlet(np.ones(K)), n)


def annotations(seed=0, rows=80):
    rng = np.random.default_rng(seed)
    classes, labels = rng.integers(-1, K, rows), rng.integers(-1, 2, (rows, M))
    classes[:K], labels[:K] = np.arange(K), 1
    return classes, labels


def by_hand(n, p, p0, s):
    return (n * p + s * p0) / (n + s)


def test_by_hand():
    # a / x: 3 of 4, P0 = 0.9 * 1 + 0.05 = 0.95, s = 4: (3 + 3.8) / 8 = 0.85.
    # a / y: 0 of 1, P0 = 0.05: (0 + 0.2) / 5 = 0.04. b / x: no image: P0 = 0.05.
    # b / y: 2 of 2, P0 = 0.95: (2 + 3.8) / 6 = 29/30.
    p = [[0.75, 0.0], [0.0, 1.0]]
    one = Relatedness(("a", "b"), ("x", "y"), p, p, "Counted.", [0.7, 0.3], [[4, 1], [0, 2]])
    hint = Relatedness(("a", "b"), ("x", "y"), np.eye(2), np.eye(2), "Either or, 2020.")
    got = shrink(one, hint, 4.0)
    np.testing.assert_allclose(got.conditional, [[0.85, 0.04], [0.05, 29 / 30]], rtol=1e-6)
    np.testing.assert_array_equal(got.weights, got.conditional)
    np.testing.assert_array_equal(got.counts, [[8, 5], [4, 6]])
    np.testing.assert_array_equal(got.prior, one.prior)
    assert got.citation == (
        "Counted. Shrunk as by 4 images a pair (given) toward [Either or, 2020.]."
    )
    # Laplace's rule on what is known now: (8 * 0.85 + 1) / 10.
    assert got.likelihood[0, 0] == pytest.approx(0.78)


def test_without_a_table_the_attributes_rate_by_hand():
    # x: 3 of 4 and 1 of 2, so (4 + 1) / (6 + 2) = 5/8; s = 2: (3 + 5/4) / 6 and (1 + 5/4) / 4.
    p = [[0.75], [0.5]]
    one = Relatedness(("a", "b"), ("x",), p, p, "Counted.", None, [[4], [2]])
    got = shrink(one, strength=2)
    np.testing.assert_allclose(got.conditional, [[17 / 24], [9 / 16]], rtol=1e-6)
    assert "toward the attributes' rates over all classes." in got.citation
    assert got.prior is None


def test_labels_that_the_table_does_not_name_take_the_rate():
    one = counted()
    hint = table(1, ("c", "other", "a"), ("w", "x", "q"))
    got = shrink(one, hint, 5.0)
    n, p = one.counts.astype(float), one.conditional
    rate = ((n * p).sum(0) + 1) / (n.sum(0) + 2)
    expected = np.tile(rate, (K, 1))
    for k, i in ((0, 0), (0, 3), (2, 0), (2, 3)):
        row, column = hint.classes.index(CLASSES[k]), hint.attributes.index(ATTRIBUTES[i])
        expected[k, i] = hint.likelihood[row, column]
    np.testing.assert_allclose(got.conditional, by_hand(n, p, expected, 5.0), rtol=1e-5)
    assert "8 of 12 pairs that it lacks" in got.citation


def test_toward_a_counted_table_uses_its_likelihood():
    one, hint = counted(), counted(1)
    got = shrink(one, hint, 3.0)
    want = by_hand(one.counts.astype(float), one.conditional, hint.likelihood, 3.0)
    np.testing.assert_allclose(got.conditional, want, rtol=1e-5)


# --- properties ----------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.floats(0, 1e6))
def test_lies_between_the_counts_and_the_table(seed, strength):
    one, hint = counted(seed), table(seed)
    got = shrink(one, hint, strength).conditional
    has = one.counts > 0
    ends = np.stack([np.where(has, one.conditional, hint.likelihood), hint.likelihood])
    assert (got >= ends.min(axis=0) - 1e-6).all()
    assert (got <= ends.max(axis=0) + 1e-6).all()


@pytest.mark.parametrize("seed", range(3))
def test_limits_of_the_strength(seed):
    one, hint = counted(seed), table(seed)
    has = one.counts > 0
    assert seed or not has.all()
    for strength in (0.0, 1e-7):
        got = shrink(one, hint, strength)
        np.testing.assert_allclose(got.conditional[has], one.conditional[has], atol=1e-6)
        np.testing.assert_allclose(got.conditional[~has], hint.likelihood[~has], atol=1e-6)
        np.testing.assert_allclose(got.counts, one.counts, atol=1e-6)
    got = shrink(one, hint, 1e9)
    np.testing.assert_allclose(got.conditional, hint.likelihood, atol=1e-6)


@pytest.mark.parametrize("strength", [None, 2.0])
@given(seed=st.integers(0, 2**32 - 1))
def test_labels_come_in_any_order(strength, seed):
    one, hint = counted(seed), table(seed)
    rng = np.random.default_rng(seed)
    k, i = rng.permutation(CLASSES).tolist(), rng.permutation(ATTRIBUTES).tolist()
    got = shrink(one.restrict(k, i), hint.restrict(k[::-1], i[::-1]), strength)
    want = shrink(one, hint, strength).restrict(k, i)
    np.testing.assert_allclose(got.conditional, want.conditional, rtol=1e-4)
    np.testing.assert_allclose(got.counts, want.counts, rtol=1e-3)


# --- the chosen strength -------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 1e4))
def test_evidence_is_that_of_scipys_beta_binomial(seed, strength):
    # SciPy counts sets of images, this module sequences: the binomial coefficients make the
    # difference, the same for every strength.
    one, p0 = counted(seed), np.random.default_rng(seed).uniform(0.05, 0.95, (K, M))
    n = one.counts.astype(int)
    active = np.rint(n * one.conditional).astype(int)
    got, reference = (
        log_evidence(active, n, p0, strength) - log_evidence(active, n, p0, 1.0),
        betabinom.logpmf(active, n, strength * p0, strength * (1 - p0)).sum()
        - betabinom.logpmf(active, n, p0, 1 - p0).sum(),
    )
    assert got == pytest.approx(reference, rel=1e-6, abs=1e-6)


def test_evidence_without_an_image_is_0():
    assert log_evidence(np.zeros((K, M)), np.zeros((K, M)), np.full((K, M), 0.3), 7.0) == 0.0


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("highest", [3, 30])
def test_the_chosen_strength_is_the_best_of_a_grid(seed, highest):
    hint = table(seed)
    one = counted(seed, highest, hint.likelihood if seed % 2 else None)
    got = shrink(one, hint)
    strength = float(np.median(got.counts - one.counts))
    n = one.counts.astype(int)
    active = np.rint(n * one.conditional).astype(int)

    def evidence(s):
        p0 = hint.likelihood.astype(float)
        return betabinom.logpmf(active, n, s * p0, s * (1 - p0)).sum()

    grid = np.geomspace(*STRENGTHS, 2000)
    assert evidence(strength) >= max(evidence(s) for s in grid) - 1e-4
    assert STRENGTHS[0] <= strength <= STRENGTHS[1]
    said = re.search(r"as by (\S+) images a pair \(chosen by marginal likelihood\)", got.citation)
    assert float(said[1]) == pytest.approx(strength, rel=1e-3)
    np.testing.assert_allclose(got.conditional, shrink(one, hint, strength).conditional, rtol=1e-3)


def test_a_true_table_is_trusted_and_a_wrong_one_is_not():
    # Many pairs with 10 images: of the table itself, and of its complement.
    rng = np.random.default_rng(0)
    names = tuple("abcdefgh"), tuple(f"a{i}" for i in range(20))
    truth = rng.choice([0.05, 0.95], (8, 20))
    hint = Relatedness(*names, np.round(truth), np.round(truth), "0 or 1")
    strengths = []
    for rate in (truth, 1 - truth):
        p = rng.binomial(10, rate) / 10
        one = Relatedness(*names, p, p, "Counted.", None, np.full((8, 20), 10))
        strengths.append(float((shrink(one, hint).counts - one.counts).mean()))
    assert strengths[0] > 100
    assert strengths[1] < 1


def test_shrinkage_comes_nearer_to_the_truth_than_counts_or_table():
    # A table that is roughly right and 3 images a pair: the mean squared error is below both.
    rng = np.random.default_rng(0)
    names = tuple("abcdefgh"), tuple(f"a{i}" for i in range(40))
    truth = rng.beta(1, 1, (8, 40))
    rough = np.clip(truth + rng.normal(0, 0.15, truth.shape), 0, 1)
    hint = Relatedness(*names, rough, rough, "rough")
    p = rng.binomial(3, truth) / 3
    one = Relatedness(*names, p, p, "Counted.", None, np.full(truth.shape, 3))
    errors = [
        np.mean((each - truth) ** 2)
        for each in (shrink(one, hint).conditional, one.conditional, hint.likelihood)
    ]
    assert errors[0] < min(errors[1:])


# --- estimates with holes ------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [None, 0.0, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_without_holes_an_estimate_is_shrunk_counts(seed, strength):
    classes, labels = annotations(seed)
    got = estimate(classes, labels, **NAMES, toward=table(), strength=strength)
    assert got == shrink(from_annotations(classes, labels, **NAMES), table(), strength)


def test_holes_take_the_table():
    # Class c has no attribute at all, b / y is missing.
    classes = np.array([0, 0, 1, 1, 2, 0])
    labels = np.array([[1, 1, 0], [1, 0, 1], [0, -1, 1], [0, -1, 0], [-1, -1, -1], [-1, -1, -1]])
    names = {"classes": CLASSES, "attributes": ("x", "y", "z")}
    hint = table(0, attributes=("z", "y", "x"))
    with pytest.raises(ValueError, match="annotated together with every attribute"):
        from_annotations(classes, labels, **names)
    got = estimate(classes, labels, **names, toward=hint, strength=2.0)
    p0 = hint.restrict(attributes=("x", "y", "z")).likelihood
    np.testing.assert_allclose(got.conditional[2], p0[2], rtol=1e-6)
    assert got.conditional[1, 1] == pytest.approx(p0[1, 1])
    assert got.conditional[0, 0] == pytest.approx((2 + 2 * p0[0, 0]) / 4)
    np.testing.assert_array_equal(got.counts, [[4, 4, 4], [4, 2, 4], [2, 2, 2]])
    # Images without attributes count in the prior.
    np.testing.assert_allclose(got.prior, [3 / 6, 2 / 6, 1 / 6])
    assert got.citation.startswith("Counted on 4 annotated images. Shrunk as by 2 images")


def test_a_class_without_an_image_gets_a_prior_too():
    # 3 and 1 images and none: (3 + 1, 1 + 1, 0 + 1) / (4 + 3).
    labels = np.ones((4, M))
    got = estimate([0, 0, 0, 1], labels, **NAMES, toward=table(), strength=1.0)
    np.testing.assert_allclose(got.prior, [4 / 7, 2 / 7, 1 / 7], rtol=1e-6)
    np.testing.assert_allclose(got.conditional[2], table().likelihood[2], rtol=1e-6)


def test_no_image_at_all_leaves_the_table():
    got = estimate(np.zeros(0, int), np.zeros((0, M)), **NAMES, toward=table(), strength=4.0)
    np.testing.assert_allclose(got.conditional, table().likelihood, rtol=1e-6)
    np.testing.assert_allclose(got.prior, np.full(K, 1 / K), rtol=1e-6)


def test_without_a_table_a_hole_takes_the_rate():
    # x is active on 1 of 2 images of a: (1 + 1) / (2 + 2).
    got = estimate([0, 0], [[1], [0]], classes=("a", "b"), attributes=("x",), strength=1.0)
    np.testing.assert_allclose(got.conditional, [[0.5], [0.5]])


def test_a_published_table_helps_out():
    rng = np.random.default_rng(0)
    table_of_faces = facs()
    classes = rng.integers(0, 7, 40)
    labels = (rng.random((40, 17)) < table_of_faces.likelihood[classes]).astype(int)
    labels[rng.random(labels.shape) < 0.5] = -1
    got = estimate(
        classes,
        labels,
        classes=table_of_faces.classes,
        attributes=table_of_faces.attributes,
        toward=table_of_faces,
    )
    assert table_of_faces.citation in got.citation
    assert np.abs(got.conditional - table_of_faces.likelihood).max() < 0.3


# --- bad input -----------------------------------------------------------------------------------


def test_a_table_that_was_not_counted_is_refused():
    with pytest.raises(ValueError, match="this one has no counts"):
        shrink(facs(), facs())


@pytest.mark.parametrize("strength", [-1.0, float("nan"), float("inf"), -1e-9])
def test_bad_strengths(strength):
    with pytest.raises(ValueError, match="strength must be finite and >= 0, got"):
        shrink(counted(), table(), strength)


@pytest.mark.parametrize(
    "toward", [facs(), table(0, classes=("d", "e")), table(0, attributes=("u",))]
)
def test_a_table_about_something_else_is_refused(toward):
    with pytest.raises(ValueError, match="`toward` names none of the classes"):
        shrink(counted(), toward, 1.0)


@pytest.mark.parametrize("toward", [None, table(0, attributes=("x", "z", "w"))])
def test_an_attribute_that_nothing_is_known_of_is_named(toward):
    labels = np.ones((6, M))
    labels[:, 1] = -1
    with pytest.raises(ValueError, match=r"attributes \['y'\] are annotated with no class"):
        estimate([0, 1, 2] * 2, labels, **NAMES, toward=toward, strength=1.0)


@pytest.mark.parametrize("rows", [0, K])
def test_single_images_choose_no_strength(rows):
    # One image of a pair has probability P0 under every strength.
    with pytest.raises(ValueError, match="on two images or more; give `strength`"):
        estimate(np.arange(K)[:rows], np.ones((rows, M)), **NAMES, toward=table())


def test_bad_arrays_are_refused_as_by_from_annotations():
    with pytest.raises(ValueError, match="class_labels must be integers"):
        estimate([0.5], np.ones((1, M)), **NAMES)
    with pytest.raises(ValueError, match=r"attribute_labels must be \(1, 4\)"):
        estimate([0], np.ones((1, M + 1)), **NAMES)
