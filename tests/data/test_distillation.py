import numpy as np
import pytest
import tensorflow as tf

from mtl_dm import data
from mtl_dm.tasks import Task

EXPRESSION = Task.multiclass("expression", ["neutral", "happiness", "sadness"])
UNITS = Task.multilabel("action_units", ["AU1", "AU2", "AU6", "AU12"])
EMBEDDING = Task.regression("embedding", ["first", "second"])
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


@pytest.mark.parametrize("task", [EXPRESSION, UNITS], ids=lambda task: task.name)
def test_gaps_alone_are_filled(task):
    soft = probabilities(task)
    inputs = np.arange(ROWS, dtype=np.float32)[:, None]
    given = {
        "expression": np.array([1, -1] * 3 + [0]),
        "action_units": np.tile([1, -1, -1, 0], (ROWS, 1)).astype(np.int8),
    }[task.name]
    own = data.from_arrays(inputs, {task.name: given}, (task,))
    known = ALL if task is EXPRESSION else KNOWN
    _, labels, masks = whole(data.with_soft_labels(own, task, soft, known, gaps=True))
    if task is EXPRESSION:
        np.testing.assert_array_equal(labels["expression"][::2].argmax(axis=1), [1, 1, 1, 0])
        np.testing.assert_allclose(labels["expression"][1::2], soft[1::2], rtol=1e-6)
        assert masks["expression"].all()
        return
    np.testing.assert_array_equal(labels["action_units"][:, [0, 3]], np.tile([1, 0], (ROWS, 1)))
    np.testing.assert_allclose(labels["action_units"][:, 2], soft[:, 2], rtol=1e-6)
    # The second unit the teacher has not learned.
    np.testing.assert_array_equal(masks["action_units"], np.tile([1, 0, 1, 1], (ROWS, 1)))


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
        (EXPRESSION, np.zeros((ROWS, 3)), ALL, r"distributions .* got \[0\. 0\. 0\.\] in row 0"),
        (UNITS, np.zeros((ROWS, 4)), KNOWN / 2, "known must hold 4 flags"),
        (EMBEDDING, np.full((ROWS, 2), np.inf), np.ones(2), "be finite .* got inf in row 0"),
        (UNITS, np.zeros((ROWS, 4)), np.ones(3), "known must hold 4 flags"),
        (EXPRESSION, np.zeros((ROWS, 3)), np.array([1, 0, 1]), "all 1 for a multiclass task"),
    ],
)
def test_refuses(task, soft, known, message):
    with pytest.raises(ValueError, match=message):
        data.with_soft_labels(source("expression"), task, soft, known)


def double(inputs):
    """A teacher whose embedding of the number n is (2 n, -10)."""
    return np.concatenate([2 * inputs, np.full_like(inputs, -10)], axis=1)


def assert_same(one, two):
    tf.nest.assert_same_structure(one, two)
    for have, want in zip(tf.nest.flatten(one), tf.nest.flatten(two), strict=True):
        np.testing.assert_array_equal(have, want)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_streamed_predictions_are_those_held_in_memory(batch_size):
    own = source("expression")
    held = data.with_soft_labels(own, EMBEDDING, double(np.arange(ROWS)[:, None]))
    streamed = data.with_predicted_labels(own, EMBEDDING, double, batch_size=batch_size)
    assert streamed.element_spec == held.element_spec
    assert int(streamed.cardinality()) == ROWS
    for _ in range(2):
        assert_same(whole(streamed), whole(held))
    assert whole(held)[1]["embedding"].tolist() == [[2 * n, -10] for n in range(ROWS)]
    assert whole(held)[2]["embedding"].tolist() == [[1, 1]] * ROWS


@pytest.mark.parametrize(("task", "known"), [(UNITS, KNOWN), (EXPRESSION, ALL)])
def test_streamed_soft_labels_keep_what_is_known(task, known):
    soft, own = probabilities(task), source("action_units")
    streamed = data.with_predicted_labels(
        own, task, lambda x: soft[x[:, 0].astype(int)], known, batch_size=2
    )
    assert_same(whole(streamed), whole(data.with_soft_labels(own, task, soft, known)))


def test_the_teacher_is_asked_batch_by_batch_in_order():
    asked = []

    def predict(inputs):
        asked.append(inputs[:, 0].astype(int).tolist())
        return double(inputs)

    taught = data.with_predicted_labels(source("expression"), EMBEDDING, predict, batch_size=3)
    assert asked == [[0, 1, 2]], "the first batch, to see whether the teacher fits"
    whole(taught)
    assert asked[1:] == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_teacher_of_several_inputs():
    inputs = {"voice": np.ones((ROWS, 3), np.float32), "face": np.arange(ROWS, dtype=np.float32)}
    own = data.from_arrays(inputs, {}, (EMBEDDING,))

    def predict(given):
        assert {name: each.shape[1:] for name, each in given.items()} == {"voice": (3,), "face": ()}
        return np.stack([given["face"], given["voice"].sum(axis=1)], axis=1)

    _, labels, _ = whole(data.with_predicted_labels(own, EMBEDDING, predict, batch_size=4))
    assert labels["embedding"].tolist() == [[n, 3] for n in range(ROWS)]


def test_streamed_labels_can_be_merged_and_a_seed_fixes_them():
    first = data.with_predicted_labels(source("expression"), EMBEDDING, double, batch_size=3)
    for _ in range(2):
        for inputs, labels, masks in data.merge([first, source("action_units")], 6, seed=1):
            taught = masks["embedding"].numpy()[:, 0] == 1
            assert 0 < taught.sum() < len(taught)
            found = labels["embedding"].numpy()[taught]
            np.testing.assert_array_equal(found, double(inputs.numpy()[taught]))
    one, two = (list(data.merge([first], 4, seed=1).as_numpy_iterator()) for _ in range(2))
    for have, want in zip(one, two, strict=True):
        assert_same(have, want)


@pytest.mark.parametrize(
    ("task", "predict", "message"),
    [
        (
            EMBEDDING,
            lambda x: x,
            r"predictions of 'embedding' must have shape \(3, 2\), got \(3, 1",
        ),
        (EMBEDDING, lambda x: double(x)[:2], r"must have shape \(3, 2\), got \(2, 2\)"),
        (EMBEDDING, lambda x: double(x) * np.nan, "must be finite .* got nan in row 0"),
        (UNITS, lambda x: np.full((len(x), 4), 1.5), r"must lie in \[0, 1\]"),
        (EXPRESSION, lambda x: np.zeros((len(x), 3)), "must be distributions"),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused_at_once(task, predict, message):
    with pytest.raises(ValueError, match=message):
        data.with_predicted_labels(source("expression"), task, predict, batch_size=3)


def test_a_later_prediction_that_breaks_its_rule_is_named():
    def predict(inputs):
        return np.where(inputs == 5, np.inf, double(inputs))

    taught = data.with_predicted_labels(source("expression"), EMBEDDING, predict, batch_size=3)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"'embedding' must be finite .*row 5"):
        whole(taught)


@pytest.mark.parametrize(
    ("own", "batch_size", "message"),
    [
        (source("expression"), 0, "batch_size must be at least 1, got 0"),
        (source("expression").repeat(), 2, "known size"),
        (source("expression").filter(lambda *_: True), 2, "known size"),
    ],
    ids=["batch size", "endless", "unknown size"],
)
def test_a_source_that_cannot_be_streamed(own, batch_size, message):
    with pytest.raises(ValueError, match=message):
        data.with_predicted_labels(own, EMBEDDING, double, batch_size=batch_size)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_teachers_values_end_at_the_bounds(broken):
    task, rows = EMBEDDING.replace(bounds=(-1.0, 1.0)), np.zeros((ROWS, 2), np.float32)
    rows[0] = 1.5, -3.0
    labelled = data.with_soft_labels(source("expression"), task, rows)
    (first,) = labelled.take(1)
    np.testing.assert_array_equal(first[1]["embedding"], [1, -1])
    rows[2] = broken
    with pytest.raises(ValueError, match=rf"where annotated, got {broken} in row 2"):
        data.with_soft_labels(source("expression"), task, rows)
