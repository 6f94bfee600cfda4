"""Loss terms that a user, a backbone or a layer adds."""

import keras
import numpy as np
import pytest

from mtl_dm.balancing import StaticWeighting, Uncertainty
from mtl_dm.models import Term, TermProvider
from tests.models.cases import (
    AFFECT,
    EXPRESSION,
    UNITS,
    coupled_model,
    dataset,
    numpy,
    random_batch,
    trunk,
)
from tests.models.providers import Centre, Parts, Raw

ROWS = 12
TASKS = (EXPRESSION, UNITS)


def compiled(model, **options):
    model.compile(keras.optimizers.SGD(0.05), run_eagerly=True, **options)
    return model


def fit(model, batch, epochs=1, size=ROWS):
    return model.fit(dataset(batch, size), epochs=epochs, verbose=0, shuffle=False).history


def parts_batch():
    rng = np.random.default_rng(1)
    inputs = {"face": rng.normal(size=(ROWS, 3)), "voice": rng.normal(size=(ROWS, 2))}
    inputs = {name: each.astype(np.float32) for name, each in inputs.items()}
    return inputs, *random_batch(ROWS)[1:]


class Given(TermProvider):
    """Returns what a test gives it."""

    def __init__(self, terms, names=("extra",)):
        self._terms, self._names = terms, names

    @property
    def term_names(self):
        return self._names

    def terms(self, context):
        return self._terms(context) if callable(self._terms) else self._terms


def objective(model, batch):
    x, labels, masks = batch
    return float(model.compute_loss(x, labels, model(x), masks))


class TestProviders:
    def test_a_users_term_counts_with_its_factor_and_is_logged_without(self):
        batch = random_batch(ROWS)
        provider = Centre(factor=0.25)
        model = coupled_model(terms=[provider])
        features = numpy(model.extract(batch[0])[0])["expression"]
        mask = batch[2]["expression"]
        want = (((features - 1.0) ** 2).sum(axis=1) * mask).sum() / mask.sum()
        whole = objective(model, batch)
        assert float(model.term_trackers["centre"].result()) == pytest.approx(want, rel=1e-5)
        model.term_scales["centre"].assign(0.0)
        assert whole - objective(model, batch) == pytest.approx(0.25 * want, rel=1e-4)

    def test_its_weights_are_trained_and_the_log_is_in_fit_and_evaluate(self):
        batch = random_batch(ROWS)
        provider = Centre()
        model = compiled(coupled_model(terms=[provider]))
        history = fit(model, batch, epochs=3)
        assert history["centre_loss"][-1] < history["centre_loss"][0]
        assert np.any(keras.ops.convert_to_numpy(provider.centre) != 1.0)
        measured = model.evaluate(dataset(batch, ROWS), verbose=0, return_dict=True)
        assert measured["centre_loss"] < history["centre_loss"][-1]
        assert measured["loss"] == pytest.approx(objective(model, batch), rel=1e-5)

    def test_evaluation_in_batches_is_that_of_all_images(self):
        batch = random_batch(ROWS)
        for mask in batch[2].values():
            mask[:] = 1  # As many labels in each batch.
        model = compiled(coupled_model(couplings=(), terms=[Centre()]))
        fit(model, batch)
        one, many = (
            model.evaluate(dataset(batch, size), verbose=0, return_dict=True) for size in (ROWS, 5)
        )
        for name in ("loss", "centre_loss"):
            assert many[name] == pytest.approx(one[name], rel=1e-5)

    def test_a_backbone_brings_its_own_with_extras_and_inputs_by_name(self):
        batch = parts_batch()
        model = compiled(coupled_model(Parts()))
        logits = model(batch[0])
        assert set(logits) == {"expression", "action_units"}
        parts = keras.ops.convert_to_numpy(model.backbone(batch[0])["parts"])
        want = ((parts - batch[0]["voice"]) ** 2).sum(axis=1).mean()
        history = fit(model, batch, epochs=3)
        assert history["parts_loss"][0] == pytest.approx(want, rel=1e-5)
        assert history["parts_loss"][-1] < history["parts_loss"][0]

    @pytest.mark.parametrize("kind", ["user's", "backbone's"])
    def test_saved_loaded_and_trained_on(self, kind, tmp_path):
        if kind == "user's":
            model, batch = coupled_model(terms=[Centre(factor=0.3)]), random_batch(ROWS)
        else:
            model, batch = coupled_model(Parts(width=5)), parts_batch()
        fit(compiled(model), batch)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        loaded.run_eagerly = True
        assert list(loaded.term_trackers) == list(model.term_trackers)
        for got, want in zip(loaded.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(got, want)
        want, got = fit(model, batch), fit(loaded, batch)
        assert got == want
        for got, want in zip(loaded.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(got, want)

    def test_a_term_of_the_whole_batch(self):
        model, batch = coupled_model(couplings=()), random_batch(ROWS)
        plain = objective(model, batch)
        model = coupled_model(
            model.backbone, (), terms=[Given({"extra": Term(np.float32(3), np.float32(2), 0.5)})]
        )
        model.set_weights([*model.get_weights()])
        with_term = objective(model, batch)
        of_tasks = sum(float(model.term_trackers[task.name].result()) for task in TASKS)
        assert with_term == pytest.approx(of_tasks + 1.5, rel=1e-5)
        assert np.isfinite(plain)

    def test_half_precision(self):
        keras.config.set_dtype_policy("mixed_float16")
        model = compiled(coupled_model(Parts(), terms=[Centre()]))
        assert isinstance(model.optimizer, keras.optimizers.Optimizer)
        history = fit(model, parts_batch())
        assert np.isfinite(list(history.values())).all()


class TestBrokenProviders:
    @pytest.mark.parametrize(
        ("terms", "message"),
        [
            ({}, r"Given must return the terms \['extra'\], got \[\]"),
            ({"other": Term(0.0, 1.0)}, r"must return the terms \['extra'\], got \['other'\]"),
            (
                {"extra": Term(np.zeros(3), np.ones(3)), "more": Term(0.0, 1.0)},
                r"got \['extra', 'more'\]",
            ),
            (7, r"must return the terms \['extra'\], got int"),
            (
                {"extra": Term(np.zeros((12, 2)), np.ones(12))},
                r"Given: term 'extra' must have .* \[B\], or a scalar each, got \(12, 2\) and \(12",
            ),
            ({"extra": Term(np.zeros(12), np.float32(1))}, r"got \(12,\) and \(\)"),
            ({"extra": Term(np.zeros(12), np.ones(12), np.ones(2))}, "factor of term 'extra'"),
            ({"extra": Term(np.zeros(12), np.ones(7))}, r"got \(12,\) and \(7,\)"),
        ],
    )
    def test_what_is_wrong_is_named(self, terms, message):
        model = coupled_model(terms=[Given(terms)])
        with pytest.raises(ValueError, match=message):
            objective(model, random_batch(ROWS))

    @pytest.mark.parametrize(
        ("asks", "message"),
        [
            (lambda c: c.inputs["depth"], r"no input 'depth'. There are: \['face', 'voice'\]"),
            (lambda c: c.extras["part"], r"no extra of the backbone 'part'.*\['affect', 'parts'\]"),
            (lambda c: c.features["age"], "no features of the task 'age'"),
            (lambda c: c.logits["age"], "no logits of the task 'age'"),
            (lambda c: c.labels["age"], r"no label 'age'.*\['action_units', 'expression'\]"),
            (lambda c: c.masks["age"], "no mask 'age'"),
        ],
    )
    def test_what_a_batch_lacks_is_named(self, asks, message):
        model = coupled_model(Parts(), terms=[Given(asks)])
        with pytest.raises(ValueError, match=message):
            objective(model, parts_batch())

    @pytest.mark.parametrize(
        ("names", "repeated"),
        [
            (("expression",), "expression"),
            (("distribution_matching",), "distribution_matching"),
            (("a", "a"), "a"),
            (("auxiliary",), "auxiliary"),
        ],
    )
    def test_names_must_be_free(self, names, repeated):
        with pytest.raises(ValueError, match=rf"different names, repeated: \['{repeated}'\]"):
            coupled_model(terms=[Given({}, names)])

    def test_labels_of_no_task_are_there_for_terms(self):
        def terms(context):
            values = context.labels["centre"][:, 0]
            return {"extra": Term(values, context.masks["centre"])}

        model, (x, labels, masks) = coupled_model(terms=[Given(terms)]), random_batch(ROWS)
        labels["centre"] = np.arange(ROWS, dtype=np.float32)[:, None]
        masks["centre"] = (np.arange(ROWS) < 3).astype(np.float32)
        objective(model, (x, labels, masks))
        assert float(model.term_trackers["extra"].result()) == pytest.approx(1.0)


class TestAddedLosses:
    """What layers add themselves is one more term, "auxiliary"."""

    @pytest.mark.parametrize("eager", [True, False])
    def test_is_logged_and_counted(self, eager):
        batch = random_batch(ROWS)
        model = coupled_model(Raw(penalty=2.0), ())
        model.compile(keras.optimizers.SGD(0.0), run_eagerly=eager, jit_compile=False)
        history = fit(model, batch)
        features = keras.ops.convert_to_numpy(model.backbone(batch[0]))
        want = 2.0 * (features**2).mean()
        assert history["auxiliary_loss"][0] == pytest.approx(want, rel=1e-5)
        tasks = sum(history[f"{task.name}_loss"][0] for task in TASKS)
        assert history["loss"][0] == pytest.approx(tasks + want, rel=1e-5)

    def test_is_balanced(self):
        batch = random_batch(ROWS)
        model = compiled(coupled_model(Raw(), (), balancing=StaticWeighting(auxiliary=10.0)))
        history = fit(model, batch)
        tasks = sum(history[f"{task.name}_loss"][0] for task in TASKS)
        want = tasks + 10 * history["auxiliary_loss"][0]
        assert history["loss"][0] == pytest.approx(want, rel=1e-5)

    def test_one_that_is_added_in_training_alone_is_absent_elsewhere(self):
        # With a learned variance a term: an absent one pays nothing.
        batch = random_batch(ROWS)
        model = compiled(coupled_model(Raw(), (), balancing=Uncertainty()))
        history = fit(model, batch, epochs=2)
        assert "auxiliary" in model.balancing.log_variances
        assert history["auxiliary_loss"][-1] > 0
        before = model.evaluate(dataset(batch, ROWS), verbose=0, return_dict=True)
        model.balancing.log_variances["auxiliary"].assign(5.0)
        after = model.evaluate(dataset(batch, ROWS), verbose=0, return_dict=True)
        assert after["loss"] == pytest.approx(before["loss"], rel=1e-6)

    def test_a_regulariser_is_one(self):
        model = coupled_model(trunk(kernel_regularizer=keras.regularizers.L2(0.5)), ())
        history = fit(compiled(model), random_batch(ROWS))
        assert history["auxiliary_loss"][0] > 0

    def test_of_a_functional_backbone_too(self):
        inputs = keras.Input((3,))
        model = coupled_model(keras.Model(inputs, Raw()(inputs)), (), balancing=Uncertainty())
        assert "auxiliary" in model.balancing.log_variances

    def test_without_any_there_is_no_such_term(self):
        model = coupled_model(Raw(penalty=0.0), ())
        assert "auxiliary_loss" not in fit(compiled(model), random_batch(ROWS))

    def test_saved_and_loaded(self, tmp_path):
        batch = random_batch(ROWS)
        model = compiled(coupled_model(Raw(), balancing=Uncertainty()))
        fit(model, batch)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        loaded.run_eagerly = True
        assert fit(loaded, batch) == fit(model, batch)


class TestFit:
    @pytest.mark.parametrize(
        ("option", "value", "use"),
        [
            ("loss", "mse", r"Task.regression\(loss=...\).*terms=\[...\]"),
            ("loss_weights", {"expression": 2.0}, r"Task\(weight=...\)"),
            ("metrics", ["accuracy"], "mtl_dm.metrics.evaluate"),
            ("weighted_metrics", ["accuracy"], "metrics that every task brings"),
        ],
    )
    def test_what_tasks_bring_is_refused_in_compile(self, option, value, use):
        with pytest.raises(ValueError, match=f"compile takes no {option}, got .*Use .*{use}"):
            coupled_model().compile("sgd", **{option: value})

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"expresion": "expression"}, "'expresion', which is no task, and lacks 'expression'"),
            (
                {"a": "expression", "b": "action_units"},
                r"None of the labels \['a', 'b'\] is of a task; tasks: \['expression', 'action_un",
            ),
        ],
    )
    @pytest.mark.parametrize("own_step", [False, True])
    def test_misspelt_labels_are_refused(self, change, message, own_step):
        x, labels, masks = random_batch(ROWS)
        for new, old in change.items():
            labels[new], masks[new] = labels.pop(old), masks.pop(old)
        model = compiled(coupled_model(terms=[Centre()] if own_step else []))
        with pytest.raises(ValueError, match=message):
            fit(model, (x, labels, masks))

    def test_a_mask_of_no_label_is_refused(self):
        x, labels, masks = random_batch(ROWS)
        masks["affect"] = np.ones((ROWS, 2), np.float32)
        with pytest.raises(ValueError, match="a mask 'affect' without such labels"):
            fit(compiled(coupled_model()), (x, labels, masks))

    def test_a_batch_without_any_label_is_no_fault(self):
        x, _, _ = random_batch(ROWS)
        model = compiled(coupled_model(tasks=(EXPRESSION, UNITS, AFFECT)))
        history = fit(model, (x, {}, {}))
        assert np.isfinite(history["loss"]).all()
        assert history["expression_loss"] == [0.0]


@keras.saving.register_keras_serializable("tests")
class Lazy(TermProvider, keras.layers.Layer):
    """Its inner layer has no weights until it is called."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.layers.Dense(1)

    @property
    def term_names(self):
        return ["lazy"]

    def terms(self, context):
        values = keras.ops.square(self.inner(context.features["expression"]))[:, 0]
        return {"lazy": Term(values, keras.ops.ones_like(values))}


def test_weights_that_a_provider_makes_too_late_are_named():
    model = coupled_model(terms=[Lazy()])
    model(np.zeros((1, 3), np.float32))
    model.compile("sgd", run_eagerly=True)
    with pytest.raises(ValueError, match=r"provider Lazy makes weights .*__init__"):
        model.fit(dataset(random_batch(), 20), verbose=0, shuffle=False)
