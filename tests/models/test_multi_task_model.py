"""Inputs of every kind, saving and loading, precision, balancing."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.balancing import Balancing, Uncertainty
from mtl_dm.models import Coupling, MultiTaskModel, watching
from mtl_dm.models.backbones import compact_cnn, dense_trunk
from mtl_dm.models.watching import NonFiniteLossError
from tests.models.cases import (
    AFFECT,
    EXPRESSION,
    FEATURES,
    TABLE,
    UNITS,
    coupled_model,
    dataset,
    numpy,
    random_batch,
    trunk,
)

ROWS = 12


def two_inputs():
    """A backbone on a dictionary: an image and a vector."""
    inputs = {"face": keras.Input((4, 4, 3), name="face"), "voice": keras.Input((5,), name="voice")}
    x = keras.layers.Concatenate()([keras.layers.Flatten()(inputs["face"]), inputs["voice"]])
    return keras.Model(inputs, keras.layers.Dense(6, activation="relu")(x))


def two_outputs():
    """A backbone with features of another length for each task."""
    inputs = keras.Input((FEATURES,))
    shared = keras.layers.Dense(6, activation="relu")(inputs)
    return keras.Model(
        inputs,
        {
            "expression": keras.layers.Dense(3, activation="tanh")(shared),
            "action_units": keras.layers.Dense(4, activation="tanh")(shared),
        },
    )


def inputs_of(kind):
    rng = np.random.default_rng(5)
    shapes = {"image": (16, 16, 3), "vector": (FEATURES,), "two outputs": (FEATURES,)}
    if kind == "dictionary":
        return {
            "face": rng.normal(size=(ROWS, 4, 4, 3)).astype(np.float32),
            "voice": rng.normal(size=(ROWS, 5)).astype(np.float32),
        }
    return rng.uniform(-1, 1, (ROWS, *shapes[kind])).astype(np.float32)


# Without dropout, whose seeds would make continued training differ.
BACKBONES = {
    "image": lambda: compact_cnn((16, 16, 3), dropout=0.0),
    "vector": lambda: dense_trunk((FEATURES,), width=8, dropout=0.0),
    "dictionary": two_inputs,
    "two outputs": two_outputs,
}
every_kind = pytest.mark.parametrize("kind", BACKBONES)


def batch_of(kind, seed=0):
    return inputs_of(kind), *random_batch(ROWS, seed)[1:]


def fit(model, batch, epochs=2):
    return model.fit(dataset(batch, 5), epochs=epochs, verbose=0, shuffle=False).history


@every_kind
def test_logits_by_task(kind):
    model = coupled_model(BACKBONES[kind]())
    logits = model(inputs_of(kind))
    assert {name: each.shape for name, each in logits.items()} == {
        "expression": (ROWS, 4),
        "action_units": (ROWS, 5),
    }
    assert {each.dtype for each in logits.values()} == {tf.float32}
    predicted = numpy(model.predict(inputs_of(kind), verbose=0))
    for name, each in numpy(logits).items():
        np.testing.assert_allclose(predicted[name], each, rtol=1e-5, atol=1e-6)


@every_kind
def test_saved_loaded_and_trained_on(kind, tmp_path):
    batch = batch_of(kind)
    coupling = Coupling(relatedness=TABLE, matching_form="bernoulli", matching=0.5)
    model = coupled_model(BACKBONES[kind](), [coupling])
    # As a graph of one kind; to compile two of each takes longer than the steps.
    eagerly = kind != "dictionary"
    model.compile(keras.optimizers.Adam(0.01), jit_compile=False, run_eagerly=eagerly)
    history = fit(model, batch)
    assert history["loss"][1] < history["loss"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.run_eagerly = eagerly

    assert isinstance(loaded, MultiTaskModel)
    assert loaded.tasks == model.tasks
    assert loaded.couplings == model.couplings
    before, after = numpy(model(batch[0])), numpy(loaded(batch[0]))
    for name in before:
        np.testing.assert_array_equal(after[name], before[name])

    # The optimizer comes back too: the same steps from the same moments.
    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations) == 6
    want, got = fit(model, batch), fit(loaded, batch)
    assert set(got) == set(want)
    for name in want:
        np.testing.assert_allclose(got[name], want[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_a_model_that_was_never_trained_is_saved_and_loaded(tmp_path):
    model = coupled_model()
    x = random_batch()[0]
    before = numpy(model(x))
    model.save(tmp_path / "model.keras")
    after = numpy(keras.saving.load_model(tmp_path / "model.keras")(x))
    for name in before:
        np.testing.assert_array_equal(after[name], before[name])


@every_kind
def test_weights_alone_are_saved_and_loaded(kind, tmp_path):
    model, other = (coupled_model(BACKBONES[kind]()) for _ in range(2))
    x = inputs_of(kind)
    before = numpy(model(x))
    other(x)
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    for name, each in numpy(other(x)).items():
        np.testing.assert_array_equal(each, before[name])


def test_a_shared_backbone_learns_from_both_tasks():
    model, (x, labels, masks) = coupled_model(couplings=()), random_batch()
    for silent in ("expression", "action_units"):
        with tf.GradientTape() as tape:
            quiet = {**masks, silent: 0 * masks[silent]}
            loss = model.compute_loss(x, labels, model(x), quiet)
        kernel = model.backbone.trainable_variables[0].value
        heads = {name: head.kernel.value for name, head in model.heads.items()}
        shared, own = tape.gradient(loss, (kernel, heads), unconnected_gradients="zero")
        assert np.any(shared)
        assert not np.any(own[silent])
        assert np.any(own[({"expression", "action_units"} - {silent}).pop()])


def test_mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    model = coupled_model(BACKBONES["image"]())
    model.compile(optimizer="adam", jit_compile=False)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    batch = batch_of("image")
    model(batch[0])
    before = model.get_weights()
    history = fit(model, batch)
    assert all(np.isfinite(values).all() for values in history.values())
    assert {each.dtype for each in model(batch[0]).values()} == {tf.float32}
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert any(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))


def test_mixed_float16_is_saved_and_loaded(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    model, batch = coupled_model(BACKBONES["vector"]()), batch_of("vector")
    model.compile(optimizer="adam", jit_compile=False)
    fit(model, batch, epochs=1)
    model.save(tmp_path / "model.keras")
    keras.config.set_dtype_policy("float32")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    before, after = numpy(model(batch[0])), numpy(loaded(batch[0]))
    for name in before:
        np.testing.assert_array_equal(after[name], before[name])
    loaded.run_eagerly = True
    assert np.isfinite(fit(loaded, batch, epochs=1)["loss"]).all()


def test_mixed_bfloat16():
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = coupled_model()
    model.compile(optimizer="adam", run_eagerly=True)
    history = fit(model, random_batch(ROWS))
    assert all(np.isfinite(values).all() for values in history.values())


def test_uncertainty_has_a_variance_for_every_term():
    model = coupled_model(balancing=Uncertainty())
    names = {"expression", "action_units", "distribution_matching", "soft_co_annotation"}
    assert set(model.balancing.log_variances) == names
    trainable = {each.path for each in model.trainable_variables}
    assert {each.path for each in model.balancing.log_variances.values()} <= trainable


def test_uncertainty_by_hand():
    # s = log 2 on the first of two terms: L1 / 2 + log(2) / 2 + L2.
    model = coupled_model(couplings=(), balancing=Uncertainty())
    x, labels, masks = random_batch()
    total = float(model.compute_loss(x, labels, model(x), masks))
    first = float(model.term_trackers["expression"].result())
    model.balancing.log_variances["expression"].assign(np.log(2.0))
    got = float(model.compute_loss(x, labels, model(x), masks))
    assert got == pytest.approx(total - first / 2 + np.log(2) / 2, rel=1e-5)


def test_uncertainty_leaves_terms_that_are_off_alone():
    tasks = [EXPRESSION, UNITS, AFFECT]
    model = coupled_model(tasks=tasks, balancing=Uncertainty())
    model.term_scales["distribution_matching"].assign(0.0)  # As in a warm-up.
    model.compile(optimizer=keras.optimizers.Adam(0.1), run_eagerly=True)
    fit(model, random_batch())  # Without a label for affect.
    moved = {name: float(each.numpy()) for name, each in model.balancing.log_variances.items()}
    assert [name for name, value in moved.items() if value == 0] == [
        "affect",
        "distribution_matching",
    ]


def test_a_single_task():
    model = coupled_model(couplings=(), tasks=[UNITS])
    x, labels, masks = random_batch()
    model.compile(optimizer="adam", run_eagerly=True)
    history = fit(model, (x, labels, masks))
    assert set(model(x)) == {"action_units"}
    assert np.isfinite(history["loss"]).all()
    assert history["loss"][1] < history["loss"][0]


def test_the_same_seed_trains_the_same_model():
    results = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = coupled_model(dense_trunk((FEATURES,), width=8))
        model.compile(optimizer="adam", run_eagerly=True)
        results.append(fit(model, random_batch()))
    assert results[0] == results[1]


def test_the_config_is_json():
    model = coupled_model()
    config = json.loads(json.dumps(model.get_config()))
    copy = MultiTaskModel.from_config(config)
    assert copy.tasks == (EXPRESSION, UNITS)
    assert copy.couplings == model.couplings


def test_a_dictionary_of_features_must_have_every_task():
    inputs = keras.Input((FEATURES,))
    backbone = keras.Model(inputs, {"expression": keras.layers.Dense(3)(inputs)})
    model = coupled_model(backbone)
    with pytest.raises(ValueError, match="action_units"):
        model(random_batch()[0])


def test_a_trunk_given_twice_shares_its_weights():
    shared = trunk()
    one, two = (coupled_model(shared, couplings=(), tasks=[task]) for task in (EXPRESSION, UNITS))
    x, labels, masks = random_batch()
    one.compile(optimizer="sgd", run_eagerly=True)
    before = numpy(two(x))
    fit(one, (x, labels, masks))
    assert np.any(numpy(two(x))["action_units"] != before["action_units"])


def test_fit_tells_a_method_of_epochs():
    class Counting(Balancing):
        """Counts the epochs it is told of."""

        counts_epochs = True

        def prepare(self, names):
            super().prepare(names)
            self.epochs = self.memory("epochs", 0.0, shape=())

        def weigh(self, seen):
            return seen.present

        def begin_epoch(self):
            self.epochs.assign_add(1.0)

    model = coupled_model(balancing=Counting())
    model(np.zeros((1, 3), np.float32))
    model.compile("sgd", run_eagerly=True)
    seen = []
    last = keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: seen.append(1))
    listed = keras.callbacks.CallbackList([last], model=model)
    for callbacks in (None, last, [last], listed, listed):
        model.fit(
            dataset(random_batch(8), 8), epochs=2, verbose=0, shuffle=False, callbacks=callbacks
        )
    assert float(model.balancing.epochs.numpy()) == 10.0
    assert len(seen) == 8


class Saving(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(epoch)


def test_fit_stops_at_the_end_of_an_epoch_that_is_not_finite():
    model, saving = coupled_model(), Saving()
    model.compile("sgd", run_eagerly=True)
    fine, bad = random_batch(8), random_batch(8)
    model.fit(dataset(fine, 8), epochs=2, verbose=0, callbacks=[saving])
    assert saving.epochs == [0, 1]
    bad[0][:] = np.nan
    said = r"In epoch 1 the weights .* the loss of .*action_units \(nan\).* became NaN or infinite"
    with pytest.raises(NonFiniteLossError, match=said):
        model.fit(dataset(bad, 8), epochs=2, verbose=0, callbacks=[saving])
    assert saving.epochs == [0, 1]


def test_fit_looks_once_where_a_training_looks_after_every_step():
    model = coupled_model()
    assert [type(each) for each in watching.callbacks_of(model)] == [watching.StopAtNonFiniteEpoch]
    assert watching.callbacks_of(model, [watching.StopAtNonFinite()]) == []
    # With a hook of its own Keras would hand over logs step by step, and wait for it.
    plain = keras.callbacks.Callback.on_train_batch_end
    assert watching.StopAtNonFiniteEpoch.on_train_batch_end is plain
