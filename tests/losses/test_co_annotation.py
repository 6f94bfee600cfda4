"""Soft co-annotation, eq. 4 to 6, and its form as distillation."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from mtl_dm.losses import co_annotation, soft_co_annotation, soft_labels
from mtl_dm.relatedness import facs
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS
from tests.losses import references

B, K, M = 8, 4, 5
REFERENCES = {
    "paper": references.co_annotation_paper,
    "distillation": references.co_annotation_distillation,
}
every_form = pytest.mark.parametrize("form", REFERENCES)
TOLERANCE = {"rtol": 1e-5, "atol": 1e-6}  # float32; atol for values near 0


def annotations(seed=0):
    """Attributes, mask and weights with a class without attributes."""
    rng = np.random.default_rng(seed)
    weights = rng.choice([0.0, 0.26, 0.51, 1.0], (K, M))
    weights[0] = 0
    mask = rng.integers(0, 2, (B, M))
    mask[0] = 0
    arrays = rng.integers(0, 2, (B, M)), mask, weights
    return tuple(array.astype(np.float32) for array in arrays)


def draw(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 2, (B, K)).astype(np.float32), rng.dirichlet(np.ones(K), B).astype(
        np.float32
    )


def numpy(values):
    assert values.dtype == "float32"
    return keras.ops.convert_to_numpy(values)


def units(*names):
    return np.isin(ACTION_UNITS, names)[None].astype(np.float32)


@given(st.integers(0, 2**32 - 1))
def test_soft_labels_equal_the_reference(seed):
    arrays = annotations(seed)
    np.testing.assert_allclose(
        numpy(soft_labels(*arrays)), references.soft_labels(*arrays), rtol=1e-5
    )


def test_soft_labels_of_the_papers_happiness():
    # I(happy) = (y12 + y25 + 0.51 y6) / (1 + 1 + 0.51) = 2 / 2.51 with AU12 and AU25 active.
    # AU25 also belongs to fear, 1 / (1 + 1 + 1 + 1 + 0.57 + 0.63 + 0.33) = 1 / 5.53, and to
    # surprise, 1 / (1 + 1 + 1 + 1 + 0.66) = 1 / 4.66; the other classes score 0.
    scores = dict.fromkeys(EXPRESSIONS, 0.0)
    scores.update(happiness=2 / 2.51, fear=1 / 5.53, surprise=1 / 4.66)
    got = numpy(soft_labels(units("AU12", "AU25"), np.ones((1, 17)), facs().weights))
    np.testing.assert_allclose(got, softmax([list(scores.values())], axis=1), rtol=1e-6)


def test_a_fully_shown_happiness_scores_1():
    # AU6 also belongs to sadness: 0.5 / (1 + 1 + 0.6 + 0.5 + 0.26 + 0.67) = 0.5 / 4.03.
    scores = dict.fromkeys(EXPRESSIONS, 0.0)
    scores.update(happiness=1.0, fear=1 / 5.53, surprise=1 / 4.66, sadness=0.5 / 4.03)
    got = numpy(soft_labels(units("AU6", "AU12", "AU25"), np.ones((1, 17)), facs().weights))
    np.testing.assert_allclose(got, softmax([list(scores.values())], axis=1), rtol=1e-6)


def test_missing_attributes_count_in_neither_sum():
    # Without annotation of AU6 happiness scores (1 + 1) / (1 + 1) = 1, not 2 / 2.51; nor does an
    # active label under the zero mask count in the first sum.
    mask = 1 - units("AU6")
    for attributes in (units("AU12", "AU25"), units("AU6", "AU12", "AU25")):
        got = numpy(soft_labels(attributes, mask, facs().weights))
        # exp(I): happiness e, neutral exp(0) = 1.
        ratio = got[0, EXPRESSIONS.index("happiness")] / got[0, EXPRESSIONS.index("neutral")]
        assert ratio == pytest.approx(np.e, rel=1e-6)


def test_a_class_whose_attributes_are_all_unannotated_scores_0():
    # Happiness has AUs 6, 12 and 25 only: with all three unannotated it equals neutral.
    attributes = np.ones((1, 17), np.float32)
    got = numpy(soft_labels(attributes, 1 - units("AU6", "AU12", "AU25"), facs().weights))[0]
    assert got[EXPRESSIONS.index("happiness")] == got[EXPRESSIONS.index("neutral")]
    # Disgust has 4, 9, 10, 17, 24, all annotated and active: score 1.
    assert got[EXPRESSIONS.index("disgust")] / got[0] == pytest.approx(np.e, rel=1e-6)


def test_a_class_without_attributes_scores_0():
    got = numpy(soft_labels(np.ones((1, 17)), np.ones((1, 17)), facs().weights))[0]
    # Everything is active: six classes score 1, neutral 0.
    want = np.r_[1.0, [np.e] * 6] / (1 + 6 * np.e)
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_without_annotation_or_without_activity_the_label_is_uniform():
    ones, zeros = np.ones((1, 17)), np.zeros((1, 17))
    for attributes, mask in ((ones, zeros), (zeros, ones)):
        got = numpy(soft_labels(attributes, mask, facs().weights))
        np.testing.assert_allclose(got, np.full((1, 7), 1 / 7), rtol=1e-6)


@pytest.mark.parametrize("junk", [np.nan, np.inf, -1.0, 7.0])
def test_attributes_under_mask_0_change_nothing(junk):
    attributes, mask, weights = annotations()
    spoilt = np.where(mask > 0, attributes, np.float32(junk))
    np.testing.assert_array_equal(
        soft_labels(spoilt, mask, weights), soft_labels(attributes, mask, weights)
    )
    got = references.tape_gradient(lambda y: soft_labels(y, mask, weights)[:, 1], spoilt)
    assert np.isfinite(got).all()
    assert (got[mask == 0] == 0).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float16", "int32", "bool"]))
def test_soft_labels_are_probabilities_whatever_the_type(seed, dtype):
    attributes, mask, weights = annotations(seed)
    got = numpy(soft_labels(attributes.astype(dtype), mask.astype(dtype), weights))
    np.testing.assert_allclose(got.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(got, soft_labels(attributes, mask, weights))


@given(st.integers(0, 2**32 - 1))
def test_soft_labels_follow_permutations(seed):
    attributes, mask, weights = annotations(seed)
    rng = np.random.default_rng(seed)
    rows, k, m = rng.permutation(B), rng.permutation(K), rng.permutation(M)
    got = soft_labels(attributes[rows][:, m], mask[rows][:, m], weights[np.ix_(k, m)])
    want = numpy(soft_labels(attributes, mask, weights))[rows][:, k]
    np.testing.assert_allclose(numpy(got), want, rtol=1e-6)


@every_form
@given(seed=st.integers(0, 2**32 - 1))
def test_equals_the_reference(form, seed):
    arrays = draw(seed)
    got = numpy(soft_co_annotation(*arrays, form=form))
    np.testing.assert_allclose(got, REFERENCES[form](*arrays), **TOLERANCE)


def test_paper_form_by_hand():
    # p = (1/2, 1/2), q = (1/4, 3/4): 1/2 log 4 + 1/2 log 4/3.
    got = numpy(soft_co_annotation(np.zeros((1, 2)), np.array([[0.25, 0.75]])))
    np.testing.assert_allclose(got, [0.5 * np.log(4) + 0.5 * np.log(4 / 3)], rtol=1e-6)


def test_distillation_form_by_hand():
    # The roles exchanged: p = (1/4, 3/4), q = (1/2, 1/2).
    got = soft_co_annotation(np.log([[1.0, 3.0]]), np.array([[0.5, 0.5]]), form="distillation")
    np.testing.assert_allclose(numpy(got), [0.5 * np.log(4) + 0.5 * np.log(4 / 3)], rtol=1e-6)


def test_paper_is_the_default():
    arrays = draw()
    np.testing.assert_array_equal(
        soft_co_annotation(*arrays), soft_co_annotation(*arrays, form="paper")
    )


def test_paper_form_clips_the_logarithm():
    # q = (1, 0) against p = (1/2, 1/2): half the mass costs 7 log 10.
    got = numpy(soft_co_annotation(np.zeros((1, 2)), np.array([[1.0, 0.0]])))
    np.testing.assert_allclose(got, [0.5 * 7 * np.log(10)], rtol=1e-6)
    got = co_annotation.co_annotation_paper(np.zeros((1, 2)), np.eye(2)[:1], epsilon=1e-2)
    np.testing.assert_allclose(numpy(got), [0.5 * 2 * np.log(10)], rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_paper_gradient_is_that_of_a_linear_function_of_p(seed):
    # L = -sum p_c log q_c, dL/dc_k = p_k (-log q_k - L): zero only at a corner or where q is even.
    class_logits, soft = draw(seed)
    got = references.tape_gradient(lambda c: soft_co_annotation(c, soft), class_logits)
    cost = -np.log(np.maximum(soft, 1e-7).astype(np.float64))
    p = softmax(class_logits.astype(np.float64), axis=1)
    want = p * (cost - np.sum(p * cost, axis=1, keepdims=True))
    np.testing.assert_allclose(got, want, **TOLERANCE)


def test_paper_form_is_least_at_the_likeliest_class_and_distillation_at_q():
    # q = (0.6, 0.4): paper costs -log 0.6 = 0.511 at p = (1, 0) but 0.673 at p = q; distillation
    # costs H(q) = 0.673 at p = q, its least, and much at p = (1, 0).
    soft = np.float32([[0.6, 0.4]] * 2)
    logits = np.float32([[20.0, 0.0], np.log([0.6, 0.4])])
    entropy = -(0.6 * np.log(0.6) + 0.4 * np.log(0.4))
    paper = numpy(soft_co_annotation(logits, soft))
    np.testing.assert_allclose(paper, [-np.log(0.6), entropy], rtol=1e-5)
    distillation = numpy(soft_co_annotation(logits, soft, form="distillation"))
    np.testing.assert_allclose(distillation, [0.4 * 20, entropy], rtol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_distillation_gradient_is_p_minus_q(seed):
    class_logits, soft = draw(seed)
    got = references.tape_gradient(
        lambda c: soft_co_annotation(c, soft, form="distillation"), class_logits
    )
    p = softmax(class_logits.astype(np.float64), axis=1)
    np.testing.assert_allclose(got, p - soft, **TOLERANCE)


@every_form
@pytest.mark.parametrize("seed", range(3))
def test_gradient_equals_central_differences(form, seed):
    class_logits, soft = draw(seed)
    got = references.tape_gradient(lambda c: soft_co_annotation(c, soft, form=form), class_logits)
    want = references.central_differences(lambda c: REFERENCES[form](c, soft), class_logits)
    np.testing.assert_allclose(got, want, **TOLERANCE)


@every_form
@given(seed=st.integers(0, 2**32 - 1))
def test_follows_permutations(form, seed):
    class_logits, soft = draw(seed)
    rng = np.random.default_rng(seed)
    rows, k = rng.permutation(B), rng.permutation(K)
    got = soft_co_annotation(class_logits[rows][:, k], soft[rows][:, k], form=form)
    want = numpy(soft_co_annotation(class_logits, soft, form=form))[rows]
    np.testing.assert_allclose(numpy(got), want, **TOLERANCE)


@every_form
@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e4), ("float16", 6e4), ("bfloat16", 1e4)])
def test_finite_at_extreme_logits(form, dtype, size):
    class_logits, soft = draw()
    soft[0] = np.eye(K)[0]  # a soft label may be hard
    value, gradient = references.value_and_gradient(
        lambda c: soft_co_annotation(c, soft, form=form), size * np.sign(class_logits), dtype
    )
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()


@every_form
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_logits_are_computed_in_float32(form, dtype):
    class_logits, soft = draw()
    half = keras.ops.cast(class_logits, dtype)
    got = numpy(soft_co_annotation(half, soft, form=form))
    want = soft_co_annotation(keras.ops.cast(half, "float32"), soft, form=form)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(3,), (3, 5), (4, 5)], "attributes must have shape"),
        ([(3, 5), (3,), (4, 5)], r"mask must have shape \(3, 5\), got \(3,\)"),
        ([(3, 5), (3, 4), (4, 5)], "mask must have shape"),
        ([(3, 5), (3, 5), (5, 4)], r"weights must have shape \('any', 5\), got \(5, 4\)"),
    ],
)
def test_soft_labels_name_the_argument_of_a_wrong_shape(shapes, message):
    with pytest.raises(ValueError, match=message):
        soft_labels(*(np.zeros(shape, np.float32) for shape in shapes))


@every_form
@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(3,), (3,)], "class_logits must have shape"),
        ([(3, 4), (3, 5)], r"soft_labels must have shape \(3, 4\), got \(3, 5\)"),
        ([(3, 4), (2, 4)], "soft_labels must have shape"),
    ],
)
def test_wrong_shapes_name_the_argument(form, shapes, message):
    with pytest.raises(ValueError, match=message):
        soft_co_annotation(*(np.zeros(shape, np.float32) for shape in shapes), form=form)


def test_unknown_form_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"Unknown co-annotation form 'kl'\. Known: .*paper"):
        soft_co_annotation(*draw(), form="kl")
