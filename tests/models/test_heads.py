import keras
import numpy as np
import pytest
from scipy.special import expit, log_softmax, logit, softmax

from mtl_dm.losses import task_loss
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.models.heads import mean_of_parts, split
from mtl_dm.relatedness import Relatedness
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig

EXPRESSION = Task.multiclass("expression", ["a", "b", "c"])
UNITS = Task.multilabel("action_units", ["AU1", "AU2"])
AFFECT = Task.regression("affect", ["valence"])
TASKS = (EXPRESSION, UNITS, AFFECT)
B, P, D = 6, 3, 5


def in_parts(parts=P):
    """A network whose features have parts."""
    inputs = keras.Input((4,))
    x = keras.layers.Dense(parts * D, activation="tanh")(inputs)
    return keras.Model(inputs, keras.layers.Reshape((parts, D))(x))


def rows(seed=0):
    return np.random.default_rng(seed).normal(size=(B, 4)).astype(np.float32)


def batch():
    rng = np.random.default_rng(1)
    labels = {
        "expression": np.eye(3, dtype=np.float32)[rng.integers(0, 3, B)],
        "action_units": rng.integers(0, 2, (B, 2)).astype(np.float32),
        "affect": rng.uniform(-1, 1, (B, 1)).astype(np.float32),
    }
    masks = {
        "expression": np.array([1, 1, 1, 0, 0, 0], np.float32),
        "action_units": np.array([[0, 0]] * 3 + [[1, 1], [1, 0], [0, 1]], np.float32),
        "affect": np.ones((B, 1), np.float32),
    }
    return labels, masks


def numpy_of(value):
    return keras.ops.convert_to_numpy(value)


class TestMeanOfParts:
    LOGITS = np.random.default_rng(0).normal(0, 3, (B, P, 4)).astype(np.float32)

    def test_softmax_of_it_is_the_mean_of_softmaxes(self):
        got = softmax(numpy_of(mean_of_parts("multiclass", self.LOGITS)), axis=-1)
        np.testing.assert_allclose(got, softmax(self.LOGITS, axis=-1).mean(1), rtol=1e-5)

    def test_sigmoid_of_it_is_the_mean_of_sigmoids(self):
        got = numpy_of(mean_of_parts("multilabel", self.LOGITS))
        want = logit(expit(self.LOGITS.astype(np.float64)).mean(1))
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)

    def test_of_values_it_is_the_mean(self):
        got = numpy_of(mean_of_parts("regression", self.LOGITS))
        np.testing.assert_allclose(got, self.LOGITS.mean(1), rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize("kind", ["multiclass", "multilabel"])
    def test_far_logits_stay_finite(self, kind):
        far = np.array([[[200.0, -200.0], [-200.0, 200.0]]], np.float32)
        assert np.isfinite(numpy_of(mean_of_parts(kind, far))).all()

    @pytest.mark.parametrize("kind", ["multiclass", "multilabel", "regression"])
    def test_equal_parts_change_nothing(self, kind):
        one = self.LOGITS[:, :1]
        got = numpy_of(mean_of_parts(kind, np.repeat(one, 3, axis=1)))
        want = log_softmax(one[:, 0], axis=-1) if kind == "multiclass" else one[:, 0]
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


class TestParts:
    def test_a_task_loss_is_the_mean_of_the_parts_losses(self):
        model, (labels, masks) = MultiTaskModel(in_parts(), TASKS), batch()
        losses = model.term_losses(rows(), labels, masks)
        features = numpy_of(model.backbone(rows()))
        for task in TASKS:
            kernel, bias = map(numpy_of, model.heads[task.name].weights)
            parts = []
            for part in range(P):
                found = task_loss(
                    task, labels[task.name], features[:, part] @ kernel + bias, masks[task.name]
                )
                values, weights = map(numpy_of, found)
                parts.append((values * weights).sum() / weights.sum())
            np.testing.assert_allclose(losses[task.name], np.mean(parts), rtol=1e-5)

    def test_a_coupling_sees_the_mean(self):
        table = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])
        known = Relatedness(EXPRESSION.labels, UNITS.labels, table, table, "made up")
        model = MultiTaskModel(in_parts(), TASKS, [Coupling(relatedness=known)])
        labels, masks = batch()
        context = model.context(rows(), *model.extract(rows()), labels, masks)
        assert numpy_of(context.part_logits["expression"]).shape == (B, P, 3)
        want = softmax(numpy_of(context.part_logits["expression"]), axis=-1).mean(1)
        np.testing.assert_allclose(
            softmax(numpy_of(context.logits["expression"]), axis=-1), want, rtol=1e-5
        )

    def test_fit_trains_by_the_parts_and_a_saved_model_goes_on(self, tmp_path):
        model, (labels, masks) = MultiTaskModel(in_parts(), TASKS), batch()
        model.compile(optimizer=keras.optimizers.SGD(0.1), jit_compile=False)
        before = model.term_losses(rows(), labels, masks)
        log = model.fit(rows(), labels, sample_weight=masks, batch_size=B, epochs=2, verbose=0)
        np.testing.assert_allclose(
            log.history["expression_loss"][0], before["expression"], rtol=1e-5
        )
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert loaded.sees_features
        for name, value in loaded.predict(rows(), verbose=0).items():
            np.testing.assert_array_equal(value, model.predict(rows(), verbose=0)[name])

    def test_of_a_network_that_is_built_by_its_first_batch(self):
        backbone = keras.Sequential([keras.layers.Dense(P * D), keras.layers.Reshape((P, D))])
        model, (labels, masks) = MultiTaskModel(backbone, TASKS), batch()
        model.compile(optimizer="sgd", run_eagerly=True)
        log = model.fit(rows(), labels, sample_weight=masks, batch_size=B, verbose=0)
        model.evaluate(rows(), labels, sample_weight=masks, batch_size=B, verbose=0)
        assert np.isfinite(log.history["loss"][0])


class TestChain:
    def test_a_head_sees_the_logits_before_it(self):
        inputs = keras.Input((4,))
        backbone = keras.Model(inputs, keras.layers.Dense(D)(inputs))
        model = MultiTaskModel(backbone, TASKS, chain=("action_units", "expression"))
        found = model(rows())
        features = numpy_of(backbone(rows()))
        kernel, bias = map(numpy_of, model.heads["expression"].weights)
        assert kernel.shape == (D + 2, 3)
        seen = np.concatenate([features, numpy_of(found["action_units"])], axis=-1)
        np.testing.assert_allclose(found["expression"], seen @ kernel + bias, rtol=1e-4, atol=1e-5)
        assert numpy_of(model.heads["affect"].kernel).shape == (D, 1)
        assert list(found) == [task.name for task in TASKS]
        again = MultiTaskModel.from_config(model.get_config())
        assert again.chain == model.chain

    def test_of_parts(self):
        model = MultiTaskModel(in_parts(), TASKS, chain=("action_units", "expression"))
        found = model(rows())
        assert found["expression"].shape == (B, 3)

    @pytest.mark.parametrize(
        "chain", [("expression",), ("expression", "expression"), ("expression", "smile")]
    )
    def test_what_is_no_chain(self, chain):
        with pytest.raises(ValueError, match="two different tasks"):
            MultiTaskModel(in_parts(), TASKS, chain=chain)
        with pytest.raises(ValueError, match="two different tasks"):
            TrainConfig(("a",), chain=chain)


class TestSplit:
    def test_features_of_tasks_without_their_own(self):
        features, extras = split({"features": 1, "a": 2, "map": 3}, ["a", "b"])
        assert features == {"a": 2, "b": 1}
        assert extras == {"map": 3}

    def test_a_missing_task_is_named(self):
        with pytest.raises(ValueError, match=r"none for the tasks \['b'\]"):
            split({"a": 2}, ["a", "b"])
