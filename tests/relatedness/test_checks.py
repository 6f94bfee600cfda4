"""What annotations say of a table: the parts, put together as the labels allow."""

import numpy as np
import pytest

from mtl_dm.relatedness import (
    Relatedness,
    check,
    confidence,
    contradictions,
    count,
    counted_on,
    estimate,
    from_annotations,
    mutual_information,
    posterior_accuracy,
)

CLASSES, ATTRIBUTES = ("a", "b"), ("u", "v", "w")
P = np.array([[0.9, 0.2, 0.5], [0.1, 0.7, 0.5]])
GIVEN = Relatedness(CLASSES, ATTRIBUTES, 1.0 - P, 1.0 - P, "the wrong way round")


def drawn(rows=400):
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 2, rows)
    labels = (rng.random((rows, 3)) < P[ids]).astype(np.float32)
    return ids, labels, np.ones_like(labels)


def test_images_with_both_labels_judge_both_tables():
    arrays = drawn()
    table = from_annotations(*arrays, classes=CLASSES, attributes=ATTRIBUTES)
    found = check(*arrays, table, GIVEN, counted=True)
    tally = count(*arrays, CLASSES, ATTRIBUTES)
    np.testing.assert_array_equal(found.bits, mutual_information(tally).bits)
    assert found.by_given == posterior_accuracy(*arrays, GIVEN)
    assert found.own == posterior_accuracy(*arrays, table, leave_one_out=True)
    assert found.own.above
    assert not found.by_given.above
    assert found.contradictions == tuple(contradictions(GIVEN, tally)) != ()
    assert found.temperature > 0
    assert found.frequencies == ()


def test_a_given_table_counted_on_these_images_leaves_each_out():
    arrays = drawn(60)
    table = from_annotations(*arrays, classes=CLASSES, attributes=ATTRIBUTES)
    found = check(*arrays, GIVEN, table)
    assert found.by_given == posterior_accuracy(*arrays, table, leave_one_out=True)
    assert found.contradictions == ()


def test_counted_on():
    arrays = drawn(60)
    tally = count(*arrays, CLASSES, ATTRIBUTES)
    names = {"classes": CLASSES, "attributes": ATTRIBUTES}
    assert counted_on(from_annotations(*arrays, **names), tally)
    assert not counted_on(GIVEN, tally)
    assert not counted_on(from_annotations(*(each[1:] for each in arrays), **names), tally)
    assert not counted_on(estimate(*arrays, **names), tally)


def test_without_images_that_have_both_there_are_frequencies():
    ids, labels, mask = drawn()
    half = np.arange(len(ids)) < 200
    arrays = np.where(half, ids, -1), np.where(half[:, None], np.nan, labels), mask * ~half[:, None]
    found = check(*arrays, GIVEN, GIVEN)
    assert (found.information, found.by_given, found.own, found.temperature) == (None,) * 4
    np.testing.assert_array_equal(found.bits, found.assumed)
    shares = np.bincount(ids[half]) / 200
    for i, each in enumerate(found.frequencies):
        assert each.implied == pytest.approx(shares @ GIVEN.conditional[:, i])
        assert each.observed == pytest.approx(labels[~half, i].mean())
    assert found.confidence == confidence(labels[~half], mask[~half], GIVEN)


def test_without_a_single_class_all_count_as_equally_frequent():
    ids, labels, mask = drawn(50)
    found = check(np.full_like(ids, -1), labels, mask, GIVEN, GIVEN)
    assert [each.implied for each in found.frequencies] == pytest.approx(
        GIVEN.conditional.mean(axis=0)
    )
