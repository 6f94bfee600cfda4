import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.tasks import Task

EXPRESSION = Task.multiclass("expression", ["neutral", "happiness", "sadness"])
UNITS = Task.multilabel("action_units", ["AU1", "AU2", "AU6", "AU12"])
ROWS = 7
ALL = np.ones(3)
KNOWN = np.array([1.0, 0.0, 1.0, 1.0])


def source(name):
    inputs = np.arange(ROWS, dtype=np.float32)[:, None]
    labels = {
        "expression": np.arange(ROWS) % 3,
        "action_units": np.tile([1, 0, -1, 1], (ROWS, 1)).astype(np.int8),
    }
    return data.from_arrays(inputs, {name: labels[name]}, (EXPRESSION, UNITS))


def probabilities(task):
    values = np.random.default_rng(0).random((ROWS, task.size))
    return values / values.sum(axis=1, keepdims=True) if task.kind == "multiclass" else values


def whole(stream):
    (element,) = stream.batch(100).as_numpy_iterator()
    return element


def test_action_units_for_expressions():
    soft = probabilities(UNITS)
    taught = data.with_soft_labels(source("expression"), UNITS, soft, KNOWN)
    assert int(taught.cardinality()) == ROWS
    inputs, labels, masks = whole(taught)
    np.testing.assert_array_equal(inputs[:, 0], np.arange(ROWS))
    np.testing.assert_allclose(labels["action_units"], soft, rtol=1e-6)
    np.testing.assert_array_equal(masks["action_units"], np.tile(KNOWN, (ROWS, 1)))
    # Its own labels stay.
    assert labels["expression"].argmax(axis=1).tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert masks["expression"].tolist() == [1] * ROWS
    assert labels["action_units"].dtype == masks["action_units"].dtype == np.float32


def test_expressions_for_action_units():
    soft = probabilities(EXPRESSION)
    taught = data.with_soft_labels(source("action_units"), EXPRESSION, soft, ALL)
    _, labels, masks = whole(taught)
    np.testing.assert_allclose(labels["expression"], soft, rtol=1e-6)
    assert masks["expression"].shape == (ROWS,)
    assert masks["expression"].tolist() == [1] * ROWS
    assert masks["action_units"][0].tolist() == [1, 1, 0, 1]


def test_existing_labels_are_replaced():
    soft = probabilities(UNITS)
    _, labels, masks = whole(data.with_soft_labels(source("action_units"), UNITS, soft, KNOWN))
    assert set(labels) == {"action_units"}
    np.testing.assert_allclose(labels["action_units"], soft, rtol=1e-6)
    assert masks["action_units"][0].tolist() == KNOWN.tolist()


def test_the_source_itself_is_unchanged():
    own = source("expression")
    data.with_soft_labels(own, UNITS, probabilities(UNITS), KNOWN)
    assert set(own.element_spec[1]) == {"expression"}


def test_can_be_merged():
    first = data.with_soft_labels(source("expression"), UNITS, probabilities(UNITS), np.ones(4))
    second = data.with_soft_labels(
        source("action_units"), EXPRESSION, probabilities(EXPRESSION), ALL
    )
    inputs, labels, masks = next(iter(data.merge([first, second], 2 * ROWS)))
    assert sorted(inputs.numpy()[:, 0]) == sorted([*range(ROWS)] * 2)
    assert masks["expression"].numpy().all()
    np.testing.assert_allclose(labels["expression"].numpy().sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("task", "soft", "known", "message"),
    [
        (UNITS, np.zeros((ROWS - 1, 4)), KNOWN, r"shape \(7, 4\), got \(6, 4\)"),
        (UNITS, np.zeros((ROWS, 3)), KNOWN, r"shape \(7, 4\), got \(7, 3\)"),
        (UNITS, np.full((ROWS, 4), 1.1), KNOWN, r"must lie in \[0, 1\]"),
        (UNITS, np.full((ROWS, 4), -0.1), KNOWN, r"must lie in \[0, 1\]"),
        (UNITS, np.full((ROWS, 4), np.nan), KNOWN, r"must lie in \[0, 1\]"),
        (UNITS, np.zeros((ROWS, 4)), np.ones(3), "known must hold 4 flags"),
        (EXPRESSION, np.zeros((ROWS, 3)), np.array([1, 0, 1]), "all 1 for a multiclass task"),
    ],
)
def test_refuses(task, soft, known, message):
    with pytest.raises(ValueError, match=message):
        data.with_soft_labels(source("expression"), task, soft, known)
