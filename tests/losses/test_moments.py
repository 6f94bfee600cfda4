"""Matching of moments and the posterior given values, against NumPy and SciPy, with gradients."""

import keras
import numpy as np
import pytest
from scipy.special import softmax

from mtl_dm.losses import COUPLING_FORMS, class_given_values
from mtl_dm.losses.gaussian import eliminated, mixture_moments
from mtl_dm.losses.moments import moment_matching_batch, moment_matching_conditional
from mtl_dm.relatedness import Moments
from tests.losses import moments as reference
from tests.losses.references import (
    central_differences,
    co_annotation_distillation,
    co_annotation_paper,
    tape_gradient,
)

FORMS = [name for name in COUPLING_FORMS if "moments" in COUPLING_FORMS.get(name).kinds]
every_form = pytest.mark.parametrize("name", FORMS)
SIDES = ("logits", "predictions")


def call(form, arguments, **options):
    return [keras.ops.convert_to_numpy(each) for each in form(**arguments, **options)]


def gradient(form, arguments, side, **options):
    return tape_gradient(
        lambda outputs: form(**{**arguments, side: outputs}, **options)[0], arguments[side]
    )


def wide(arguments):
    return {side: arguments[side].astype(np.float64) for side in SIDES}


def test_the_forms():
    assert FORMS == [
        "moment_co_annotation/posterior",
        "moment_co_annotation/posterior_distillation",
        "moment_matching/batch",
        "moment_matching/conditional",
    ]


def test_elimination_equals_numpy():
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(3, 4, 4, 4))
    matrices = roots @ np.swapaxes(roots, -1, -2) + 0.1 * np.eye(4)
    vectors = rng.normal(size=(3, 4, 4))
    logs, squares = eliminated(matrices.astype(np.float32), vectors.astype(np.float32))
    np.testing.assert_allclose(logs, np.linalg.slogdet(matrices)[1], rtol=1e-3, atol=1e-3)
    want = np.einsum("abi,abij,abj->ab", vectors, np.linalg.inv(matrices), vectors)
    np.testing.assert_allclose(squares, want, rtol=1e-3)


def test_the_mixture_has_the_moments_of_draws_from_it():
    related, rng = reference.relation(), np.random.default_rng(0)
    p = np.array([0.2, 0.5, 0.3])
    draws = [
        rng.multivariate_normal(related.mean[k], related.covariance[k], int(p[k] * 40_000))
        for k in range(3)
    ]
    mean, covariance = mixture_moments(p.astype(np.float32), related.mean, related.covariance)
    np.testing.assert_allclose(mean, np.concatenate(draws).mean(axis=0), atol=0.01)
    np.testing.assert_allclose(covariance, np.cov(np.concatenate(draws).T), atol=0.01)


@pytest.mark.parametrize("images", [1.0, 0.1, 20.0])
@pytest.mark.parametrize("covered", [False, True])
def test_matching_of_a_batch_equals_numpy_with_its_gradients(images, covered):
    arguments = reference.draw()
    rows = np.r_[np.ones(reference.B - 3), np.zeros(3)] if covered else None
    if covered:
        arguments["masks"]["covered"] = rows.astype(np.float32)
    related = arguments["relation"]
    value, weight = call(moment_matching_batch, arguments, images=images)
    of = wide(arguments)
    want = reference.matching_batch(*of.values(), related, rows, images)
    assert (float(value), float(weight)) == (pytest.approx(want, rel=1e-4), 1.0)
    for side in SIDES:
        numeric = central_differences(
            lambda x, side=side: reference.matching_batch(
                *{**of, side: x}.values(), related, rows, images
            ),
            of[side],
        )
        got = gradient(moment_matching_batch, arguments, side, images=images)
        np.testing.assert_allclose(got, numeric, rtol=1e-3, atol=1e-5)
        assert got.any()


@pytest.mark.parametrize("images", [1.0, 5.0])
@pytest.mark.parametrize("covered", [False, True])
def test_matching_within_classes_equals_numpy_with_its_gradients(images, covered):
    arguments = reference.draw(1)
    rows = np.r_[np.ones(reference.B - 3), np.zeros(3)] if covered else None
    labels, masks = arguments["labels"], dict(arguments["masks"])
    if covered:
        arguments["masks"]["covered"] = rows.astype(np.float32)
    of, rest = wide(arguments), (arguments["relation"], labels, masks)
    value, _ = call(moment_matching_conditional, arguments, images=images)
    want = reference.matching_conditional(*of.values(), *rest, covered=rows, images=images)
    assert float(value) == pytest.approx(want, rel=1e-4)
    r = np.where(masks["classes"][:, None] > 0, labels["classes"], softmax(of["logits"], axis=1))
    mass = (r * (1.0 if rows is None else rows[:, None])).sum(axis=0)
    for side in SIDES:
        numeric = central_differences(
            lambda x, side=side: reference.matching_conditional(
                *{**of, side: x}.values(), *rest, mass / mass.sum(), rows, images
            ),
            of[side],
        )
        got = gradient(moment_matching_conditional, arguments, side, images=images)
        np.testing.assert_allclose(got, numeric, rtol=2e-3, atol=1e-5)
    # Each side is taught where it is not labelled, and nowhere else.
    known = masks["classes"] > 0
    assert not gradient(moment_matching_conditional, arguments, "logits")[known].any()
    known = masks["values"] > 0
    assert not gradient(moment_matching_conditional, arguments, "predictions")[known].any()


def test_matching_is_0_where_the_moments_are_the_relations():
    rng = np.random.default_rng(0)
    arguments = reference.draw()
    ids = np.arange(reference.B) % 2
    classes = np.eye(reference.K)[ids]
    values = rng.normal(size=(reference.B, reference.R))
    mean = np.stack([values[ids == k].mean(axis=0) for k in range(2)])
    covariance = np.stack([np.cov(values[ids == k].T, ddof=0) for k in range(2)])
    arguments |= {
        "logits": 50.0 * classes[:, :2].astype(np.float32),
        "predictions": values.astype(np.float32),
        "relation": Moments(("a", "b"), reference.VALUES, mean, covariance, "these images"),
        "labels": {"classes": classes[:, :2], "values": 0 * values},
        "masks": {"classes": np.zeros(reference.B), "values": 0 * values},
    }
    for form in (moment_matching_batch, moment_matching_conditional):
        assert float(call(form, arguments)[0]) == pytest.approx(0.0, abs=1e-5)
        for side in SIDES:
            np.testing.assert_allclose(gradient(form, arguments, side), 0.0, atol=1e-5)


@pytest.mark.parametrize("form", [moment_matching_batch, moment_matching_conditional])
def test_wild_values_lose_their_say(form):
    arguments = reference.draw()

    def pull(size):
        wild = {**arguments, "predictions": size * arguments["predictions"]}
        return np.linalg.norm(gradient(form, wild, "predictions"))

    # Of a divergence itself it would be ten times as much.
    assert pull(1e3) < 0.2 * pull(1e2)


@pytest.mark.parametrize("prior", [True, False])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_the_posterior_equals_scipy(prior, temperature):
    arguments, related = reference.draw(), reference.relation(prior)
    values, mask = arguments["labels"]["values"], arguments["masks"]["values"]
    got = class_given_values(
        np.where(mask > 0, values, np.nan),
        mask,
        related.mean,
        related.covariance,
        related.prior,
        temperature,
    )
    want = reference.posterior(values, mask, related, temperature)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(got[0], [0.5, 0.2, 0.3] if prior else [1 / 3] * 3, rtol=1e-5)


def test_a_class_of_prior_0_stays_out():
    related = Moments(
        ("a", "b"), ("x",), [[0.0], [5.0]], 0.01 * np.ones((2, 1, 1)), "far apart", [1.0, 0.0]
    )
    got = class_given_values(
        np.full((1, 1), 5.0), np.ones((1, 1)), related.mean, related.covariance, related.prior
    )
    np.testing.assert_allclose(got, [[1.0, 0.0]])


@pytest.mark.parametrize(
    ("form", "equation"),
    [
        ("posterior", co_annotation_paper),
        ("posterior_distillation", co_annotation_distillation),
    ],
)
def test_values_teach_the_class_where_it_is_missing(form, equation):
    arguments = reference.draw(2)
    function = COUPLING_FORMS.get(f"moment_co_annotation/{form}").function
    masks = arguments["masks"]
    q = reference.posterior(arguments["labels"]["values"], masks["values"], arguments["relation"])
    values, weights = call(function, arguments)
    np.testing.assert_allclose(values, equation(arguments["logits"], q), rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(weights, masks["values"].max(axis=1) * (1 - masks["classes"]))
    numeric = central_differences(lambda x: equation(x, q), arguments["logits"].astype(np.float64))
    np.testing.assert_allclose(
        gradient(function, arguments, "logits"), numeric, rtol=1e-3, atol=1e-4
    )
    assert not gradient(function, arguments, "predictions").any()


@every_form
@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e4), ("float16", 6e4)])
def test_finite_value_and_gradient_at_extreme_outputs(name, dtype, size):
    form, arguments = COUPLING_FORMS.get(name).function, reference.draw()
    for side in SIDES:
        arguments[side] = keras.ops.cast(size * np.sign(arguments[side]), dtype)
    assert np.isfinite(call(form, arguments)[0]).all()
    for side in SIDES:
        values = keras.ops.convert_to_numpy(keras.ops.cast(arguments[side], "float32"))
        assert np.isfinite(gradient(form, {**arguments, side: values}, side)).all()


@every_form
def test_a_single_image_and_no_label_at_all_are_finite(name):
    form, arguments = COUPLING_FORMS.get(name).function, reference.draw()
    one = {
        **arguments,
        **{side: arguments[side][:1] for side in SIDES},
        "labels": {side: 0 * each[:1] for side, each in arguments["labels"].items()},
        "masks": {side: 0 * each[:1] for side, each in arguments["masks"].items()},
    }
    one["masks"]["covered"] = np.zeros(1, np.float32)
    for covered in (0.0, 1.0):
        one["masks"]["covered"][:] = covered
        assert np.isfinite(call(form, one)[0]).all()
        for side in SIDES:
            assert np.isfinite(gradient(form, one, side)).all()


@every_form
def test_what_is_not_annotated_does_not_matter(name):
    form, arguments, spoilt = COUPLING_FORMS.get(name).function, reference.draw(), reference.draw()
    spoilt["labels"]["classes"] += 3.0 * (1 - arguments["masks"]["classes"][:, None])
    spoilt["labels"]["values"] += 3.0 * (1 - arguments["masks"]["values"])
    for got, want in zip(call(form, spoilt), call(form, arguments), strict=True):
        np.testing.assert_array_equal(got, want)


@every_form
def test_shapes_that_do_not_fit_are_named(name):
    form, arguments = COUPLING_FORMS.get(name).function, reference.draw()
    with pytest.raises(ValueError, match="logits of the classes must have shape"):
        form(**{**arguments, "logits": arguments["logits"][:, :2]})
