"""The objective of a batch and of an epoch, against NumPy (eq. 1)."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.losses import COUPLING_FORMS, CouplingForm
from mtl_dm.models import Coupling
from tests.losses import references
from tests.models.cases import (
    AFFECT,
    ATTRIBUTES,
    CLASSES,
    EXPRESSION,
    PRINTED,
    TABLE,
    UNITS,
    coupled_model,
    dataset,
    means,
    numpy,
    random_batch,
    term_values,
    trunk,
)

TERMS = ("expression", "action_units", "distribution_matching", "soft_co_annotation")


def objective(model, batch):
    x, labels, masks = batch
    return float(model.compute_loss(x, labels, model(x), masks))


def gradients(model, batch):
    """Gradients of the objective with respect to the logits, by task."""
    x, labels, masks = batch
    logits = {name: tf.convert_to_tensor(each) for name, each in model(x).items()}
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = model.compute_loss(x, labels, logits, masks)
    got = tape.gradient(loss, logits, unconnected_gradients="zero")
    return {name: each.numpy() for name, each in got.items()}


def test_a_mixed_batch_gives_the_sum_of_the_four_terms():
    model, batch = coupled_model(), random_batch()
    want = means(term_values(numpy(model(batch[0])), *batch[1:]))
    assert all(value > 0 for value in want.values())
    assert objective(model, batch) == pytest.approx(sum(want.values()), rel=1e-5)


def test_factors_and_task_weights():
    coupling = Coupling(relatedness=TABLE, matching=0.5, co_annotation=3.0, **PRINTED)
    tasks = EXPRESSION.replace(weight=2.0), UNITS.replace(weight=0.25)
    model, batch = coupled_model(couplings=[coupling], tasks=tasks), random_batch()
    want = means(term_values(numpy(model(batch[0])), *batch[1:]))
    total = np.dot([2.0, 0.25, 0.5, 3.0], [want[name] for name in TERMS])
    assert objective(model, batch) == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize(
    ("factors", "terms"),
    [
        ({"matching": 0.0}, ("expression", "action_units", "soft_co_annotation")),
        ({"co_annotation": 0.0}, ("expression", "action_units", "distribution_matching")),
        ({"matching": 0.0, "co_annotation": 0.0}, ("expression", "action_units")),
    ],
)
def test_a_factor_of_0_switches_a_term_off(factors, terms):
    model = coupled_model(couplings=[Coupling(relatedness=TABLE, **PRINTED, **factors)])
    batch = random_batch()
    want = means(term_values(numpy(model(batch[0])), *batch[1:]))
    assert objective(model, batch) == pytest.approx(sum(want[name] for name in terms), rel=1e-5)
    assert set(model.term_trackers) == set(terms)


def test_the_forms_and_options_of_a_coupling_are_used():
    coupling = Coupling(
        relatedness=TABLE,
        matching_form="bernoulli",
        co_annotation_form="distillation",
        matching_options={"epsilon": 1e-2},
    )
    model, batch = coupled_model(couplings=[coupling]), random_batch()
    logits, (_, labels, masks) = numpy(model(batch[0])), batch
    soft = references.soft_labels(labels["action_units"], masks["action_units"], TABLE.weights)
    terms = term_values(logits, labels, masks)
    terms["distribution_matching"] = (
        references.matching_bernoulli(*(logits[n] for n in TERMS[:2]), TABLE.conditional, 1e-2),
        np.ones(len(batch[0])),
    )
    terms["soft_co_annotation"] = (
        references.co_annotation_distillation(logits["expression"], soft),
        masks["action_units"].max(axis=1),
    )
    assert objective(model, batch) == pytest.approx(sum(means(terms).values()), rel=1e-5)


@pytest.mark.parametrize("size", [3, 7, 20])
def test_an_epochs_terms_are_those_of_the_whole_set_whatever_the_batch_size(size):
    batch = random_batch()
    model = coupled_model()
    want = means(term_values(numpy(model(batch[0])), *batch[1:]))
    model.compile(optimizer=keras.optimizers.SGD(0.0), jit_compile=False)
    history = model.fit(dataset(batch, size), epochs=2, verbose=0, shuffle=False).history
    measured = model.evaluate(dataset(batch, size), verbose=0, return_dict=True)
    for name, value in want.items():
        np.testing.assert_allclose(history[f"{name}_loss"], [value] * 2, rtol=1e-5)
        np.testing.assert_allclose(measured[f"{name}_loss"], value, rtol=1e-5)
    if size == len(batch[0]):
        np.testing.assert_allclose(history["loss"], [sum(want.values())] * 2, rtol=1e-5)


def test_history_holds_terms_and_metrics_of_training_and_validation():
    batch = random_batch()
    model = coupled_model()
    model.compile(optimizer="adam", jit_compile=False)
    data = dataset(batch, 10)
    history = model.fit(data, validation_data=data, verbose=0, shuffle=False).history
    names = {
        "loss", "expression_loss", "action_units_loss", "distribution_matching_loss",
        "soft_co_annotation_loss", "expression_accuracy", "expression_f1", "action_units_f1",
        "action_units_accuracy",
    }  # fmt: skip
    assert names | {f"val_{name}" for name in names} <= set(history)
    assert all(np.isfinite(values).all() for values in history.values())


def test_metrics_of_an_epoch_are_those_of_the_whole_set():
    batch = random_batch(rows=40)
    model = coupled_model()
    logits = numpy(model(batch[0]))
    model.compile(optimizer=keras.optimizers.SGD(0.0), jit_compile=False)
    history = model.fit(dataset(batch, 7), verbose=0, shuffle=False).history
    hits = logits["expression"].argmax(1) == batch[1]["expression"].argmax(1)
    want = hits[batch[2]["expression"] > 0].mean()
    np.testing.assert_allclose(history["expression_accuracy"], [want], rtol=1e-6)


def test_a_batch_without_annotation_for_a_task_adds_0_and_leaves_its_metric_alone():
    annotated, bare = random_batch(seed=1), random_batch(seed=2)
    for part in bare[1:]:
        part["action_units"] = np.zeros_like(part["action_units"])
    model = coupled_model()
    terms = means(term_values(numpy(model(bare[0])), *bare[1:]))
    assert terms["action_units"] == terms["soft_co_annotation"] == 0.0
    assert objective(model, bare) == pytest.approx(sum(terms.values()), rel=1e-5)

    model.compile(optimizer=keras.optimizers.SGD(0.0), jit_compile=False)
    alone = model.evaluate(dataset(annotated, 20), verbose=0, return_dict=True)
    both = dataset(annotated, 20).concatenate(dataset(bare, 20))
    together = model.evaluate(both, verbose=0, return_dict=True)
    for name in alone:
        if name.startswith(("action_units", "soft")):
            assert together[name] == pytest.approx(alone[name], rel=1e-6), name


def test_a_batch_without_any_annotation_keeps_only_the_matching_term():
    x, labels, masks = random_batch()
    bare = x, *({name: 0 * each for name, each in part.items()} for part in (labels, masks))
    model = coupled_model()
    want = means(term_values(numpy(model(x)), *bare[1:]))["distribution_matching"]
    assert objective(model, bare) == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("junk", [np.nan, np.inf, 1e30])
def test_labels_under_mask_0_are_harmless(junk):
    model = coupled_model()
    clean, spoilt = random_batch(), random_batch(junk=junk)
    assert not np.array_equal(clean[1]["action_units"], spoilt[1]["action_units"])
    assert objective(model, spoilt) == objective(model, clean)
    got, want = gradients(model, spoilt), gradients(model, clean)
    for name in want:
        np.testing.assert_array_equal(got[name], want[name])
    model.compile(optimizer="sgd", run_eagerly=True)
    history = model.fit(dataset(spoilt, 7), verbose=0, shuffle=False).history
    assert all(np.isfinite(values).all() for values in history.values())


def test_a_task_that_the_labels_lack_counts_as_not_annotated():
    x, labels, masks = random_batch()
    masks["action_units"] *= 0
    labels["action_units"] *= 0
    model = coupled_model()
    want = objective(model, (x, labels, masks))
    del labels["action_units"]
    assert objective(model, (x, labels, masks)) == want
    del masks["action_units"]
    assert objective(model, (x, labels, masks)) == want
    model.compile(optimizer="sgd", run_eagerly=True)
    history = model.fit(dataset((x, labels, masks), 20), verbose=0, shuffle=False).history
    assert history["loss"] == [pytest.approx(want, rel=1e-5)]
    assert history["action_units_loss"] == [0.0]


def test_labels_of_a_task_that_the_model_lacks_are_ignored():
    x, labels, masks = random_batch()
    model = coupled_model()
    want = objective(model, (x, labels, masks))
    labels["identity"], masks["identity"] = np.eye(20, dtype=np.float32), np.ones(20, np.float32)
    assert objective(model, (x, labels, masks)) == want


@pytest.mark.parametrize("absent", ["all", "one"])
def test_labels_without_masks_count_as_annotated(absent):
    x, labels, masks = random_batch()
    model = coupled_model()
    if absent == "all":
        full = {name: np.ones_like(mask) for name, mask in masks.items()}
        partial = None
    else:
        full = {**masks, "expression": np.ones_like(masks["expression"])}
        partial = {"action_units": masks["action_units"]}
    want = objective(model, (x, labels, full))
    assert objective(model, (x, labels, partial)) == want
    model.compile(optimizer="sgd", run_eagerly=True)
    batch = (x, labels) if partial is None else (x, labels, partial)
    history = model.fit(dataset(batch, 20), verbose=0, shuffle=False).history
    assert history["loss"] == [pytest.approx(want, rel=1e-5)]


def test_masks_of_another_type():
    x, labels, masks = random_batch()
    model = coupled_model()
    want = objective(model, (x, labels, masks))
    for dtype in ("bool", "int32", "float64"):
        cast = {name: mask.astype(dtype) for name, mask in masks.items()}
        assert objective(model, (x, labels, cast)) == want


def spoil(part, name, array):
    batch = list(random_batch())
    batch[part] = {**batch[part], name: array.astype(np.float32)}
    return tuple(batch)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (
            spoil(2, "expression", np.ones((20, 4))),
            r"masks\['expression'\] must have shape \(20,\)",
        ),
        (
            spoil(2, "action_units", np.ones(20)),
            r"masks\['action_units'\] must have shape \(20, 5\)",
        ),
        (spoil(2, "action_units", np.ones((20, 4))), r"masks\['action_units'\] must have shape"),
        (
            spoil(1, "expression", np.ones((20, 5))),
            r"labels\['expression'\] must have shape \(20, 4\)",
        ),
        (spoil(1, "expression", np.ones(20)), r"labels\['expression'\] must have shape"),
        (spoil(1, "action_units", np.ones((19, 5))), r"labels\['action_units'\] must have shape"),
    ],
)
def test_wrong_shapes_name_the_task(batch, message):
    with pytest.raises(ValueError, match=message):
        objective(coupled_model(), batch)


def test_a_wrong_mask_shape_stops_fit():
    model = coupled_model()
    model.compile(optimizer="sgd", run_eagerly=True)
    x, labels, masks = random_batch()
    masks["action_units"] = masks["action_units"][:, :3]
    with pytest.raises(ValueError, match=r"masks\['action_units'\] must have shape"):
        model.fit(dataset((x, labels, masks), 20), verbose=0, shuffle=False)


@pytest.mark.parametrize("labels", [None, np.zeros((20, 4), np.float32), ["expression"]])
def test_labels_must_be_a_dictionary(labels):
    x, _, masks = random_batch()
    model = coupled_model()
    with pytest.raises(ValueError, match=r"Labels must be a dictionary by task name.*expression"):
        model.compute_loss(x, labels, model(x), masks)


def test_masks_must_be_a_dictionary():
    x, labels, _ = random_batch()
    model = coupled_model()
    with pytest.raises(ValueError, match=r"[Mm]asks must be a dictionary by task name"):
        model.compute_loss(x, labels, model(x), np.ones(20, np.float32))


def test_couplings_leave_labels_outside_their_relatedness_alone():
    part = TABLE.restrict(["sadness", "happiness"], ["AU12", "AU1"])  # another order, too
    tasks = EXPRESSION.replace(weight=0.0), UNITS.replace(weight=0.0)
    model = coupled_model(couplings=[Coupling(relatedness=part, **PRINTED)], tasks=tasks)
    x, labels, masks = random_batch()
    masks["expression"] *= 0
    got = gradients(model, (x, labels, masks))
    for name, all_labels, covered in (
        ("expression", CLASSES, part.classes),
        ("action_units", ATTRIBUTES, part.attributes),
    ):
        touched = np.isin(all_labels, covered)
        assert (got[name][:, ~touched] == 0).all()
        assert np.any(got[name][:, touched] != 0, axis=0).all()


def test_a_coupling_over_a_part_equals_numpy_on_that_part():
    part = TABLE.restrict(["sadness", "happiness"], ["AU12", "AU1"])
    model = coupled_model(couplings=[Coupling(relatedness=part, **PRINTED)])
    x, labels, masks = random_batch()
    logits = numpy(model(x))
    k = [CLASSES.index(name) for name in part.classes]
    m = [ATTRIBUTES.index(name) for name in part.attributes]
    # Images known to show another class are left alone; unlabelled ones are not.
    covered = 1 - masks["expression"] * (labels["expression"][:, k].sum(1) == 0)
    assert 0 < covered.sum() < len(covered)
    terms = term_values(logits, labels, masks)
    of_part = term_values(
        {"expression": logits["expression"][:, k], "action_units": logits["action_units"][:, m]},
        {"expression": labels["expression"][:, k], "action_units": labels["action_units"][:, m]},
        {**masks, "action_units": masks["action_units"][:, m]},
        part,
    )
    for name in ("distribution_matching", "soft_co_annotation"):
        values, weights = of_part[name]
        terms[name] = (values, weights * covered)
    assert objective(model, (x, labels, masks)) == pytest.approx(
        sum(means(terms).values()), rel=1e-5
    )


def test_an_image_of_a_class_outside_the_relatedness_is_left_alone():
    part = TABLE.restrict(classes=["happiness", "sadness", "fear"])
    tasks = EXPRESSION.replace(weight=0.0), UNITS.replace(weight=0.0)
    model = coupled_model(couplings=[Coupling(relatedness=part, **PRINTED)], tasks=tasks)
    x, labels, masks = random_batch()
    masks = {name: np.ones_like(mask) for name, mask in masks.items()}
    neutral = labels["expression"][:, 0] == 1
    assert 0 < neutral.sum() < len(neutral)
    labels["expression"][labels["expression"].sum(1) == 0] = np.eye(4)[1]
    for each in gradients(model, (x, labels, masks)).values():
        assert (each[neutral] == 0).all()
        assert np.any(each[~neutral] != 0, axis=1).all()


def test_a_form_may_give_one_value_per_batch(monkeypatch):
    def batch_form(class_logits, attribute_logits, relatedness, labels, masks):
        value = keras.ops.mean(keras.ops.square(class_logits))
        return value, keras.ops.ones(())

    form = CouplingForm(batch_form, ("probabilities",), "distribution_matching")
    monkeypatch.setitem(COUPLING_FORMS._entries, "distribution_matching/per_batch", form)
    batch = random_batch()
    for table, columns in (
        (TABLE, slice(None)),
        (TABLE.restrict(classes=CLASSES[1:]), slice(1, 4)),
    ):
        coupling = Coupling(relatedness=table, matching_form="per_batch", co_annotation=0.0)
        model = coupled_model(couplings=[coupling])
        logits = numpy(model(batch[0]))
        want = means(term_values(logits, *batch[1:]))
        term = np.mean(logits["expression"][:, columns] ** 2)
        total = want["expression"] + want["action_units"] + term
        assert objective(model, batch) == pytest.approx(total, rel=1e-5)
        model.compile(optimizer=keras.optimizers.SGD(0.0), run_eagerly=True)
        history = model.fit(dataset(batch, 20), verbose=0, shuffle=False).history
        assert history["distribution_matching_loss"] == [pytest.approx(term, rel=1e-5)]


def test_two_couplings_have_terms_of_their_own():
    other = UNITS.replace(name="more_units")
    couplings = [
        Coupling(relatedness=TABLE, co_annotation=0.0, **PRINTED),
        Coupling("expression", "more_units", TABLE, co_annotation=0.0, matching_form="bernoulli"),
    ]
    tasks = (EXPRESSION, UNITS, other)
    model = coupled_model(couplings=couplings, tasks=tasks)
    batch = random_batch(tasks=tasks)
    logits = numpy(model(batch[0]))
    terms = term_values(logits, *batch[1:])
    del terms["soft_co_annotation"]
    terms["more_units"] = (
        references.binary_cross_entropy(*(p["more_units"] for p in (batch[1], logits, batch[2]))),
        batch[2]["more_units"].max(axis=1),
    )
    terms["second"] = (
        references.matching_bernoulli(
            logits["expression"], logits["more_units"], TABLE.conditional
        ),
        np.ones(20),
    )
    assert objective(model, batch) == pytest.approx(sum(means(terms).values()), rel=1e-5)
    assert len([name for name in model.term_trackers if "distribution_matching" in name]) == 2


def test_label_smoothing_and_sum_reduction_reach_the_losses():
    tasks = EXPRESSION.replace(label_smoothing=0.3), UNITS.replace(reduction="sum")
    model, (x, labels, masks) = coupled_model(couplings=(), tasks=tasks), random_batch()
    logits = numpy(model(x))
    e, u = "expression", "action_units"
    want = references.weighted_mean(
        references.cross_entropy(labels[e], logits[e], masks[e], 0.3), masks[e]
    ) + references.weighted_mean(
        references.binary_cross_entropy(labels[u], logits[u], masks[u], "sum"),
        masks[u].max(axis=1),
    )
    assert objective(model, (x, labels, masks)) == pytest.approx(want, rel=1e-5)


def test_a_regression_task():
    model = coupled_model(couplings=(), tasks=[EXPRESSION, AFFECT])
    batch = random_batch(rows=60, junk=np.nan, tasks=[EXPRESSION, AFFECT])
    x, labels, masks = batch
    logits = numpy(model(x))
    want = references.weighted_mean(
        references.squared_error(labels["affect"], logits["affect"], masks["affect"]),
        masks["affect"].max(axis=1),
    ) + references.weighted_mean(
        references.cross_entropy(labels["expression"], logits["expression"], masks["expression"]),
        masks["expression"],
    )
    assert objective(model, batch) == pytest.approx(want, rel=1e-5)
    model.compile(optimizer=keras.optimizers.Adam(0.03), run_eagerly=True)
    history = model.fit(dataset(batch, 60), epochs=20, verbose=0, shuffle=False).history
    assert history["affect_loss"][-1] < 0.9 * history["affect_loss"][0]
    assert {"affect_ccc", "affect_loss"} <= set(history)


@keras.saving.register_keras_serializable("tests")
class Penalised(keras.layers.Layer):
    """Features and a loss of its own, as NTS-Net's navigator adds one."""

    def __init__(self, **options):
        super().__init__(**options)
        self.dense = keras.layers.Dense(6)

    def call(self, inputs):
        features = self.dense(inputs)
        self.add_loss(keras.ops.mean(keras.ops.square(features)))
        return features


def test_a_loss_that_the_backbone_adds_counts_once():
    model, batch = coupled_model(Penalised()), random_batch()
    want = sum(means(term_values(numpy(model(batch[0])), *batch[1:])).values())
    want += np.mean(keras.ops.convert_to_numpy(model.backbone(batch[0])) ** 2)
    for run_eagerly in (False, True):
        model.compile(
            optimizer=keras.optimizers.SGD(0.0), jit_compile=False, run_eagerly=run_eagerly
        )
        history = model.fit(dataset(batch, 20), epochs=3, verbose=0, shuffle=False).history
        np.testing.assert_allclose(history["loss"], [want] * 3, rtol=1e-5)
    measured = model.evaluate(dataset(batch, 20), verbose=0, return_dict=True)
    assert measured["loss"] == pytest.approx(want, rel=1e-5)


def test_a_regulariser_of_the_backbone_counts_once():
    model = coupled_model(trunk(kernel_regularizer=keras.regularizers.L2(0.5)))
    batch = random_batch()
    kernel = model.backbone.get_weights()[0]
    want = sum(means(term_values(numpy(model(batch[0])), *batch[1:])).values())
    assert objective(model, batch) == pytest.approx(want + 0.5 * np.sum(kernel**2), rel=1e-5)


def test_gradients_of_the_objective_equal_central_differences():
    model, batch = coupled_model(), random_batch(rows=8)
    logits = {name: each.astype(np.float64) for name, each in numpy(model(batch[0])).items()}
    for name, got in gradients(model, batch).items():
        want = references.central_differences(
            lambda z, name=name: sum(means(term_values({**logits, name: z}, *batch[1:])).values()),
            logits[name],
        )
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
