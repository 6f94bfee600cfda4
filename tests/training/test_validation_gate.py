"""The brake on coupling terms."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm import data
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.models.steps import backend
from mtl_dm.relatedness import Relatedness
from mtl_dm.tasks import Task
from mtl_dm.training import callbacks, fitting, validation_gate
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.validation_gate import ValidationGate

CLASSES, ATTRIBUTES = ("a", "b", "c"), ("w", "x", "y", "z")
TASKS = (Task.multiclass("kind", CLASSES), Task.multilabel("parts", ATTRIBUTES))
TRUTH = np.array([[0.9, 0.1, 0.5, 0.1], [0.1, 0.9, 0.5, 0.2], [0.1, 0.2, 0.5, 0.9]])
TABLE = Relatedness(CLASSES, ATTRIBUTES, TRUTH, TRUTH, "the truth")
PRINTED = {"matching_form": "paper", "co_annotation_form": "paper"}
MATCHING = "distribution_matching"
CONFIG = TrainConfig(
    ("one", "other"),
    validation="v",
    relatedness="facs",
    validation_gate=True,
    augment=False,
    batch_size=32,
    epochs=3,
    steps_per_epoch=10,
    learning_rate=0.01,
)


def draw(seed=0, images=800):
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, images)
    attributes = (rng.random((images, 4)) < TRUTH[classes]).astype(int)
    faces = np.concatenate(
        [
            np.eye(3)[classes] + rng.normal(size=(images, 3)),
            attributes + rng.normal(size=(images, 4)),
        ],
        axis=1,
    )
    return faces.astype(np.float32), classes, attributes


@pytest.fixture(scope="module")
def sources():
    faces, classes, attributes = draw()
    return [
        data.from_arrays(faces[:400], {"kind": classes[:400]}, TASKS),
        data.from_arrays(faces[400:], {"parts": attributes[400:]}, TASKS),
    ]


@pytest.fixture(scope="module")
def validation():
    faces, classes, attributes = draw(1, 512)
    return data.from_arrays(faces, {"kind": classes, "parts": attributes}, TASKS)


def built(**fields):
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((7,)), keras.layers.Dense(16, activation="relu")])
    model = MultiTaskModel(network, TASKS, [Coupling("kind", "parts", TABLE, **fields)])
    model(np.zeros((1, 7), np.float32))
    return model


def trained(sources, validation, config=CONFIG, **fields):
    with fitting.settings(config):
        model = built(**fields)
        fitting.fit(model, sources, config, validation=validation)
    return model, {name: float(each.numpy()) for name, each in model.term_scales.items()}


def test_printed_matching_is_braked_for_the_attributes(sources, validation, capsys):
    _, scales = trained(sources, validation, **PRINTED)
    assert scales[MATCHING] == 0.125  # in each of three epochs
    lines = [line for line in capsys.readouterr().out.splitlines() if "is reduced" in line]
    of_matching = [line for line in lines if MATCHING in line]
    assert len(of_matching) == 3
    for epoch, scale in ((1, "0.5"), (2, "0.25"), (3, "0.125")):
        assert of_matching[epoch - 1].startswith(
            f"After epoch {epoch}: distribution_matching is reduced to {scale} of its factor, "
            "since a step along it raises the validation loss of parts (+"
        )


def test_the_default_is_left_alone_where_it_helps(sources, validation, capsys):
    _, scales = trained(sources, validation)
    assert scales == {MATCHING: 1.0, "soft_co_annotation": 1.0}
    assert "is reduced" not in capsys.readouterr().out


@pytest.fixture(scope="module")
def after_an_epoch(sources, validation):
    config = CONFIG.replace(validation_gate=False, epochs=1)
    return trained(sources, validation, config, **PRINTED)[0]


@pytest.fixture
def printed(after_an_epoch):
    """A model that has learned for an epoch: an untrained one has nothing to lose."""
    weights = after_an_epoch.get_weights()
    yield after_an_epoch
    after_an_epoch.set_weights(weights)


def conflicts(model, training, validation):
    return validation_gate.conflicts(model, backend().term_gradients(model), training, validation)


def batches(sources):
    return data.merge(sources, 32, seed=0).take(4).cache()


def test_the_criterion_against_explicit_steps(sources, validation, printed):
    """The change that is claimed is that of the loss after a small step against the gradient."""
    model = printed
    training, held = batches(sources), validation.batch(64)
    task, change = conflicts(model, training, held)[MATCHING]
    assert task == "parts"

    def loss(batch):
        x, labels, masks = batch
        return float(model.term_losses(x, labels, masks)["parts"])

    gradients = [np.zeros(weight.shape, np.float32) for weight in model.trainable_weights]
    for x, labels, masks in training:
        with tf.GradientTape() as tape:
            term = model.term_losses(x, labels, masks)[MATCHING]
        weights = [weight.value for weight in model.trainable_weights]
        for total, part in zip(
            gradients, tape.gradient(term, weights, unconnected_gradients="zero"), strict=True
        ):
            total += part.numpy()
    before = [loss(batch) for batch in held]
    step = 1e-4
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        weight.assign(weight.numpy() - step * gradient)
    after = [loss(batch) for batch in held]
    measured = np.subtract(after, before).mean() / step
    assert measured > 0
    assert change == pytest.approx(measured, rel=0.03)


@pytest.mark.parametrize(
    ("scale", "harmful", "after"),
    [
        (1.0, True, 0.5),
        (validation_gate.LEAST, True, validation_gate.LEAST),
        (0.25, False, pytest.approx(0.25 * 2**0.1)),
        (0.99, False, 1.0),
        (1.0, False, 1.0),
        (0.0, False, 0.0),
        (0.0, True, 0.0),
    ],
)
def test_how_a_scale_moves(scale, harmful, after):
    assert validation_gate.moved(scale, harmful) == after


def test_a_term_comes_back_when_it_harms_no_more(sources, validation, printed, capsys, monkeypatch):
    callback = ValidationGate(batches(sources), validation.batch(64))
    callback.set_model(printed)
    callback.on_epoch_end(0)
    monkeypatch.setattr(validation_gate, "conflicts", lambda *_: {})
    for epoch in range(1, 13):
        callback.on_epoch_end(epoch)
    lines = [line for line in capsys.readouterr().out.splitlines() if MATCHING in line]
    assert "is reduced to 0.5" in lines[0]
    assert lines[1:] == ["After epoch 11: distribution_matching is back at its factor."]
    assert float(printed.term_scales[MATCHING].numpy()) == 1.0


def test_terms_that_are_off_are_left_out(sources, validation, printed):
    model = printed
    model.term_scales[MATCHING].assign(0.0)
    assert MATCHING not in conflicts(model, batches(sources), validation.batch(64))


def test_one_batch_tells_nothing(sources, validation, printed):
    model = printed
    assert conflicts(model, batches(sources), validation.batch(512)) == {}


def test_validation_without_labels_of_a_task_cannot_judge_for_it(sources):
    faces, classes, _ = draw(1, 512)
    alone = data.from_arrays(faces, {"kind": classes}, TASKS)
    found = conflicts(built(**PRINTED), batches(sources), alone.batch(64))
    assert "parts" not in {task for task, _ in found.values()}


@pytest.mark.parametrize(
    ("images", "size", "last"),
    [(5, 1, 4), (40, 5, 39), (512, 64, 511), (513, 32, 510), (1023, 63, 1006), (5000, 62, 4950)],
)
def test_validation_images_from_all_of_it_in_several_batches(images, size, last, sources):
    inputs = np.tile(np.arange(images, dtype=np.float32)[:, None], 7)
    validation = data.from_arrays(inputs, {"kind": np.arange(images) % 3}, TASKS)
    callback = callbacks.validation_gate(sources, validation, CONFIG)
    seen = [batch[0].numpy()[:, 0] for batch in callback._validation]
    assert min(5, images) <= len(seen) <= 8
    assert max(map(len, seen)) == size
    assert seen[-1][-1] == last


def test_the_same_batches_after_every_epoch_and_after_a_restart(sources, validation):
    def seen(callback):
        return [
            [batch[0].numpy() for batch in stream]
            for stream in (callback._training, callback._validation)
        ]

    first, again = (callbacks.validation_gate(sources, validation, CONFIG) for _ in range(2))
    want = seen(first)
    for other in (seen(first), seen(again)):
        for one, two in zip(want, other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_needs_validation(sources):
    with pytest.raises(ValueError, match="validation gate needs validation data"):
        fitting.fit(built(), sources, CONFIG)


def test_needs_a_backend_that_takes_gradients(sources, validation, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "numpy")
    message = "need one of the backends tensorflow, jax, this is 'numpy'"
    with pytest.raises(ValueError, match=message):
        ValidationGate(sources[0], validation)
    # Before a folder is claimed.
    with pytest.raises(ValueError, match=message), fitting.settings(CONFIG):
        pass


def test_silent(sources, validation, printed, capsys):
    model = printed
    callback = ValidationGate(batches(sources), validation.batch(64), verbose=False)
    callback.set_model(model)
    callback.on_epoch_end(0)
    assert float(model.term_scales[MATCHING].numpy()) == 0.5
    assert capsys.readouterr().out == ""
