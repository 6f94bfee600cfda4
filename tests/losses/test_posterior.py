"""Soft co-annotation by the posterior of the class given the attributes."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.naive_bayes import BernoulliNB

from mtl_dm.losses import CO_ANNOTATION_FORMS, class_posterior
from mtl_dm.relatedness import Relatedness
from tests.losses import coupled, references
from tests.losses.coupled import B, K, M

REFERENCES = {
    "posterior": references.co_annotation_paper,
    "posterior_distillation": references.co_annotation_distillation,
}
every_form = pytest.mark.parametrize("name", REFERENCES)
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}  # float32, and log q down to log 1e-7


def numpy(values):
    assert values.dtype == "float32"
    return keras.ops.convert_to_numpy(values)


def soft(arguments, temperature=1.0):
    """q of the reference, [B, K] float64."""
    table = arguments["relatedness"]
    return references.class_posterior(
        arguments["labels"]["attributes"],
        arguments["masks"]["attributes"],
        table.likelihood.astype(np.float64),
        table.prior,
        temperature,
    )


@given(st.integers(0, 2**32 - 1), st.booleans(), st.floats(0.2, 20))
def test_class_posterior_equals_the_reference(seed, with_prior, temperature):
    arguments, table = coupled.draw(seed), coupled.table(seed, prior=with_prior)
    inputs = arguments["labels"]["attributes"], arguments["masks"]["attributes"], table.likelihood
    got = numpy(class_posterior(*inputs, table.prior, temperature))
    want = references.class_posterior(*inputs, table.prior, temperature)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)  # at T = 0.2 errors grow by 5


@pytest.mark.parametrize("seed", range(3))
def test_class_posterior_is_bernoulli_naive_bayes(seed):
    # scikit-learn smooths after Laplace with alpha = 1, as a counted relatedness does; its P stay
    # inside the clip at [0.02, 0.98] with some 50 images of a class.
    rng = np.random.default_rng(seed)
    classes = np.concatenate([np.arange(K), rng.integers(0, K, 200)])
    attributes = (rng.random((len(classes), M)) < rng.uniform(0.2, 0.8, (K, M))[classes]) * 1.0
    bayes = BernoulliNB(alpha=1.0).fit(attributes, classes)
    counts = np.bincount(classes)
    conditional = np.stack([attributes[classes == k].mean(axis=0) for k in range(K)])
    table = Relatedness(
        coupled.CLASSES,
        coupled.ATTRIBUTES,
        conditional,
        conditional,
        "counted",
        counts / counts.sum(),
        np.repeat(counts[:, None], M, axis=1),
    )
    got = class_posterior(attributes, np.ones_like(attributes), table.likelihood, table.prior)
    np.testing.assert_allclose(numpy(got), bayes.predict_proba(attributes), rtol=1e-4)


def test_class_posterior_by_hand():
    # P(x | a) = 0.9, P(x | b) = 0.3; P(y | a) = 0.5, P(y | b) = 0.2; prior 1/4, 3/4.
    # x active, y not: 1/4 * 0.9 * 0.5 = 0.1125 against 3/4 * 0.3 * 0.8 = 0.18: 5 to 8.
    # x not, y unknown: 1/4 * 0.1 = 0.025 against 3/4 * 0.7 = 0.525: 1 to 21.
    # Nothing annotated: the prior.
    likelihood, prior = np.array([[0.9, 0.5], [0.3, 0.2]]), np.array([0.25, 0.75])
    attributes = np.array([[1.0, 0.0], [0.0, np.nan], [np.nan, np.nan]])
    mask = np.array([[1, 1], [1, 0], [0, 0]])
    got = numpy(class_posterior(attributes, mask, likelihood, prior))
    np.testing.assert_allclose(got, [[5 / 13, 8 / 13], [1 / 22, 21 / 22], prior], rtol=1e-5)


def test_temperature_by_hand():
    # 0.8 against 0.2 from one attribute: 4 to 1; T = 2 takes the root: 2 to 1. The prior 1 to 2
    # is not tempered: 2 to 2.
    likelihood = np.array([[0.8], [0.2]])
    ones = np.ones((1, 1))
    got = numpy(class_posterior(ones, ones, likelihood, temperature=2.0))
    np.testing.assert_allclose(got, [[2 / 3, 1 / 3]], rtol=1e-5)
    got = numpy(class_posterior(ones, ones, likelihood, np.array([1 / 3, 2 / 3]), 2.0))
    np.testing.assert_allclose(got, [[0.5, 0.5]], rtol=1e-5)


def test_an_attribute_given_twice_is_undone_by_temperature_2():
    arguments, table = coupled.draw(), coupled.table(prior=False)
    one = arguments["labels"]["attributes"], arguments["masks"]["attributes"], table.likelihood
    twice = [np.concatenate([each, each], axis=1) for each in one]
    got = class_posterior(*twice, temperature=2.0)
    np.testing.assert_allclose(numpy(got), numpy(class_posterior(*one)), rtol=1e-4)


def test_a_class_of_prior_0_stays_out_however_many_attributes_speak_for_it():
    # 100 attributes at 0.98 against 0.02 are 100 log 49 = 389 nats, more than the 103 between 1
    # and the smallest float32.
    likelihood = np.array([[0.98], [0.02]]).repeat(100, axis=1)
    ones = np.ones((1, 100))
    got = numpy(class_posterior(ones, ones, likelihood, np.array([0.0, 1.0])))
    np.testing.assert_array_equal(got, [[0.0, 1.0]])


@every_form
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@given(seed=st.integers(0, 2**32 - 1))
def test_equals_the_reference_where_the_class_is_unknown(name, temperature, seed):
    arguments = coupled.draw(seed)
    values, weights = CO_ANNOTATION_FORMS.get(name)(**arguments, temperature=temperature)
    want = REFERENCES[name](
        coupled.float64(arguments)["class_logits"], soft(arguments, temperature)
    )
    np.testing.assert_allclose(numpy(values), want, **TOLERANCE)
    masks = arguments["masks"]
    acts = masks["attributes"].any(axis=1) & (masks["classes"] == 0)
    np.testing.assert_array_equal(numpy(weights), acts)
    # The first four images of `draw`: no labels, class only, attributes only, both.
    np.testing.assert_array_equal(numpy(weights)[:4], [0, 0, 1, 0])


@pytest.mark.parametrize(
    ("name", "want"),
    [
        # q = (0.8, 0.2) from P = (0.8, 0.2) and a uniform prior; p = (3/4, 1/4).
        ("posterior", -(0.75 * np.log(0.8) + 0.25 * np.log(0.2))),
        ("posterior_distillation", -(0.8 * np.log(0.75) + 0.2 * np.log(0.25))),
    ],
)
def test_forms_by_hand(name, want):
    # 0.9 x 5/6 + 0.05 = 0.8 and 0.9 / 6 + 0.05 = 0.2: the likelihood of a table not counted.
    table = Relatedness(("a", "b"), ("x",), [[5 / 6], [1 / 6]], [[1.0], [0.0]], "by hand")
    values, weights = CO_ANNOTATION_FORMS.get(name)(
        np.log([[3.0, 1.0]]).astype(np.float32),
        np.zeros((1, 1), np.float32),
        table,
        {"classes": np.zeros((1, 2)), "attributes": np.ones((1, 1))},
        {"classes": np.zeros(1), "attributes": np.ones((1, 1))},
    )
    np.testing.assert_allclose(numpy(values), [want], rtol=1e-5)
    np.testing.assert_array_equal(numpy(weights), [1.0])


@pytest.mark.parametrize("seed", range(5))
def test_posterior_gradient_is_the_documented_one(seed):
    # -sum_k p_k log q_k and dp_k/dc = p_k (1[k = c] - p_c): p_c (sum_k p_k log q_k - log q_c).
    arguments = coupled.draw(seed)
    got = coupled.gradient(CO_ANNOTATION_FORMS.get("posterior"), arguments, "class_logits")
    p = softmax(coupled.float64(arguments)["class_logits"], axis=1)
    log_q = np.log(np.maximum(soft(arguments), 1e-7))
    want = p * (np.sum(p * log_q, axis=1, keepdims=True) - log_q)
    np.testing.assert_allclose(got, want, **TOLERANCE)


@pytest.mark.parametrize("seed", range(5))
def test_distillation_gradient_is_p_minus_q(seed):
    arguments = coupled.draw(seed)
    form = CO_ANNOTATION_FORMS.get("posterior_distillation")
    got = coupled.gradient(form, arguments, "class_logits")
    p = softmax(coupled.float64(arguments)["class_logits"], axis=1)
    np.testing.assert_allclose(got, p - soft(arguments), **TOLERANCE)


@every_form
@pytest.mark.parametrize("seed", range(3))
def test_gradient_equals_central_differences(name, seed):
    arguments = coupled.draw(seed)
    got = coupled.gradient(CO_ANNOTATION_FORMS.get(name), arguments, "class_logits")
    q = soft(arguments)
    want = references.central_differences(
        lambda c: REFERENCES[name](c, q), arguments["class_logits"]
    )
    np.testing.assert_allclose(got, want, **TOLERANCE)


@every_form
def test_attribute_predictions_learn_nothing(name):
    arguments = coupled.draw()
    got = coupled.gradient(CO_ANNOTATION_FORMS.get(name), arguments, "attribute_logits")
    np.testing.assert_array_equal(got, np.zeros((B, M)))


@pytest.mark.parametrize("confident", range(K))
def test_only_distillation_moves_a_confident_image(confident):
    arguments = coupled.draw()
    arguments["class_logits"] = np.tile(25.0 * np.eye(K)[confident], (B, 1)).astype(np.float32)
    q = soft(arguments)
    wrong = q[:, confident] < 0.5
    assert wrong.any()
    got = coupled.gradient(CO_ANNOTATION_FORMS.get("posterior"), arguments, "class_logits")
    assert np.abs(got).max() < 1e-7
    form = CO_ANNOTATION_FORMS.get("posterior_distillation")
    got = coupled.gradient(form, arguments, "class_logits")
    assert (got[wrong, confident] > 0.5).all()


def test_posterior_pulls_an_unsure_image_to_the_likeliest_class():
    # At p uniform the gradient is (mean log q - log q_c) / K: negative, so upwards under descent,
    # where q_c is above the geometric mean of q.
    arguments = coupled.draw()
    arguments["class_logits"] = np.zeros((B, K), np.float32)
    got = coupled.gradient(CO_ANNOTATION_FORMS.get("posterior"), arguments, "class_logits")
    log_q = np.log(np.maximum(soft(arguments), 1e-7))
    np.testing.assert_allclose(got, (log_q.mean(axis=1, keepdims=True) - log_q) / K, **TOLERANCE)
    assert (got[np.arange(B), log_q.argmax(axis=1)] < 0).all()


def test_distillation_at_q_teaches_nothing():
    arguments = coupled.draw()
    arguments["class_logits"] = np.log(soft(arguments)).astype(np.float32)
    form = CO_ANNOTATION_FORMS.get("posterior_distillation")
    got = coupled.gradient(form, arguments, "class_logits")
    np.testing.assert_allclose(got, np.zeros((B, K)), atol=1e-5)


@every_form
@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_that_is_not_positive_is_refused(name, temperature):
    with pytest.raises(ValueError, match="temperature must be > 0, got"):
        CO_ANNOTATION_FORMS.get(name)(**coupled.draw(), temperature=temperature)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(3,), (3, 5), (4, 5), (4,)], "attributes must have shape"),
        ([(3, 5), (3, 4), (4, 5), (4,)], r"mask must have shape \(3, 5\), got \(3, 4\)"),
        ([(3, 5), (3, 5), (5, 4), (4,)], r"likelihood must have shape \('any', 5\), got \(5, 4\)"),
        ([(3, 5), (3, 5), (4, 5), (5,)], r"prior must have shape \(4,\), got \(5,\)"),
        ([(3, 5), (3, 5), (4, 5), (1, 4)], "prior must have shape"),
    ],
)
def test_class_posterior_names_the_argument_of_a_wrong_shape(shapes, message):
    with pytest.raises(ValueError, match=message):
        class_posterior(*(np.full(shape, 0.5, np.float32) for shape in shapes))


@every_form
@pytest.mark.parametrize(
    ("part", "side", "shape", "message"),
    [
        (None, "class_logits", (B, K + 1), r"class_logits must have shape \('any', 4\)"),
        (None, "class_logits", (B + 1, K), r"attributes must have shape \(13, 'any'\)"),
        ("labels", "attributes", (B, M + 1), r"mask must have shape \(12, 6\)"),
        ("masks", "attributes", (B,), "mask must have shape"),
        # Neither may broadcast to [B, B].
        ("masks", "classes", (B, 1), r"mask of the classes must have shape \(12,\)"),
        ("masks", "classes", (1,), r"mask of the classes must have shape \(12,\)"),
    ],
)
def test_forms_name_the_argument_of_a_wrong_shape(name, part, side, shape, message):
    arguments = coupled.draw()
    (arguments if part is None else arguments[part])[side] = np.zeros(shape, np.float32)
    with pytest.raises(ValueError, match=message):
        CO_ANNOTATION_FORMS.get(name)(**arguments)
