"""Information and accuracy, against scikit-learn, the Keras posterior and counts by hand."""

import math

import numpy as np
import pytest
from scipy.stats import chi2
from sklearn.metrics import mutual_info_score

from mtl_dm.losses import class_posterior
from mtl_dm.relatedness import (
    Accuracy,
    Relatedness,
    assumed_information,
    confidence,
    count,
    facs,
    from_annotations,
    mutual_information,
    posterior_accuracy,
)

CLASSES, ATTRIBUTES = tuple("abc"), tuple("uvwx")


def labelled(rows=300, seed=0, useful=True):
    """Classes with two in ten missing, attributes with a third missing."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, rows)
    table = rng.uniform(0.05, 0.95, (3, 4)) if useful else np.full((3, 4), 0.4)
    labels = (rng.random((rows, 4)) < table[classes]).astype(int)
    classes = np.where(rng.random(rows) < 0.2, -1, classes)
    return classes, labels, (rng.random((rows, 4)) < 2 / 3).astype(int)


def table_of(conditional, prior=None, counts=None):
    return Relatedness(CLASSES, ATTRIBUTES, conditional, conditional, "test", prior, counts)


def test_plug_in_is_that_of_scikit_learn():
    classes, labels, mask = labelled()
    found = mutual_information(count(classes, labels, mask, CLASSES, ATTRIBUTES))
    for i in range(4):
        rows = (classes >= 0) & (mask[:, i] > 0)
        nats = mutual_info_score(classes[rows], labels[rows, i])
        assert found.plug_in[i] == pytest.approx(nats / math.log(2), rel=1e-9)
        assert found.images[i] == rows.sum()
        pairs = len(set(zip(classes[rows], labels[rows, i], strict=True)))
        corrected = max(nats + (3 + 2 - pairs - 1) / (2 * rows.sum()), 0) / math.log(2)
        assert found.bits[i] == pytest.approx(corrected, rel=1e-9)


def test_an_attribute_that_names_the_class():
    # Half of the images are of class a, and those have u: one bit; v is always on: none.
    classes = np.repeat([0, 1], 50)
    labels = np.stack([classes == 0, np.ones(100), np.zeros(100), np.zeros(100)], axis=1)
    mask = np.ones((100, 4), int)
    mask[:, 3] = 0
    found = mutual_information(count(classes, labels, mask, CLASSES, ATTRIBUTES))
    # 2 classes, 2 values, 2 pairs: (2 + 2 - 2 - 1) / 200 nats are added.
    assert found.plug_in[:3] == pytest.approx([1.0, 0.0, 0.0], abs=1e-12)
    assert found.bits[0] == pytest.approx(1.0 + 0.005 / math.log(2))
    assert np.isnan(found.bits[3])
    assert found.p_values[0] < 1e-20
    assert (found.p_values[1:] == 1.0).all()


def test_p_values_of_independent_attributes_are_those_of_chance():
    values = np.concatenate(
        [
            mutual_information(
                count(*labelled(400, seed, useful=False), CLASSES, ATTRIBUTES)
            ).p_values
            for seed in range(50)
        ]
    )
    assert np.mean(values < 0.1) == pytest.approx(0.1, abs=0.06)
    assert np.mean(values < 0.5) == pytest.approx(0.5, abs=0.1)


def test_assumed_information_is_that_of_a_large_sample():
    rng = np.random.default_rng(0)
    relatedness = table_of(rng.uniform(0, 1, (3, 4)), [0.5, 0.3, 0.2])
    classes = rng.choice(3, 200_000, p=relatedness.prior)
    labels = rng.random((len(classes), 4)) < relatedness.likelihood[classes]
    counted = mutual_information(count(classes, labels, None, CLASSES, ATTRIBUTES))
    assert assumed_information(relatedness) == pytest.approx(counted.bits, abs=6e-3)
    assert assumed_information(relatedness, [1, 0, 0]) == pytest.approx(np.zeros(4), abs=1e-12)


def test_accuracy_is_that_of_the_keras_posterior():
    relatedness = table_of(np.random.default_rng(1).uniform(0, 1, (3, 4)), [0.5, 0.3, 0.2])
    classes, labels, mask = labelled()
    rows = (classes >= 0) & mask.any(axis=1)
    q = np.asarray(
        class_posterior(labels[rows], mask[rows], relatedness.likelihood, relatedness.prior)
    )
    found = posterior_accuracy(classes, labels, mask, relatedness)
    assert found.accuracy == pytest.approx(np.mean(q.argmax(axis=1) == classes[rows]))
    assert found.majority == pytest.approx(np.bincount(classes[rows]).max() / rows.sum())
    assert found.images == rows.sum()


def test_accuracy_by_hand():
    # u says a, v says b; three of four images follow, the last says b and is an a.
    conditional = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    labels = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]])
    found = posterior_accuracy(np.array([0, 1, 1, 0]), labels, None, table_of(conditional))
    assert (found.accuracy, found.majority, found.images) == (0.75, 0.5, 4)
    # Gains over always answering a (the first of two as frequent): 0, 1, 1, -1.
    assert found.z == pytest.approx(0.25 / (np.std([0, 1, 1, -1]) / 2))


def test_leaving_one_out_is_counting_again_without_it():
    classes, labels, mask = labelled(40)
    relatedness = from_annotations(classes, labels, mask, classes=CLASSES, attributes=ATTRIBUTES)
    rows = np.flatnonzero((classes >= 0) & mask.any(axis=1))
    right = []
    for row in rows:
        others = np.arange(len(classes)) != row
        again = count(classes[others], labels[others], mask[others], CLASSES, ATTRIBUTES)
        table = table_of(again.active / again.annotated, relatedness.prior, again.annotated)
        q = class_posterior(labels[[row]], mask[[row]], table.likelihood, table.prior)
        right.append(np.asarray(q).argmax() == classes[row])
    found = posterior_accuracy(classes, labels, mask, relatedness, leave_one_out=True)
    assert found.accuracy == pytest.approx(np.mean(right))


@pytest.mark.parametrize("useful", [True, False])
def test_above_the_majority_only_where_attributes_say_something(useful):
    classes, labels, mask = labelled(1000, 3, useful)
    relatedness = from_annotations(classes, labels, mask, classes=CLASSES, attributes=ATTRIBUTES)
    found = posterior_accuracy(classes, labels, mask, relatedness, leave_one_out=True)
    assert found.above is useful


def test_one_class_only_has_no_gain():
    found = posterior_accuracy(np.zeros(3, int), np.zeros((3, 4)), None, table_of(np.eye(3, 4)))
    assert not found.above
    assert found.majority == 1.0


def test_confidence_of_a_table():
    relatedness = table_of(np.eye(3, 4), [0.5, 0.3, 0.2])
    labels, mask = np.eye(4)[:2], np.array([[1, 1, 1, 1], [0, 0, 0, 0]])
    q = class_posterior(labels[:1], mask[:1], relatedness.likelihood, relatedness.prior)
    assert confidence(labels, mask, relatedness) == pytest.approx(np.asarray(q).max(), rel=1e-5)
    assert math.isnan(confidence(labels, 0 * mask, relatedness))


def test_no_image_with_both():
    table = facs()
    with pytest.raises(ValueError, match="No image has both"):
        posterior_accuracy(np.array([-1]), np.zeros((1, 17)), None, table)


def test_beyond_chance_and_what_few_images_hide():
    classes, labels, mask = labelled()
    found = mutual_information(count(classes, labels, mask, CLASSES, ATTRIBUTES))
    assert found.beyond_chance(0.01).tolist() == (found.p_values < 0.01 / 4).tolist()
    # An attribute with so many bits, not corrected, is at the level of one test of four.
    bits = found.hidden(0.01, classes=3)
    nats = 2 * found.images.max() * bits * math.log(2)
    assert chi2.sf(nats, 2) == pytest.approx(0.01 / 4)


def test_an_accuracy_in_words():
    words = str(Accuracy(accuracy=0.75, majority=0.5, images=1200, z=3.0))
    assert words == (
        "75.0% of 1,200 images right, against 50.0% by the most frequent class, beyond noise "
        "(z = 3.0)"
    )
