import keras
import numpy as np
import pytest

from mtl_dm import data, metrics
from mtl_dm.measuring.evaluation import choose_thresholds, evaluate, evaluate_tuned, predict
from mtl_dm.models import MultiTaskModel
from mtl_dm.tasks import Task

TASKS = (
    Task.multiclass("expression", ["neutral", "happiness", "sadness"]),
    Task.multilabel("action_units", ["AU1", "AU2", "AU6", "AU12"]),
    Task.regression("affect", ["valence", "arousal"]),
)
ROWS = 23


def arrays():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(ROWS, 5)).astype(np.float32)
    labels = {
        "expression": rng.integers(-1, 3, ROWS),
        "action_units": rng.integers(-1, 2, (ROWS, 4)).astype(np.int8),
        "affect": np.where(rng.random((ROWS, 2)) < 0.2, np.nan, rng.normal(size=(ROWS, 2))),
    }
    return inputs, labels


@pytest.fixture(scope="module")
def case():
    inputs, labels = arrays()
    keras.utils.set_random_seed(0)
    # Dropout and batch normalisation would show a forward pass in training mode.
    backbone = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(8), keras.layers.Dropout(0.5)]
    )
    model = MultiTaskModel(backbone, TASKS)
    model.build((None, 5))
    source = data.from_arrays(inputs, labels, TASKS)
    whole = next(iter(source.batch(ROWS)))
    logits = {name: np.asarray(values) for name, values in model(inputs, training=False).items()}
    return model, source, whole, logits


def expected(whole, logits, columns=None):
    _, labels, masks = whole
    columns = columns or {}
    return {
        task.name: metrics.evaluate(
            task,
            labels[task.name].numpy(),
            logits[task.name],
            masks[task.name].numpy() * columns.get(task.name, 1.0),
        )
        for task in TASKS
    }


@pytest.mark.parametrize("batch_size", [1, 7, ROWS, 100])
def test_equals_metrics_on_the_whole_set(case, batch_size):
    model, source, whole, logits = case
    found = evaluate(model, source, batch_size=batch_size)
    wanted = expected(whole, logits)
    assert set(found) == set(wanted)
    for name, values in wanted.items():
        assert found[name] == pytest.approx(values, abs=1e-5, nan_ok=True)
    assert {"accuracy", "f1/happiness"} < set(found["expression"])
    assert {"afa", "f1/AU12"} < set(found["action_units"])


def test_columns_restrict_what_is_scored(case):
    model, source, whole, logits = case
    columns = {"action_units": np.array([1.0, 0.0, 0.0, 1.0])}
    found = evaluate(model, source, columns=columns, batch_size=4)
    wanted = expected(whole, logits, columns)
    assert found["action_units"] == pytest.approx(wanted["action_units"], abs=1e-5, nan_ok=True)
    # Against the plain reading: the mean over the two that are left.
    all_f1 = expected(whole, logits)["action_units"]
    kept = (all_f1["f1/AU1"] + all_f1["f1/AU12"]) / 2
    assert found["action_units"]["f1"] == pytest.approx(kept)
    assert np.isnan(found["action_units"]["f1/AU2"])
    # Tasks not named stay whole.
    assert found["expression"] == pytest.approx(expected(whole, logits)["expression"], nan_ok=True)


def test_only_tasks_of_the_source(case):
    model = case[0]
    inputs, labels = arrays()
    source = data.from_arrays(inputs, {"expression": labels["expression"]}, TASKS)
    assert list(evaluate(model, source)) == ["expression"]


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_predict_keeps_the_order(case, batch_size):
    model, source, _, logits = case
    found = predict(model, source, batch_size)
    assert set(found) == set(logits)
    for name, values in logits.items():
        assert found[name].shape == values.shape
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6)


def test_predict_keeps_the_tasks_that_are_named(case):
    model, source, _, logits = case
    found = predict(model, source, names=["affect"])
    assert set(found) == {"affect"}
    np.testing.assert_allclose(found["affect"], logits["affect"], rtol=1e-5, atol=1e-6)


def test_thresholds_are_the_best_for_f1_and_apply():
    inputs, labels = arrays()
    model = MultiTaskModel(keras.Sequential([keras.Input((5,)), keras.layers.Dense(8)]), TASKS)
    model.build((None, 5))
    source = data.from_arrays(inputs, labels, TASKS)
    thresholds = choose_thresholds(model, source)
    assert set(thresholds) == {"action_units"}
    _, truth, masks = next(iter(source.batch(ROWS)))
    logits = predict(model, source)["action_units"]
    want = metrics.best_f1_thresholds(
        TASKS[1], truth["action_units"].numpy(), logits, masks["action_units"].numpy()
    )
    np.testing.assert_array_equal(thresholds["action_units"], want)
    tuned = evaluate(model, source, thresholds=thresholds)
    plain = evaluate(model, source)
    assert tuned["action_units"]["f1"] > plain["action_units"]["f1"]
    assert tuned["expression"] == plain["expression"]


TUNED = {"action_units": np.array([0.2, 0.3, 0.4, 0.9])}


class TestTuned:
    def test_equals_two_evaluations(self, case):
        model, source, _, _ = case
        columns = {"action_units": np.array([1.0, 0.0, 1.0, 1.0])}
        found = evaluate_tuned(model, source, TUNED, columns=columns, batch_size=7)
        plain = evaluate(model, source, columns=columns)
        tuned = evaluate(model, source, columns=columns, thresholds=TUNED)
        assert found["expression"] == pytest.approx(plain["expression"], nan_ok=True)
        units = found["action_units"]
        assert {name: units[name] for name in plain["action_units"]} == pytest.approx(
            plain["action_units"], nan_ok=True
        )
        for name in ("accuracy", "f1", "afa"):
            assert units[f"{name}_tuned"] == pytest.approx(tuned["action_units"][name])
        assert units["f1_tuned"] != pytest.approx(units["f1"])
        assert units["f1_tuned/AU12"] == pytest.approx(tuned["action_units"]["f1/AU12"])
        assert np.isnan(units["f1_tuned/AU2"])
        # A threshold has no effect on the ranking.
        assert not any(name.startswith(("average_precision_", "base_rate_")) for name in units)

    def test_without_thresholds_nothing_is_beside(self, case):
        model, source, _, _ = case
        found = evaluate_tuned(model, source, {"of another model": np.array([0.5])})
        plain = evaluate(model, source)
        assert set(found) == set(plain)
        for name, metrics_of in plain.items():
            assert found[name] == pytest.approx(metrics_of, nan_ok=True)

    def test_thresholds_of_classes_are_refused(self, case):
        model, source, _, _ = case
        with pytest.raises(ValueError, match="must be None for a multiclass task"):
            evaluate_tuned(model, source, {"expression": np.array([0.5, 0.5, 0.5])})

    def test_left_out_columns_keep_one_half(self, case):
        model, source, _, _ = case
        every = choose_thresholds(model, source)["action_units"]
        columns = {"action_units": np.array([1.0, 0.0, 1.0, 0.0])}
        some = choose_thresholds(model, source, columns=columns)["action_units"]
        np.testing.assert_array_equal(some, [every[0], 0.5, every[2], 0.5])
        assert 0.5 not in every
