"""Distribution matching by divergences: `js`, `batch` and `conditional`."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from mtl_dm.losses import MATCHING_FORMS, bernoulli_divergence, jensen_shannon
from mtl_dm.models.live_relatedness import Table
from mtl_dm.relatedness import Relatedness
from tests.losses import coupled, references
from tests.losses.coupled import B, K, M

NAMES = ("js", "batch", "conditional")
every_form = pytest.mark.parametrize("name", NAMES)
every_side = pytest.mark.parametrize("side", ["class_logits", "attribute_logits"])
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}  # float32, quotients inside logarithms
STEP = {"rtol": 1e-4, "atol": 2e-6}  # float32, gradients


def numpy(values):
    assert values.dtype == "float32"
    return keras.ops.convert_to_numpy(values)


def value(name, arguments, **options):
    return numpy(MATCHING_FORMS.get(name)(**arguments, **options)[0])


def gradient(name, arguments, side):
    return coupled.gradient(MATCHING_FORMS.get(name), arguments, side)


def js(arguments, frozen=None, clip=1e-3):
    """[B]; what is labelled is taken from the `frozen` arguments, so that differences are 0."""
    frozen = frozen or arguments
    table, masks = arguments["relatedness"].conditional, arguments["masks"]
    p, q = (
        np.where(
            known, side(coupled.float64(frozen), table), side(coupled.float64(arguments), table)
        )
        for known, side in (
            (masks["attributes"] > 0, lambda a, _: expit(a["attribute_logits"])),
            (masks["classes"][:, None] > 0, lambda a, t: references.mixture(a["class_logits"], t)),
        )
    )
    return references.jensen_shannon(p, q, clip).sum(axis=1)


def batch(arguments, frozen=None, clip=1e-3):
    del frozen
    wide = coupled.float64(arguments)
    table = arguments["relatedness"].conditional
    return references.matching_batch(wide["class_logits"], wide["attribute_logits"], table, clip)


def conditional(arguments, frozen=None, clip=1e-3):
    pairs = [
        [coupled.float64(each)[side] for side in ("class_logits", "attribute_logits")]
        for each in (arguments, frozen or arguments)
    ]
    known = arguments["labels"], arguments["masks"]
    share = references.implied(*pairs[1], *known)[1]
    likelihood = arguments["relatedness"].likelihood.astype(np.float64)
    return references.matching_conditional(*pairs[0], likelihood, *known, share, clip)


REFERENCES = {"js": js, "batch": batch, "conditional": conditional}


def unlabelled(arguments):
    """The same with no labels at all."""
    nothing = {
        part: {name: 0 * array for name, array in arguments[part].items()}
        for part in ("labels", "masks")
    }
    return {**arguments, **nothing}


# --- the divergences -----------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 0.05]))
def test_divergences_equal_scipy(seed, clip):
    rng = np.random.default_rng(seed)
    p, q = (rng.choice([0.0, 1.0, *rng.random(6)], (6, 5)) for _ in range(2))
    got = numpy(bernoulli_divergence(p, q, clip))
    np.testing.assert_allclose(got, references.bernoulli_divergence(p, q, clip), **TOLERANCE)
    got = numpy(jensen_shannon(p, q, clip))
    np.testing.assert_allclose(got, references.jensen_shannon(p, q, clip), **TOLERANCE)
    np.testing.assert_allclose(numpy(jensen_shannon(q, p, clip)), got, **TOLERANCE)
    assert (got > -1e-6).all()
    assert (got <= np.log(2)).all()


def test_divergences_by_hand():
    # KL(1/2 || 1/4) = 1/2 log 2 + 1/2 log 2/3 = 1/2 log 4/3.
    assert float(bernoulli_divergence(0.5, 0.25)) == pytest.approx(0.5 * np.log(4 / 3))
    # JS(1/4, 3/4), m = 1/2: both KLs are 1/4 log 1/2 + 3/4 log 3/2 = 3/4 log 3 - log 2.
    want = 0.75 * np.log(3) - np.log(2)
    assert float(jensen_shannon(0.25, 0.75)) == pytest.approx(want)


def test_divergences_are_0_where_both_sides_agree():
    p = np.linspace(0, 1, 11, dtype=np.float32)
    np.testing.assert_array_equal(numpy(bernoulli_divergence(p, p)), 0.0)
    np.testing.assert_array_equal(numpy(jensen_shannon(p, p)), 0.0)


# --- the forms against the references ------------------------------------------------------------


@every_form
@pytest.mark.parametrize("clip", [1e-3, 0.05])
@given(seed=st.integers(0, 2**32 - 1))
def test_equals_the_reference(name, clip, seed):
    arguments = coupled.draw(seed)
    got = value(name, arguments, clip=clip)
    np.testing.assert_allclose(got, REFERENCES[name](arguments, clip=clip), **TOLERANCE)


@every_form
@every_side
@pytest.mark.parametrize("seed", range(4))
def test_gradients_equal_central_differences(name, side, seed):
    arguments = coupled.draw(seed)
    want = references.central_differences(
        lambda logits: REFERENCES[name]({**arguments, side: logits}, frozen=arguments),
        arguments[side],
    )
    np.testing.assert_allclose(gradient(name, arguments, side), want, **STEP)


def by_hand(attribute_logits, **masks):
    """Two images of p = (1/2, 1/2) and one attribute, P = (0.8, 0.2) after 0.9 P + 0.05."""
    table = Relatedness(("a", "b"), ("x",), [[5 / 6], [1 / 6]], [[1.0], [1.0]], "by hand")
    return {
        "class_logits": np.zeros((2, 2), np.float32),
        "attribute_logits": np.float32(attribute_logits),
        "relatedness": table,
        "labels": {
            "classes": np.float32([[1, 0], [0, 1]]) * masks["classes"][:, None],
            "attributes": np.float32([[1], [0]]) * masks["attributes"],
        },
        "masks": masks,
    }


NOTHING = {"classes": np.zeros(2, np.float32), "attributes": np.zeros((2, 1), np.float32)}


def test_js_and_batch_by_hand():
    # q = (5/6 + 1/6) / 2 = 1/2 on both images; p = 1/4 and 3/4. js: m = 3/8 on the first image:
    # (1/2 log 4/3 + 1/2 log 4/5 + 1/4 log 2/3 + 3/4 log 6/5) / 2, on the second by symmetry too.
    # batch: mean p = mean q = 1/2 costs nothing.
    arguments = by_hand(np.log([[1 / 3], [3.0]]), **NOTHING)
    image = (np.log(4 / 3) / 2 + np.log(4 / 5) / 2 + np.log(2 / 3) / 4 + 3 * np.log(6 / 5) / 4) / 2
    np.testing.assert_allclose(value("js", arguments), [image, image], rtol=1e-5)
    np.testing.assert_allclose(value("batch", arguments), 0.0, atol=1e-7)
    # p = 1/4 on both: KL(1/2 || 1/4) = 1/2 log 4/3.
    arguments = by_hand(np.log([[1 / 3], [1 / 3]]), **NOTHING)
    np.testing.assert_allclose(value("batch", arguments), np.log(4 / 3) / 2, rtol=1e-5)


def test_conditional_by_hand():
    # Nothing labelled: r = 1/2 everywhere, S = mean p = 1/2 for both classes, which share the
    # images evenly: (KL(0.8 || 1/2) + KL(0.2 || 1/2)) / 2 = log 2 - H(0.8).
    entropy = -(0.8 * np.log(0.8) + 0.2 * np.log(0.2))
    arguments = by_hand(np.log([[1 / 3], [3.0]]), **NOTHING)
    np.testing.assert_allclose(value("conditional", arguments), np.log(2) - entropy, rtol=1e-5)
    # Classes labelled a and b: S = (1/4, 3/4): KL(0.8 || 1/4), and KL(0.2 || 3/4) is the same.
    arguments = by_hand(
        np.log([[1 / 3], [3.0]]), classes=np.ones(2, np.float32), attributes=NOTHING["attributes"]
    )
    want = 0.8 * np.log(0.8 / 0.25) + 0.2 * np.log(0.2 / 0.75)
    np.testing.assert_allclose(value("conditional", arguments), want, rtol=1e-5)


def test_conditional_weighs_pairs_by_how_far_they_are_relied_on():
    # As above, each class with half the images: (W_a KL + W_b KL) / 2.
    arguments = by_hand(
        np.log([[1 / 3], [3.0]]), classes=np.ones(2, np.float32), attributes=NOTHING["attributes"]
    )
    given_table, whole = arguments["relatedness"], value("conditional", arguments)
    for reliability, part in (([[1.0], [1.0]], 1.0), ([[0.5], [0.0]], 0.25), ([[0], [0]], 0.0)):
        arguments["relatedness"] = Table(
            given_table.conditional,
            given_table.weights,
            given_table.likelihood,
            None,
            np.array(reliability, np.float32),
        )
        got = value("conditional", arguments)
        np.testing.assert_allclose(got, part * whole, rtol=1e-6)
        if part == 1.0:  # Not by a bit.
            np.testing.assert_array_equal(got, whole)


# --- zero where both sides agree -----------------------------------------------------------------


def agreeing():
    """Attribute predictions equal to the mixture of each image, unlabelled, off the clip."""
    arguments = unlabelled(coupled.draw())
    table = arguments["relatedness"]
    # Laplace-free: what `conditional` calls P is what `mixture` mixes.
    inner = Relatedness(
        table.classes, table.attributes, table.likelihood, table.weights, "inner", None, None
    )
    q = references.mixture(arguments["class_logits"], inner.conditional)
    return {**arguments, "relatedness": inner, "attribute_logits": logit(q).astype(np.float32)}


@pytest.mark.parametrize("name", ["js", "batch"])
def test_0_and_flat_where_predictions_are_the_mixture(name):
    arguments = agreeing()
    np.testing.assert_allclose(value(name, arguments), 0.0, atol=1e-6)
    for side in ("class_logits", "attribute_logits"):
        got = gradient(name, arguments, side)
        np.testing.assert_allclose(got, np.zeros_like(got), atol=1e-6)


def test_batch_is_0_where_only_the_frequencies_agree():
    # p of another image is as good: only means count.
    arguments = agreeing()
    arguments["attribute_logits"] = arguments["attribute_logits"][::-1].copy()
    np.testing.assert_allclose(value("batch", arguments), 0.0, atol=1e-6)
    assert (value("js", arguments) > 0).any()


def test_conditional_is_0_where_s_is_p():
    # One image a class, sure of it, with p = P of its class: S = P.
    table = coupled.table()
    arguments = unlabelled(coupled.draw())
    rows = np.arange(B) % K
    arguments |= {
        "relatedness": table,
        "class_logits": (60.0 * np.eye(K)[rows]).astype(np.float32),
        "attribute_logits": logit(table.likelihood[rows]).astype(np.float32),
    }
    np.testing.assert_allclose(value("conditional", arguments), 0.0, atol=1e-5)
    for side in ("class_logits", "attribute_logits"):
        got = gradient("conditional", arguments, side)
        np.testing.assert_allclose(got, np.zeros_like(got), atol=1e-5)


@given(st.integers(0, 2**32 - 1))
def test_never_negative(seed):
    arguments = coupled.draw(seed)
    for name in NAMES:
        assert (value(name, arguments) > -1e-6).all()


# --- js: who moves, and where to -----------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_js_leaves_the_labelled_side_alone_and_pulls_the_other_towards_it(seed):
    arguments = coupled.draw(seed)
    masks = arguments["masks"]
    p = expit(arguments["attribute_logits"])
    q = references.mixture(arguments["class_logits"], arguments["relatedness"].conditional)
    got = gradient("js", arguments, "attribute_logits")
    known = masks["attributes"] > 0
    assert not got[known].any()
    # Descent lowers p where it is above q and raises it where it is below.
    inside = ~known & (np.abs(p - q) > 1e-3) & (np.abs(p - 0.5) < 0.499)
    assert inside.any()
    np.testing.assert_array_equal(np.sign(got[inside]), np.sign(p - q)[inside])
    got = gradient("js", arguments, "class_logits")
    assert not got[masks["classes"] > 0].any()
    assert got[masks["classes"] == 0].any(axis=1).all()


@pytest.mark.parametrize("seed", range(3))
def test_js_moves_the_mixture_towards_the_attributes(seed):
    # With one attribute, labelled on every image: a small step on the classes brings q nearer to p.
    arguments = unlabelled(coupled.draw(seed))
    table = np.float32([[0.9], [0.1], [0.4], [0.7]])
    arguments |= {
        "relatedness": Relatedness(coupled.CLASSES, ("u",), table, table, "one attribute"),
        "attribute_logits": arguments["attribute_logits"][:, :1],
        "masks": {**arguments["masks"], "attributes": np.ones((B, 1), np.float32)},
    }
    p = expit(arguments["attribute_logits"])
    before = references.mixture(arguments["class_logits"], table)
    step = gradient("js", arguments, "class_logits")
    after = references.mixture(arguments["class_logits"] - 0.1 * step, table)
    np.testing.assert_array_equal(np.sign(after - before), np.sign(p - before))


def test_js_adds_at_most_016_to_a_logit_per_attribute():
    # |dJS/dz| = p (1 - p) / 2 |log p (1 - m) / (m (1 - p))|, greatest at q = 0 or 1: 0.154.
    # Likewise for a class logit: p_c |P_ci - q_i| <= q_i (1 - q_i), with equality for 0/1 tables.
    grid = np.linspace(0.001, 0.999, 999)
    table = Relatedness(("a", "b"), ("x",), [[1.0], [0.0]], [[1.0], [0.0]], "either or")
    q, p = (each.ravel() for each in np.meshgrid(grid, grid))
    size = len(p)
    arguments = {
        "class_logits": np.stack([logit(q), np.zeros(size)], axis=1).astype(np.float32),
        "attribute_logits": logit(p)[:, None].astype(np.float32),
        "relatedness": table,
        "labels": {"classes": np.zeros((size, 2)), "attributes": np.zeros((size, 1))},
        "masks": {"classes": np.zeros(size), "attributes": np.zeros((size, 1))},
    }
    for side in ("class_logits", "attribute_logits"):
        assert 0.15 < np.abs(gradient("js", arguments, side)).max() < 0.16


# --- batch: all images alike ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_batch_gradient_is_the_documented_one(seed):
    arguments = coupled.draw(seed)
    p = expit(coupled.float64(arguments)["attribute_logits"])
    q = references.mixture(
        coupled.float64(arguments)["class_logits"], arguments["relatedness"].conditional
    ).mean(axis=0)
    mean = p.mean(axis=0)
    slope = (mean - np.clip(q, 1e-3, 1 - 1e-3)) / (mean * (1 - mean)) / B
    got = gradient("batch", arguments, "attribute_logits")
    np.testing.assert_allclose(got, slope * p * (1 - p), **STEP)
    np.testing.assert_array_equal(np.sign(got), np.sign(slope)[None].repeat(B, axis=0))
    # Labels make no difference.
    np.testing.assert_array_equal(gradient("batch", unlabelled(arguments), "attribute_logits"), got)


def test_batch_does_not_bring_back_what_fell_below_the_clip():
    arguments = unlabelled(coupled.draw())
    arguments["attribute_logits"] = np.full((B, M), logit(5e-4), np.float32)
    assert not gradient("batch", arguments, "attribute_logits").any()
    arguments["attribute_logits"] = np.full((B, M), logit(2e-3), np.float32)
    q = references.mixture(arguments["class_logits"], arguments["relatedness"].conditional)
    asked = q.mean(axis=0) > 2e-3
    assert asked.any()
    assert (gradient("batch", arguments, "attribute_logits")[:, asked] < 0).all()


# --- conditional: labels speak for themselves ----------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_conditional_has_no_gradient_where_both_sides_are_labelled(seed):
    arguments = coupled.draw(seed)
    masks = arguments["masks"]
    classes = gradient("conditional", arguments, "class_logits")
    attributes = gradient("conditional", arguments, "attribute_logits")
    assert not classes[masks["classes"] > 0].any()
    assert not attributes[masks["attributes"] > 0].any()
    # What is unlabelled learns, on images labelled for the other task too.
    assert classes[2].any()
    assert attributes[1].any()
    assert not masks["classes"][2]
    assert masks["classes"][1]


@pytest.mark.parametrize("seed", range(5))
def test_conditional_pulls_the_attributes_of_a_class_towards_p(seed):
    # All classes labelled: dL/dp_ni = share_k (S - P) / (S (1 - S)) / mass_k of its class k, and
    # share_k / mass_k = 1 / B.
    arguments = coupled.draw(seed)
    labels = np.eye(K, dtype=np.float32)[np.arange(B) % K]
    arguments["labels"]["classes"] = labels
    arguments["masks"]["classes"] = np.ones(B, np.float32)
    arguments["masks"]["attributes"] = np.zeros((B, M), np.float32)
    p = expit(coupled.float64(arguments)["attribute_logits"])
    s = labels.T @ p / labels.sum(axis=0)[:, None]
    slope = labels @ ((s - arguments["relatedness"].likelihood) / (s * (1 - s))) / B
    got = gradient("conditional", arguments, "attribute_logits")
    np.testing.assert_allclose(got, slope * p * (1 - p), **STEP)


def test_conditional_of_a_class_without_any_mass_costs_nothing():
    arguments = coupled.draw()
    arguments["labels"]["classes"] = np.eye(K, dtype=np.float32)[np.arange(B) % (K - 1)]
    arguments["masks"]["classes"] = np.ones(B, np.float32)
    part = {**arguments, "relatedness": arguments["relatedness"].restrict(coupled.CLASSES[:-1])}
    part["class_logits"] = arguments["class_logits"][:, :-1]
    part["labels"] = {**arguments["labels"], "classes": arguments["labels"]["classes"][:, :-1]}
    np.testing.assert_allclose(
        value("conditional", arguments), value("conditional", part), rtol=1e-6
    )


# --- bad input -----------------------------------------------------------------------------------


@every_form
@pytest.mark.parametrize(
    ("name_of_logits", "shape", "message"),
    [
        ("class_logits", (B,), "class_logits must have shape"),
        ("class_logits", (B, K + 1), r"conditional must have shape \(5, 'any'\), got \(4, 5\)"),
        ("attribute_logits", (B + 1, M), r"attribute_logits must have shape \(12, 'any'\)"),
        ("attribute_logits", (B, M + 1), r"attribute_logits must have shape \('any', 5\)"),
    ],
)
def test_wrong_logits_are_named(name, name_of_logits, shape, message):
    arguments = {**coupled.draw(), name_of_logits: np.zeros(shape, np.float32)}
    with pytest.raises(ValueError, match=message):
        MATCHING_FORMS.get(name)(**arguments)


@pytest.mark.parametrize(
    ("name", "part", "side", "shape", "message"),
    [
        # A [B, 1] mask would broadcast to [B, B, M] and change the value without a word.
        ("js", "masks", "classes", (B, 1), r"mask of the classes must have shape \(12,\)"),
        ("js", "masks", "attributes", (B, 1), r"mask of the attributes must have shape \(12, 5\)"),
        ("conditional", "masks", "classes", (B, 1), "mask of the classes must have shape"),
        ("conditional", "masks", "attributes", (B,), "mask of the attributes must have shape"),
        ("conditional", "labels", "classes", (B, 1), "labels of the classes must have shape"),
        ("conditional", "labels", "attributes", (1, M), "labels of the attributes must have"),
    ],
)
def test_wrong_labels_and_masks_are_named(name, part, side, shape, message):
    arguments = coupled.draw()
    arguments[part][side] = np.zeros(shape, np.float32)
    with pytest.raises(ValueError, match=message):
        MATCHING_FORMS.get(name)(**arguments)
