"""What every coupling form keeps to; a new entry of a registry is tested by being there."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.losses import CO_ANNOTATION_FORMS, MATCHING_FORMS, option_names, weighted_mean
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.relatedness import Relatedness
from mtl_dm.tasks import Task

B, K, M = 10, 4, 6
CLASSES = tuple("abcd")
ATTRIBUTES = tuple("uvwxyz")
FORMS = {
    f"{kind}: {name}": registry.get(name)
    for kind, registry in (("matching", MATCHING_FORMS), ("co-annotation", CO_ANNOTATION_FORMS))
    for name in registry
}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())


def table():
    rng = np.random.default_rng(1)
    weights = rng.choice([0.0, 0.3, 1.0], (K, M))
    weights[0] = 0  # a class without attributes
    weights[:, 1] = 0  # an attribute of no class
    return Relatedness(CLASSES, ATTRIBUTES, weights > 0, weights, "random")


def inputs(seed=0, scale=2.0):
    """The arguments of a form by name, partly annotated on both sides."""
    rng = np.random.default_rng(seed)
    class_mask, attribute_mask = rng.integers(0, 2, B), rng.integers(0, 2, (B, M))
    attribute_mask[:2], attribute_mask[2] = 0, 1
    classes = np.eye(K)[rng.integers(0, K, B)] * class_mask[:, None]
    attributes = rng.integers(0, 2, (B, M)) * attribute_mask
    f = np.float32
    return {
        "class_logits": (scale * rng.normal(size=(B, K))).astype(f),
        "attribute_logits": (scale * rng.normal(size=(B, M))).astype(f),
        "relatedness": table(),
        "labels": {"classes": classes.astype(f), "attributes": attributes.astype(f)},
        "masks": {"classes": class_mask.astype(f), "attributes": attribute_mask.astype(f)},
    }


def rows_of(arguments, rows):
    return {
        **arguments,
        "class_logits": arguments["class_logits"][rows],
        "attribute_logits": arguments["attribute_logits"][rows],
        "labels": {name: array[rows] for name, array in arguments["labels"].items()},
        "masks": {name: array[rows] for name, array in arguments["masks"].items()},
    }


def call(form, arguments, **options):
    values, weights = form(**arguments, **options)
    return keras.ops.convert_to_numpy(values), keras.ops.convert_to_numpy(weights)


def gradients(form, arguments, dtype="float32"):
    """The gradients of the term with respect to both logits."""
    logits = [tf.cast(arguments[name], dtype) for name in ("class_logits", "attribute_logits")]
    with tf.GradientTape() as tape:
        tape.watch(logits)
        values, weights = form(
            **{**arguments, "class_logits": logits[0], "attribute_logits": logits[1]}
        )
        term = weighted_mean(values, weights)
    return [each.numpy() for each in tape.gradient(term, logits, unconnected_gradients="zero")]


@every_form
def test_gives_float32_values_and_weights_per_image_or_per_batch(form):
    values, weights = call(form, inputs())
    assert values.dtype == weights.dtype == np.float32
    assert (values.shape, weights.shape) in [((B,), (B,)), ((), ())]
    assert (weights >= 0).all()
    assert weights.max() > 0
    assert np.isfinite(values).all()


@every_form
def test_teaches_something(form):
    assert any(np.any(gradient) for gradient in gradients(form, inputs()))


@every_form
def test_images_come_in_any_order(form):
    arguments = inputs()
    rows = np.random.default_rng(3).permutation(B)
    values, weights = call(form, arguments)
    permuted_values, permuted_weights = call(form, rows_of(arguments, rows))
    if values.ndim:
        values, weights = values[rows], weights[rows]
    np.testing.assert_allclose(permuted_values, values, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(permuted_weights, weights, rtol=1e-6)


@every_form
def test_labels_come_in_any_order(form):
    arguments, rng = inputs(), np.random.default_rng(4)
    k, m = rng.permutation(K), rng.permutation(M)
    permuted = {
        "class_logits": arguments["class_logits"][:, k],
        "attribute_logits": arguments["attribute_logits"][:, m],
        "relatedness": table().restrict([CLASSES[i] for i in k], [ATTRIBUTES[i] for i in m]),
        "labels": {
            "classes": arguments["labels"]["classes"][:, k],
            "attributes": arguments["labels"]["attributes"][:, m],
        },
        "masks": {**arguments["masks"], "attributes": arguments["masks"]["attributes"][:, m]},
    }
    for got, want in zip(call(form, permuted), call(form, arguments), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@every_form
@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e4), ("float16", 6e4), ("bfloat16", 1e4)])
def test_finite_value_and_gradient_at_extreme_logits(form, dtype, size):
    arguments = inputs()
    for name in ("class_logits", "attribute_logits"):
        arguments[name] = tf.cast(size * np.sign(arguments[name]), dtype)
    assert np.isfinite(call(form, arguments)[0]).all()
    assert all(
        np.isfinite(each.astype("float64")).all() for each in gradients(form, arguments, dtype)
    )


@every_form
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_logits_are_computed_in_float32(form, dtype):
    half, full = inputs(), inputs()
    for name in ("class_logits", "attribute_logits"):
        half[name] = tf.cast(half[name], dtype)
        full[name] = tf.cast(half[name], "float32")
    for got, want in zip(call(form, half), call(form, full), strict=True):
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, want)


@every_form
def test_what_is_not_annotated_does_not_matter(form):
    arguments, spoilt = inputs(), inputs()
    masks = arguments["masks"]
    spoilt["labels"]["classes"] += 3.0 * (1 - masks["classes"][:, None])
    spoilt["labels"]["attributes"] += 3.0 * (1 - masks["attributes"])
    for got, want in zip(call(form, spoilt), call(form, arguments), strict=True):
        np.testing.assert_array_equal(got, want)
    for got, want in zip(gradients(form, spoilt), gradients(form, arguments), strict=True):
        np.testing.assert_array_equal(got, want)


@every_form
def test_without_any_annotation_the_term_stays_finite(form):
    arguments = inputs()
    for part in ("labels", "masks"):
        arguments[part] = {name: 0 * array for name, array in arguments[part].items()}
    values, weights = form(**arguments)
    assert np.isfinite(float(weighted_mean(values, weights)))
    assert all(np.isfinite(each).all() for each in gradients(form, arguments))


@every_form
def test_a_single_image(form):
    values, weights = call(form, rows_of(inputs(), [2]))
    assert (values.shape, weights.shape) in [((1,), (1,)), ((), ())]
    assert np.isfinite(values).all()


@every_form
def test_a_part_of_the_labels(form):
    arguments = inputs()
    k, m = [2, 1], [5, 0, 3]
    part = {
        "class_logits": arguments["class_logits"][:, k],
        "attribute_logits": arguments["attribute_logits"][:, m],
        "relatedness": table().restrict([CLASSES[i] for i in k], [ATTRIBUTES[i] for i in m]),
        "labels": {
            "classes": arguments["labels"]["classes"][:, k],
            "attributes": arguments["labels"]["attributes"][:, m],
        },
        "masks": {**arguments["masks"], "attributes": arguments["masks"]["attributes"][:, m]},
    }
    values, weights = call(form, part)
    assert np.isfinite(values).all()
    assert (values.shape, weights.shape) in [((B,), (B,)), ((), ())]


@every_form
def test_options_are_keyword_only_numbers_with_defaults(form):
    parameters = inspect.signature(form).parameters
    options = option_names(form)
    for name, parameter in parameters.items():
        has_default = parameter.default is not parameter.empty
        assert has_default == (name in options), f"{name}: an option has a default and a name"
    arguments = inputs()
    defaults = {name: parameters[name].default for name in options}
    for got, want in zip(call(form, arguments, **defaults), call(form, arguments), strict=True):
        np.testing.assert_array_equal(got, want)


@every_form
def test_an_unknown_option_is_refused(form):
    with pytest.raises(TypeError):
        form(**inputs(), no_such_option=1.0)


@every_form
def test_says_where_it_comes_from(form):
    assert "Source:" in inspect.getdoc(form)


@pytest.mark.parametrize("classes", [CLASSES, ("c", "b")], ids=["all", "subset"])
@pytest.mark.parametrize("label", FORMS)
def test_trains_in_a_model(label, classes):
    kind, _, name = label.partition(": ")
    matching = kind == "matching"
    coupling = Coupling(
        "kind",
        "parts",
        table().restrict(classes=classes),
        matching=float(matching),
        co_annotation=float(not matching),
        **{"matching_form" if matching else "co_annotation_form": name},
    )
    tasks = [Task.multiclass("kind", CLASSES), Task.multilabel("parts", ATTRIBUTES)]
    backbone = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, activation="relu")])
    model = MultiTaskModel(backbone, tasks, [coupling])
    arguments = inputs()
    batch = (
        np.random.default_rng(0).normal(size=(B, 3)).astype(np.float32),
        {"kind": arguments["labels"]["classes"], "parts": arguments["labels"]["attributes"]},
        {"kind": arguments["masks"]["classes"], "parts": arguments["masks"]["attributes"]},
    )
    # As a graph over a part of the labels, step by step over all of them.
    model.compile(optimizer="sgd", jit_compile=False, run_eagerly=classes is CLASSES)
    history = model.fit(
        tf.data.Dataset.from_tensors(batch), epochs=2, verbose=0, shuffle=False
    ).history
    term = "distribution_matching_loss" if matching else "soft_co_annotation_loss"
    assert {"loss", "kind_loss", "parts_loss", term} <= set(history)
    assert np.isfinite([history[each] for each in ("loss", term)]).all()
