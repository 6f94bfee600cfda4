"""Distribution matching, eq. 2 and 3, and its form without the degenerate optimum."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax

from mtl_dm.losses import distribution_matching, matching, mixture
from mtl_dm.relatedness import facs
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS
from tests.losses import references

B, K, M = 8, 4, 5
REFERENCES = {"paper": references.matching_paper, "bernoulli": references.matching_bernoulli}
every_form = pytest.mark.parametrize("form", REFERENCES)
TOLERANCE = {"rtol": 1e-5, "atol": 1e-6}  # float32; atol for values near 0


def draw(seed=0):
    """Class logits, attribute logits and a conditional with zeros, ones and shares."""
    rng = np.random.default_rng(seed)
    conditional = rng.choice([0.0, 0.25, 0.6, 1.0], (K, M))
    arrays = rng.normal(0, 1, (B, K)), rng.normal(0, 2, (B, M)), conditional
    return tuple(array.astype(np.float32) for array in arrays)


def numpy(values):
    assert values.dtype == "float32"
    return keras.ops.convert_to_numpy(values)


def logits_of(**probabilities):
    """Logits [1, 7] of expressions with the given probabilities, the others share the rest."""
    rest = (1 - sum(probabilities.values())) / (7 - len(probabilities))
    return np.log([[probabilities.get(name, rest) for name in EXPRESSIONS]]).astype(np.float32)


@given(st.integers(0, 2**32 - 1))
def test_mixture_equals_the_reference(seed):
    class_logits, _, conditional = draw(seed)
    got = numpy(mixture(class_logits, conditional))
    np.testing.assert_allclose(got, references.mixture(class_logits, conditional), rtol=1e-5)


def test_mixture_of_au2_is_the_papers_example():
    # "AU2 is prototypical for surprise and observational for fear and thus
    # q(AU2) = p(surprise) + p(fear)": 0.5 + 0.2.
    q = numpy(mixture(logits_of(surprise=0.5, fear=0.2), facs().conditional))[0]
    assert q[ACTION_UNITS.index("AU2")] == pytest.approx(0.7, rel=1e-6)
    # AU12 belongs to happiness alone, one of five that share 0.3.
    assert q[ACTION_UNITS.index("AU12")] == pytest.approx(0.06, rel=1e-5)


def test_mixture_of_happiness_is_the_papers_example():
    # p(happy) = 1: q is 1 for AUs 12, 25 and 6 and 0 for the other fourteen.
    logits = np.where(np.array(EXPRESSIONS) == "happiness", 0.0, -1e4)[None].astype(np.float32)
    q = numpy(mixture(logits, facs().conditional))[0]
    assert {name for name, value in zip(ACTION_UNITS, q, strict=True) if value == 1} == {
        "AU6", "AU12", "AU25",
    }  # fmt: skip
    assert np.count_nonzero(q) == 3


@every_form
@given(seed=st.integers(0, 2**32 - 1))
def test_equals_the_reference(form, seed):
    arrays = draw(seed)
    got = numpy(distribution_matching(*arrays, form=form))
    np.testing.assert_allclose(got, REFERENCES[form](*arrays), **TOLERANCE)


def test_paper_form_by_hand():
    # Two classes of probability 1/2; q = (1/2, 1, 1/4) from the columns (1, 0), (1, 1), (0, 1/2);
    # p = (1/2, 3/4, 1/4): 1/2 log 2 + 3/4 log 1 + 1/4 log 4 = log 2. A SUM over attributes.
    conditional = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.5]])
    attribute_logits = np.log([[1.0, 3.0, 1 / 3]])
    got = numpy(distribution_matching(np.zeros((1, 2)), attribute_logits, conditional))
    np.testing.assert_allclose(got, [np.log(2)], rtol=1e-6)


def test_bernoulli_form_by_hand():
    # q = (1/2, 1/4), p = (3/4, 1/4): first -log 1/2 whatever p is; second
    # -(1/4 log 1/4 + 3/4 log 3/4). The MEAN of the two.
    conditional = np.array([[1.0, 0.0], [0.0, 0.5]])
    attribute_logits = np.log([[3.0, 1 / 3]])
    got = distribution_matching(np.zeros((1, 2)), attribute_logits, conditional, form="bernoulli")
    second = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    np.testing.assert_allclose(numpy(got), [(np.log(2) + second) / 2], rtol=1e-6)


def test_paper_is_the_default():
    arrays = draw()
    np.testing.assert_array_equal(
        distribution_matching(*arrays), distribution_matching(*arrays, form="paper")
    )


def test_an_attribute_of_no_class_costs_its_clipped_logarithm():
    # q = 0 exactly, so log q is clipped at 1e-7: p = 1/2 costs 1/2 * 7 log 10.
    got = numpy(distribution_matching(np.zeros((1, 2)), np.zeros((1, 1)), np.zeros((2, 1))))
    np.testing.assert_allclose(got, [0.5 * 7 * np.log(10)], rtol=1e-6)


@pytest.mark.parametrize("conditional", [0.0, 1.0])
def test_bernoulli_clips_both_outcomes(conditional):
    # q = 0 (or 1) against p = 0.5: half of the mass is impossible, half is free.
    arrays = np.zeros((1, 2)), np.zeros((1, 1)), np.full((2, 1), conditional)
    got = numpy(distribution_matching(*arrays, form="bernoulli"))
    np.testing.assert_allclose(got, [0.5 * 7 * np.log(10)], rtol=1e-6)


@every_form
@pytest.mark.parametrize("epsilon", [1e-7, 1e-3])
def test_epsilon_is_an_option(form, epsilon):
    arrays = draw()
    got = numpy(matching.EQUATIONS.get(form)(*arrays, epsilon=epsilon))
    np.testing.assert_allclose(got, REFERENCES[form](*arrays, epsilon), **TOLERANCE)
    with pytest.raises(TypeError):
        matching.EQUATIONS.get(form)(*arrays, epsilon)


@pytest.mark.parametrize("seed", range(5))
def test_paper_form_pushes_every_attribute_down(seed):
    # d/dz_i sum_j -p_j log q_j = -log(q_i) p_i (1 - p_i) >= 0, since q_i <= 1: whatever the classes
    # say, descent lowers every attribute. That is the printed equation, not a slip.
    class_logits, attribute_logits, conditional = draw(seed)
    got = references.tape_gradient(
        lambda z: distribution_matching(class_logits, z, conditional), attribute_logits
    )
    q = np.maximum(references.mixture(class_logits, conditional), 1e-7)
    p = expit(attribute_logits.astype(np.float64))
    np.testing.assert_allclose(got, -np.log(q) * p * (1 - p), **TOLERANCE)
    assert (got[q < 0.999] > 0).all()
    assert (got >= -1e-6).all()  # q = 1 rounds to 1 +- 1e-7


def test_paper_form_is_least_without_any_active_attribute():
    class_logits, _, conditional = draw()
    off, on = (
        numpy(distribution_matching(class_logits, np.full((B, M), z), conditional))
        for z in (-1e4, 3.0)
    )
    np.testing.assert_array_equal(off, 0.0)
    assert (on > 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_bernoulli_gradient_changes_sign_at_one_half(seed):
    # d/dz_i = -p_i (1 - p_i) (log q_i - log(1 - q_i)) / M: up where q > 1/2, down where q < 1/2.
    class_logits, attribute_logits, conditional = draw(seed)
    conditional = conditional.clip(0.05, 0.95)
    got = references.tape_gradient(
        lambda z: distribution_matching(class_logits, z, conditional, form="bernoulli"),
        attribute_logits,
    )
    q = references.mixture(class_logits, conditional)
    p = expit(attribute_logits.astype(np.float64))
    np.testing.assert_allclose(got, -p * (1 - p) * np.log(q / (1 - q)) / M, **TOLERANCE)
    assert {-1.0, 1.0} <= set(np.sign(got).ravel())
    np.testing.assert_array_equal(np.sign(got), -np.sign(q - 0.5))


def test_bernoulli_gradient_is_0_at_one_half():
    got = references.tape_gradient(
        lambda z: distribution_matching(np.zeros((3, 2)), z, np.eye(2), form="bernoulli"),
        [[-1.0, 2.0]] * 3,
    )
    np.testing.assert_array_equal(got, np.zeros((3, 2)))


def test_paper_gradient_of_the_classes_by_hand():
    # dq_i/dc_k = p_k (C_ki - q_i), so dL/dc_k = -sum_i p_i / q_i p_k (C_ki - q_i).
    class_logits, attribute_logits, conditional = draw()
    conditional = conditional.clip(0.05, 1)
    got = references.tape_gradient(
        lambda c: distribution_matching(c, attribute_logits, conditional), class_logits
    )
    q = references.mixture(class_logits, conditional)
    ratio = expit(attribute_logits) / q
    slope = conditional[None] - q[:, None]
    want = -softmax(class_logits, axis=1) * np.einsum("bm,bkm->bk", ratio, slope)
    np.testing.assert_allclose(got, want, **TOLERANCE)


@every_form
@pytest.mark.parametrize("seed", range(3))
def test_gradients_equal_central_differences(form, seed):
    class_logits, attribute_logits, conditional = draw(seed)
    conditional = conditional.clip(0.05, 0.95)  # away from the kink at epsilon
    want = REFERENCES[form]
    for got, differences in (
        (
            references.tape_gradient(
                lambda c: distribution_matching(c, attribute_logits, conditional, form=form),
                class_logits,
            ),
            references.central_differences(
                lambda c: want(c, attribute_logits, conditional), class_logits
            ),
        ),
        (
            references.tape_gradient(
                lambda z: distribution_matching(class_logits, z, conditional, form=form),
                attribute_logits,
            ),
            references.central_differences(
                lambda z: want(class_logits, z, conditional), attribute_logits
            ),
        ),
    ):
        np.testing.assert_allclose(got, differences, **TOLERANCE)


@every_form
@given(seed=st.integers(0, 2**32 - 1))
def test_rows_are_independent(form, seed):
    class_logits, attribute_logits, conditional = draw(seed)
    rows = np.random.default_rng(seed).permutation(B)
    got = distribution_matching(class_logits[rows], attribute_logits[rows], conditional, form=form)
    want = numpy(distribution_matching(class_logits, attribute_logits, conditional, form=form))
    np.testing.assert_allclose(numpy(got), want[rows], **TOLERANCE)


@every_form
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_labels_does_not_matter(form, seed):
    class_logits, attribute_logits, conditional = draw(seed)
    rng = np.random.default_rng(seed)
    k, m = rng.permutation(K), rng.permutation(M)
    got = distribution_matching(
        class_logits[:, k], attribute_logits[:, m], conditional[np.ix_(k, m)], form=form
    )
    want = distribution_matching(class_logits, attribute_logits, conditional, form=form)
    np.testing.assert_allclose(numpy(got), numpy(want), **TOLERANCE)


@every_form
@given(seed=st.integers(0, 2**32 - 1), shift=st.floats(-50, 50))
def test_a_constant_added_to_all_class_logits_changes_nothing(form, seed, shift):
    class_logits, attribute_logits, conditional = draw(seed)
    # The sum is rounded to float32 first; that error (50 * 6e-8) is no property of the loss.
    moved = (class_logits + np.float32(shift)).astype(np.float32)
    got = numpy(distribution_matching(moved, attribute_logits, conditional, form=form))
    np.testing.assert_allclose(
        got, REFERENCES[form](moved, attribute_logits, conditional), **TOLERANCE
    )


@every_form
@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e4), ("float16", 6e4), ("bfloat16", 1e4)])
@pytest.mark.parametrize("relatedness", ["facs", "random"])
def test_finite_at_extreme_logits(form, dtype, size, relatedness):
    rng = np.random.default_rng(0)
    conditional = facs().conditional if relatedness == "facs" else rng.random((7, 17))
    class_logits = size * rng.choice([-1, 0, 1], (B, 7))
    attribute_logits = size * rng.choice([-1, 0, 1], (B, 17))
    for function, array in (
        (
            lambda c: distribution_matching(c, attribute_logits, conditional, form=form),
            class_logits,
        ),
        (
            lambda z: distribution_matching(class_logits, z, conditional, form=form),
            attribute_logits,
        ),
    ):
        value, gradient = references.value_and_gradient(function, array, dtype)
        assert np.isfinite(value).all()
        assert np.isfinite(gradient).all()
        assert (value >= 0).all()


@every_form
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_logits_are_computed_in_float32(form, dtype):
    class_logits, attribute_logits, conditional = draw()
    half = [keras.ops.cast(array, dtype) for array in (class_logits, attribute_logits)]
    full = [keras.ops.cast(array, "float32") for array in half]
    got = numpy(distribution_matching(*half, conditional, form=form))
    np.testing.assert_array_equal(got, distribution_matching(*full, conditional, form=form))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(3,), (3, 5), (4, 5)], "class_logits must have shape"),
        ([(3, 4), (3, 5), (5, 4)], r"conditional must have shape \(4, 'any'\), got \(5, 4\)"),
        ([(3, 4), (3, 5), (4,)], "conditional must have shape"),
        ([(3, 4), (3, 6), (4, 5)], r"attribute_logits must have shape \(3, 5\), got \(3, 6\)"),
        ([(3, 4), (2, 5), (4, 5)], "attribute_logits must have shape"),
    ],
)
@every_form
def test_wrong_shapes_name_the_argument(form, shapes, message):
    with pytest.raises(ValueError, match=message):
        distribution_matching(*(np.zeros(shape, np.float32) for shape in shapes), form=form)


def test_unknown_form_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"Unknown matching form 'kl'\. Known: .*paper"):
        distribution_matching(*draw(), form="kl")
