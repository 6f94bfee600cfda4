"""Relatedness learned without co-annotated images, against loops and against a known mixture."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm.relatedness import (
    Estimator,
    Observations,
    Relatedness,
    drifted,
    explained,
    from_annotations,
    learn,
    marginal,
)

K, M = 3, 4
CLASSES, ATTRIBUTES = tuple("abc"), tuple("wxyz")
ESTIMATORS = (
    Estimator(),
    Estimator(rounds=0),
    Estimator(rounds=2, temperature=1.0, strength=0.0, predicted=0.0, gate=0.0),
    Estimator(rounds=3, temperature=4.0, strength=5.0, predicted=100.0, gate=0.8),
)
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS)


def table(conditional, prior=None, counts=None, classes=CLASSES, attributes=ATTRIBUTES):
    return Relatedness(classes, attributes, conditional, conditional, "a start", prior, counts)


def draw(seed, images=40):
    """Labels of one task, of both, of none, of some attributes; a class may have no label."""
    rng = np.random.default_rng(seed)
    class_labels = np.where(rng.random(images) < 0.5, rng.integers(0, K, images), -1)
    attribute_labels = np.where(
        rng.random((images, M)) < 0.5, rng.integers(0, 2, (images, M)), -1
    ).astype(float)
    class_labels[0], attribute_labels[0, 0] = 0, 1.0
    seen = Observations(
        rng.dirichlet(np.full(K, 0.4), images),
        rng.random((images, M)),
        class_labels,
        attribute_labels,
    )
    return seen, table(rng.random((K, M)))


def slow(seen, start, settings):
    """The docstring's equations, one image, class and attribute at a time."""
    images = range(len(seen.class_labels))
    base = start.likelihood.astype(np.float64)

    def m_step(r, whole):
        conditional, divisors = np.zeros((K, M)), np.zeros((K, M))
        for c in range(K):
            for i in range(M):
                top, bottom = settings.strength * base[c, i], settings.strength
                for n in images:
                    if seen.attribute_labels[n, i] >= 0 and max(r[n]) >= settings.gate:
                        top += r[n][c] * seen.attribute_labels[n, i]
                        bottom += r[n][c]
                lacking = [
                    n
                    for n in images
                    if seen.class_labels[n] == c and seen.attribute_labels[n, i] < 0
                ]
                w = 1.0
                if lacking and not whole:
                    w = min(1.0, settings.predicted / len(lacking))
                top += w * sum(seen.attributes[n, i] for n in lacking)
                bottom += w * len(lacking)
                conditional[c, i] = top / bottom if bottom > 0 else base[c, i]
                divisors[c, i] = bottom
        return conditional, divisors

    known = {n: seen.class_labels[n] for n in images if seen.class_labels[n] >= 0}
    r = [[float(known.get(n) == c) for c in range(K)] for n in images]
    conditional, divisors = m_step(r, whole=True)
    for _ in range(settings.rounds):
        for n in images:
            if n in known:
                continue
            scores = []
            for c in range(K):
                evidence = 0.0
                for i in range(M):
                    p, a = np.clip(conditional[c, i], 0.02, 0.98), seen.attribute_labels[n, i]
                    if a >= 0:
                        evidence += a * math.log(p) + (1 - a) * math.log(1 - p)
                scores.append(seen.classes[n, c] * math.exp(evidence / settings.temperature))
            r[n] = [score / sum(scores) for score in scores]
        conditional, divisors = m_step(r, whole=False)
    return conditional, divisors


@every_estimator
@given(seed=st.integers(0, 10_000))
def test_equals_the_loops(estimator, seed):
    seen, start = draw(seed)
    got = learn(seen, start, estimator)
    conditional, divisors = slow(seen, start, estimator)
    np.testing.assert_allclose(got.conditional, conditional, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got.counts, divisors, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(got.weights, got.conditional)
    images = np.bincount(seen.class_labels[seen.class_labels >= 0], minlength=K)
    images = images if images.all() else images + 1
    np.testing.assert_allclose(got.prior, images / images.sum(), rtol=1e-6)
    assert (got.classes, got.attributes) == (CLASSES, ATTRIBUTES)
    assert "predictions of 40 images, starting from: a start" in got.citation


@given(seed=st.integers(0, 10_000))
def test_images_classes_and_attributes_come_in_any_order(seed):
    seen, start = draw(seed)
    rng = np.random.default_rng(seed)
    n, k, m = rng.permutation(len(seen.class_labels)), rng.permutation(K), rng.permutation(M)
    places = np.append(np.argsort(k), -1)  # where a class has gone; -1 stays missing
    moved = Observations(
        seen.classes[n][:, k],
        seen.attributes[n][:, m],
        places[seen.class_labels[n]],
        seen.attribute_labels[n][:, m],
    )
    names = [CLASSES[i] for i in k], [ATTRIBUTES[i] for i in m]
    got, want = learn(moved, start.restrict(*names)), learn(seen, start).restrict(*names)
    for field in ("conditional", "counts", "prior"):
        np.testing.assert_allclose(getattr(got, field), getattr(want, field), rtol=1e-4, atol=1e-6)


def co_annotated(images=60):
    rng = np.random.default_rng(3)
    class_labels = np.append(np.arange(K), rng.integers(0, K, images - K))
    labels = rng.integers(0, 2, (images, M)).astype(float)
    # What the model says must not matter.
    return Observations(
        rng.dirichlet(np.ones(K), images), rng.random((images, M)), class_labels, labels
    )


def counted(seen):
    return from_annotations(
        seen.class_labels, seen.attribute_labels, classes=CLASSES, attributes=ATTRIBUTES
    )


def test_everything_co_annotated_gives_the_counted_table():
    seen = co_annotated()
    got = learn(seen, table(np.full((K, M), 0.9)), Estimator(strength=0.0))
    want = counted(seen)
    for field in ("conditional", "counts", "prior", "likelihood"):
        np.testing.assert_allclose(getattr(got, field), getattr(want, field), rtol=1e-6)


def test_strength_is_pseudo_images_of_the_start():
    seen, start = co_annotated(), table(np.random.default_rng(0).random((K, M)))
    want = counted(seen)
    got = learn(seen, start, Estimator(strength=7.0))
    mixed = want.counts * want.conditional + 7.0 * start.likelihood
    np.testing.assert_allclose(got.conditional, mixed / (want.counts + 7.0), rtol=1e-5)
    endless = learn(seen, start, Estimator(strength=1e9))
    np.testing.assert_allclose(endless.conditional, start.likelihood, rtol=1e-5)


def test_a_class_that_nothing_is_known_of_stays_where_it_started():
    seen = co_annotated()
    kept = seen.class_labels != 2
    seen = Observations(*(part[kept] for part in seen))
    start = table(np.random.default_rng(0).random((K, M)))
    got = learn(seen, start, Estimator(strength=0.0))
    np.testing.assert_allclose(got.conditional[2], start.likelihood[2], rtol=1e-6)
    assert (got.counts[2] == 0).all()
    assert got.prior[2] > 0


def disjoint(seed=0, images=4000, sharp=2.0, agreement=1.0):
    """Labels of one task each, from a known mixture, and what a model predicts of both tasks.

    It sees the class alone, in noise, and reports its posterior: calibrated. Its attributes are
    what that posterior implies, drawn towards the frequencies where `agreement` is below 1.
    """
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.05, 0.95, (K, M))
    share = np.array([0.5, 0.3, 0.2])
    classes = rng.choice(K, images, p=share)
    attributes = (rng.random((images, M)) < truth[classes]).astype(float)
    view = sharp * np.eye(K)[classes] + rng.normal(size=(images, K))
    p_class = share * np.exp(sharp * view)
    p_class /= p_class.sum(axis=1, keepdims=True)
    p_attribute = p_class @ (agreement * truth + (1 - agreement) * share @ truth)
    with_class = rng.random(images) < 0.3
    return truth, Observations(
        p_class,
        p_attribute,
        np.where(with_class, classes, -1),
        np.where(with_class[:, None], -1.0, attributes),
    )


def class_averages(seen):
    """P(attribute | class) as the model's predictions of images with a class say."""
    rows = [seen.attributes[seen.class_labels == k].mean(axis=0) for k in range(K)]
    return np.array(rows)


def know_nothing(seen):
    return marginal(
        seen.class_labels, seen.attribute_labels, classes=CLASSES, attributes=ATTRIBUTES
    )


# 1: predictions are calibrated; 0.3: they know the classes badly, as a young model's do.
@pytest.mark.parametrize(("agreement", "part"), [(1.0, 0.9), (0.3, 0.7)])
@pytest.mark.parametrize("seed", range(4))
def test_gets_closer_to_the_truth_than_frequencies_and_averages(seed, agreement, part):
    truth, seen = disjoint(seed, sharp=1.0, agreement=agreement)
    start = know_nothing(seen)

    def error(conditional):
        return np.abs(conditional - truth).mean()

    got = error(learn(seen, start).conditional)
    assert got < 0.5 * error(start.conditional)
    assert got < part * error(class_averages(seen))


def test_more_rounds_than_the_first_help():
    truth, seen = disjoint(agreement=0.3)
    start = know_nothing(seen)
    first, last = (
        np.abs(learn(seen, start, Estimator(rounds=rounds)).conditional - truth).mean()
        for rounds in (0, 5)
    )
    assert last < first


def test_gate_leaves_images_out_that_the_model_is_unsure_of():
    start = table(np.full((2, 1), 0.5), classes=("a", "b"), attributes=("x",))
    seen = Observations(
        np.array([[0.55, 0.45], [0.99, 0.01], [0.5, 0.5]]),
        np.full((3, 1), 0.5),
        np.array([-1, -1, 1]),
        np.array([[0.0], [1.0], [1.0]]),
    )
    settings = Estimator(rounds=1, strength=0.0, predicted=0.0, gate=0.9)
    # Image 0 is below the gate, so class a is image 1 alone; nothing but 1% of it is of class b.
    got = learn(seen, start, settings)
    assert got.conditional[:, 0].tolist() == pytest.approx([1.0, 1.0])
    assert got.counts[1, 0] == pytest.approx(1.0, abs=0.05)
    open_gate = learn(seen, start, dataclasses.replace(settings, gate=0.0))
    assert open_gate.conditional[0, 0] < 0.9


@pytest.mark.parametrize(("predicted", "want"), [(0.0, 0.5), (2.0, 0.75), (1000.0, 1.0)])
def test_predicted_attributes_count_as_few_images(predicted, want):
    # 1000 images of class a without attribute labels, for which the model is sure of the
    # attribute; two images that it takes for class a, one of them with the attribute.
    images = 1002
    classes = np.tile([1.0, 0.0], (images, 1))
    class_labels = np.zeros(images, np.int64)
    class_labels[-2:] = -1
    attribute_labels = np.full((images, 1), -1.0)
    attribute_labels[-2:, 0] = 0, 1
    seen = Observations(classes, np.ones((images, 1)), class_labels, attribute_labels)
    start = table(np.full((2, 1), 0.5), classes=("a", "b"), attributes=("x",))
    got = learn(seen, start, Estimator(strength=0.0, predicted=predicted))
    # (1 + w 1000) / (2 + w 1000) with w 1000 = predicted.
    assert got.conditional[0, 0] == pytest.approx(want, abs=2e-3)
    assert got.counts[0, 0] == pytest.approx(2 + predicted, rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": np.full((40, K + 1), 0.1)}, r"classes must have the shape \(40, 3\)"),
        ({"attributes": np.full((39, M), 0.1)}, r"attributes must have the shape \(40, 4\)"),
        ({"attribute_labels": np.zeros((40, 1))}, r"attribute_labels must have the shape"),
        ({"class_labels": np.zeros(41, int)}, r"must have the shape \(41, 3\), got \(40, 3\)"),
        ({"class_labels": np.zeros(40)}, r"class_labels must be integers of shape \[N\]"),
        ({"class_labels": np.zeros((40, 1), int)}, r"class_labels must be integers of shape"),
        ({"class_labels": np.full(40, K)}, r"lie in \[-1, 2\], got 3 in row 0"),
        ({"classes": np.full((40, K), 1.5)}, "classes must be probabilities"),
        ({"classes": np.full((40, K), np.nan)}, "classes must be probabilities"),
        ({"attributes": np.full((40, M), -0.1)}, "attributes must be probabilities"),
        ({"attribute_labels": np.full((40, M), 2.0)}, "at most 1, got 2.0"),
        ({"attribute_labels": np.full((40, M), -1.0)}, "needs class labels and attribute"),
        ({"attribute_labels": np.full((40, M), np.nan)}, "needs class labels and attribute"),
        ({"class_labels": np.full(40, -1)}, "needs class labels and attribute labels"),
    ],
)
def test_refuses(changes, message):
    seen, start = draw(0)
    with pytest.raises(ValueError, match=message):
        learn(seen._replace(**changes), start)


def test_missing_labels_may_be_nan():
    seen, start = draw(0)
    labels = np.where(seen.attribute_labels < 0, np.nan, seen.attribute_labels)
    assert learn(seen._replace(attribute_labels=labels), start) == learn(seen, start)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rounds": -1}, "rounds must be finite and >= 0, got -1"),
        ({"rounds": 1.5}, "rounds must be a whole number, got 1.5"),
        ({"temperature": 0.0}, "temperature must be > 0 and gate below 1, got 0.0 and 0.5"),
        ({"temperature": float("nan")}, "temperature must be finite"),
        ({"strength": -1.0}, "strength must be finite and >= 0"),
        ({"predicted": float("inf")}, "predicted must be finite"),
        ({"gate": 1.0}, "gate below 1, got 2.0 and 1.0"),
        ({"gate": -0.1}, "gate must be finite and >= 0"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        Estimator(**settings)


class TestMarginal:
    labels = np.array([[1.0, -1.0], [0.0, 1.0], [1.0, -1.0], [1.0, 0.0]])

    def test_by_hand(self):
        got = marginal(
            np.array([0, 0, 0, -1, 1]), self.labels, classes=("a", "b"), attributes=("x", "y")
        )
        # x is active on 3 of 4 images, y on 1 of 2; three images of class a, one of b.
        np.testing.assert_allclose(got.conditional, [[0.75, 0.5]] * 2)
        np.testing.assert_array_equal(got.weights, got.conditional)
        np.testing.assert_array_equal(got.counts, [[4, 2]] * 2)
        np.testing.assert_allclose(got.prior, [0.75, 0.25])

    def test_a_class_without_an_image_keeps_a_prior(self):
        got = marginal(np.array([0]), self.labels, classes=("a", "b"), attributes=("x", "y"))
        np.testing.assert_allclose(got.prior, [2 / 3, 1 / 3])

    def test_an_attribute_without_a_label_is_named(self):
        labels = np.where([[True, False]], self.labels, -1.0)
        with pytest.raises(ValueError, match=r"No image is labelled for \['y'\]"):
            marginal(np.array([0]), labels, classes=("a", "b"), attributes=("x", "y"))


class TestDrift:
    def test_explained_by_hand(self):
        known = table(
            [[0.8, 0.5], [0.2, 0.5]], prior=[0.25, 0.75], classes=("a", "b"), attributes=("x", "y")
        )
        seen = Observations(
            np.full((2, 2), 0.5), np.array([[1.0, 0.3], [0.0, 0.0]]), np.array([0, -1]),
            np.full((2, 2), -1.0),
        )  # fmt: skip
        # Image 1 has no class label. P as a likelihood: 0.9 * 0.8 + 0.05 = 0.77 and 0.23; y tells
        # nothing. The evidence is tempered by 2, the prior is not.
        a, b = 0.25 * 0.77**0.5, 0.75 * 0.23**0.5
        np.testing.assert_allclose(explained(seen, known), [np.log(a / (a + b))], rtol=1e-6)
        uniform = dataclasses.replace(known, prior=None)
        a, b = 0.77**0.5, 0.23**0.5
        np.testing.assert_allclose(explained(seen, uniform), [np.log(a / (a + b))], rtol=1e-6)
        plain = explained(seen, uniform, Estimator(temperature=1.0))
        np.testing.assert_allclose(plain, [np.log(0.77)], rtol=1e-6)

    @pytest.mark.parametrize("seed", range(3))
    def test_exchanged_rows_drift_and_the_same_table_does_not(self, seed):
        truth, seen = disjoint(seed)
        good, wrong = table(truth), table(np.roll(truth, 1, axis=0))
        assert drifted(seen, wrong, good)
        assert not drifted(seen, good, wrong)
        assert not drifted(seen, good, good)
        assert not drifted(seen, learn(seen, know_nothing(seen)), know_nothing(seen))
