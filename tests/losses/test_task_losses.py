"""One loss per kind of task, with the images that it averages over."""

import keras
import numpy as np
import pytest

from mtl_dm.losses import task_loss
from mtl_dm.losses.task_losses import TASK_LOSSES
from mtl_dm.models import MultiTaskModel
from mtl_dm.tasks import Task
from tests.losses import references

B, SIZE = 6, 3
LABELS = ("a", "b", "c")


def draw(flat):
    rng = np.random.default_rng(0)
    labels = np.eye(SIZE)[rng.integers(0, SIZE, B)]
    mask = rng.integers(0, 2, B if flat else (B, SIZE))
    mask[0], mask[1] = 0, 1
    arrays = labels, rng.normal(size=(B, SIZE)), mask
    return tuple(array.astype(np.float32) for array in arrays)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_multiclass(smoothing):
    labels, logits, mask = draw(flat=True)
    task = Task.multiclass("x", LABELS, label_smoothing=smoothing)
    values, weights = task_loss(task, labels, logits, mask)
    want = references.cross_entropy(labels, logits, mask, smoothing)
    np.testing.assert_allclose(values, want, rtol=1e-5)
    np.testing.assert_array_equal(weights, mask)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_multilabel(reduction):
    labels, logits, mask = draw(flat=False)
    task = Task.multilabel("x", LABELS, reduction=reduction)
    values, weights = task_loss(task, labels, logits, mask)
    want = references.binary_cross_entropy(labels, logits, mask, reduction)
    np.testing.assert_allclose(values, want, rtol=1e-5)
    np.testing.assert_array_equal(weights, mask.any(axis=1))


def test_regression():
    labels, predictions, mask = draw(flat=False)
    values, weights = task_loss(Task.regression("x", LABELS), labels, predictions, mask)
    np.testing.assert_allclose(
        values, references.squared_error(labels, predictions, mask), rtol=1e-5
    )
    np.testing.assert_array_equal(weights, mask.any(axis=1))


@pytest.mark.parametrize("kind", ["multiclass", "multilabel", "regression"])
def test_the_weight_of_a_task_stays_out_of_the_values(kind):
    arrays = draw(flat=kind == "multiclass")
    one, many = (task_loss(Task("x", kind, LABELS, weight=w), *arrays)[0] for w in (1.0, 7.0))
    np.testing.assert_array_equal(one, many)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("multiclass", {}),
        ("multilabel", {}),
        ("multilabel", {"reduction": "sum"}),
        ("regression", {}),
    ],
)
def test_a_mask_that_weighs_images_weighs_them_once(kind, options):
    labels, logits, mask = draw(flat=kind == "multiclass")
    task = Task("x", kind, LABELS, **options)
    plain, there = task_loss(task, labels, logits, mask)
    weights = np.linspace(0.1, 0.6, B, dtype=np.float32)
    weighed = mask * weights.reshape((B,) + (1,) * (mask.ndim - 1))
    values, counts = task_loss(task, labels, logits, weighed)
    np.testing.assert_allclose(values, plain, rtol=1e-5)
    np.testing.assert_allclose(counts, there * weights, rtol=1e-6)


def test_weights_of_labels_are_those_of_their_mean():
    labels, outputs, _ = draw(flat=False)
    mask = np.random.default_rng(1).uniform(0.1, 0.3, (B, SIZE)).astype(np.float32)
    for task in (Task.regression("x", LABELS), Task.multilabel("x", LABELS)):
        single = [
            task_loss(task, labels, outputs, np.eye(SIZE, dtype=np.float32)[[i] * B])[0]
            for i in range(SIZE)
        ]
        want = np.average(np.stack(single, axis=1), axis=1, weights=mask)
        values, counts = task_loss(task, labels, outputs, mask)
        np.testing.assert_allclose(values, want, rtol=1e-5)
        np.testing.assert_allclose(counts, mask.max(axis=1), rtol=1e-6)


@pytest.mark.parametrize("kind", ["multiclass", "multilabel", "regression"])
def test_types_and_shapes(kind):
    labels, logits, mask = draw(flat=kind == "multiclass")
    task = Task(name="x", kind=kind, labels=LABELS)
    for values in task_loss(task, labels.astype("int32"), logits.astype("float16"), mask > 0):
        assert values.dtype == "float32"
        assert values.shape == (B,)
    with pytest.raises(ValueError, match="mask must have shape"):
        task_loss(task, labels, logits, mask[:-1])


def test_every_kind_has_a_loss():
    assert {name.partition("/")[0] for name in TASK_LOSSES} == {
        "multiclass", "multilabel", "regression",
    }  # fmt: skip


@pytest.fixture
def absolute(monkeypatch):
    """A user's loss of a regression task."""
    monkeypatch.setattr(TASK_LOSSES, "_entries", dict(TASK_LOSSES._entries))

    @TASK_LOSSES.register("regression/absolute")
    def loss(task, labels, outputs, mask):
        mask = keras.ops.cast(mask, "float32")
        gap = keras.ops.abs(keras.ops.where(mask > 0, labels - outputs, 0.0))
        return keras.ops.sum(gap, axis=-1), keras.ops.max(mask, axis=-1)


def test_a_users_loss_is_found_by_the_kind_and_its_name(absolute):
    labels, predictions, mask = draw(flat=False)
    task = Task.regression("x", LABELS, loss="absolute")
    values, weights = task_loss(task, labels, predictions, mask)
    np.testing.assert_allclose(values, (mask * abs(labels - predictions)).sum(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(weights, mask.any(axis=1))
    # Of its kind alone.
    with pytest.raises(ValueError, match="unknown loss 'absolute' of a multilabel task"):
        task_loss(Task.multilabel("x", LABELS, loss="absolute"), labels, predictions, mask)


def test_ccc_is_one_number_for_the_batch():
    values, weights = task_loss(Task.regression("x", LABELS, loss="ccc"), *draw(flat=False))
    assert values.shape == weights.shape == ()
    assert 0 < float(values) < 2


def test_a_model_of_a_task_with_an_unknown_loss_lists_the_known_ones():
    task = Task.regression("x", LABELS, loss="cc")
    with pytest.raises(ValueError, match=r"Task 'x': unknown loss 'cc' .*Known: ccc, squared"):
        MultiTaskModel(keras.layers.Identity(), [task])
