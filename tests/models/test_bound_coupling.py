"""Terms and factors of a coupling inside a model, form by form."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.losses import CO_ANNOTATION_FORMS, MATCHING_FORMS
from mtl_dm.models import Coupling
from mtl_dm.models.bound_coupling import BoundCoupling
from tests.models.cases import ATTRIBUTES, CLASSES, EXPRESSION, TABLE, UNITS

ROWS = 6
FORMS = [("distribution_matching", name) for name in MATCHING_FORMS] + [
    ("soft_co_annotation", name) for name in CO_ANNOTATION_FORMS
]
every_form = pytest.mark.parametrize(("term", "form"), FORMS)


def bound(relatedness=TABLE, reduction="mean", **fields):
    tasks = {"expression": EXPRESSION, "action_units": UNITS.replace(reduction=reduction)}
    return BoundCoupling(Coupling(relatedness=relatedness, **fields), tasks)


def with_form(term, form, **fields):
    """A coupling of this one form."""
    if term == "distribution_matching":
        return bound(co_annotation=0.0, matching_form=form, **fields)
    return bound(matching=0.0, co_annotation_form=form, **fields)


def draw(seed=0):
    """Images 0 to 2 have a class, 0 neutral; half of the attributes are labelled, none of 5."""
    rng = np.random.default_rng(seed)
    f = np.float32
    logits = {
        "expression": rng.normal(size=(ROWS, len(CLASSES))).astype(f),
        "action_units": rng.normal(size=(ROWS, len(ATTRIBUTES))).astype(f),
    }
    classes = np.zeros((ROWS, len(CLASSES)), f)
    classes[[0, 1, 2], [0, 1, 2]] = 1
    attribute_mask = (np.arange(ROWS * len(ATTRIBUTES)) % 2).reshape(ROWS, -1).astype(f)
    attribute_mask[5] = 0
    attributes = rng.integers(0, 2, attribute_mask.shape).astype(f) * attribute_mask
    labels = {"expression": classes, "action_units": attributes}
    masks = {"expression": classes.max(axis=1), "action_units": attribute_mask}
    return logits, labels, masks


def term_of(coupling, logits, labels, masks):
    """(value, gradients by task) of the only term."""
    logits = {name: tf.convert_to_tensor(each) for name, each in logits.items()}
    with tf.GradientTape() as tape:
        tape.watch(logits)
        ((values, weights, factor),) = coupling.terms(logits, labels, masks).values()
        value = (
            factor
            * keras.ops.sum(values * weights)
            / keras.ops.maximum(keras.ops.sum(weights), 1.0)
        )
    got = tape.gradient(value, logits, unconnected_gradients="zero")
    return float(value), {name: each.numpy() for name, each in got.items()}


@every_form
def test_an_image_of_a_class_that_the_relatedness_does_not_name_is_left_alone(term, form):
    coupling = with_form(term, form, relatedness=TABLE.restrict(classes=CLASSES[1:]))
    logits, labels, masks = draw()
    # Forms that look at images without a class have some, others images with one.
    value, gradients = term_of(coupling, logits, labels, masks)
    assert any(np.any(each) for each in gradients.values())
    for each in gradients.values():
        assert (each[0] == 0).all()
    for name in logits:
        logits[name][0] = 9.0 * (-1.0) ** np.arange(logits[name].shape[1])
    labels["action_units"][0] = masks["action_units"][0] * (1 - labels["action_units"][0])
    changed, gradients_then = term_of(coupling, logits, labels, masks)
    assert changed == pytest.approx(value, rel=1e-6)
    for name, each in gradients.items():
        np.testing.assert_allclose(gradients_then[name], each, rtol=1e-5, atol=1e-7)


@every_form
@pytest.mark.parametrize("table", [TABLE, TABLE.restrict(CLASSES[1:])], ids=["all", "part"])
def test_masks_that_weigh_images_say_only_that_there_is_a_label(term, form, table):
    logits, labels, masks = draw()
    coupling = with_form(term, form, relatedness=table)
    weighed = {name: 3.0 * mask for name, mask in masks.items()}
    want, got = (term_of(coupling, logits, labels, each) for each in (masks, weighed))
    assert got[0] == want[0]
    for task, gradient in want[1].items():
        np.testing.assert_array_equal(got[1][task], gradient)


@every_form
def test_is_as_if_the_image_were_not_there(term, form):
    coupling = with_form(term, form, relatedness=TABLE.restrict(classes=CLASSES[1:]))
    whole = draw()
    rest = [{name: each[1:] for name, each in part.items()} for part in whole]
    # By the rule the share of the batch has another divisor; the sum that it stands for has not.
    value, _ = term_of(coupling, *whole)
    alone, _ = term_of(coupling, *rest)
    by_rule = form in ("conditional", "posterior")
    assert value == pytest.approx(alone * ((ROWS - 1) / ROWS if by_rule else 1.0), rel=1e-5)


@every_form
def test_an_image_without_a_class_is_not(term, form):
    coupling = with_form(term, form, relatedness=TABLE.restrict(classes=CLASSES[1:]))
    _, gradients = term_of(coupling, *draw())
    assert np.any(gradients["expression"][3]) or np.any(gradients["action_units"][3])


class TestFactors:
    def factors(self, coupling, data=None):
        logits, labels, masks = data or draw()
        terms = coupling.terms(logits, labels, masks)
        return {name: float(factor) for name, (_, _, factor) in terms.items()}

    def test_by_the_first_rule(self):
        # 12 of 30 attribute labels; attributes without a class: images 3 and 4 of 6.
        masks = draw()[2]["action_units"]
        assert masks.sum() == 12
        assert self.factors(bound(reduction="sum", rule="first")) == {
            "distribution_matching": pytest.approx(18 / 30),
            "soft_co_annotation": pytest.approx(0.5 * 2 / 6),
        }
        mean = self.factors(bound(rule="first"))
        assert mean["distribution_matching"] == pytest.approx(18 / 30 / 5)

    def test_by_the_default_rule(self):
        # Images 0 to 2 have a class and 7 of 15 attributes; of 5 images with attributes, 3.
        assert self.factors(bound(reduction="sum")) == {
            "distribution_matching": pytest.approx(18 / 30 * (8 / 15) ** 2),
            "soft_co_annotation": pytest.approx(0.5 * 2 / 6 * (2 / 5) ** 2),
        }
        # Of class 0, which the table lacks, image 0: the other two have 5 of 10 attributes, and
        # are two of four images with attributes.
        part = TABLE.restrict(classes=CLASSES[1:])
        assert self.factors(bound(part, reduction="sum")) == {
            "distribution_matching": pytest.approx(15 / 30 * (5 / 10) ** 2),
            "soft_co_annotation": pytest.approx(0.5 * 2 / 6 * (2 / 4) ** 2),
        }

    def test_what_is_left_alone_counts_as_not_informed(self):
        # Image 0 lacks 3 of its 5 attribute labels and has a class: neither term acts on it.
        part = TABLE.restrict(classes=CLASSES[1:])
        assert draw()[2]["action_units"][0].sum() == 2
        assert self.factors(bound(part, reduction="sum", rule="first")) == {
            "distribution_matching": pytest.approx(15 / 30),
            "soft_co_annotation": pytest.approx(0.5 * 2 / 6),
        }

    def test_attributes_outside_the_relatedness_do_not_count(self):
        part = TABLE.restrict(attributes=ATTRIBUTES[:1])
        # Of the first attribute the images 1 and 3 are labelled.
        assert draw()[2]["action_units"][:, 0].tolist() == [0, 1, 0, 1, 0, 0]
        got = self.factors(bound(part, reduction="mean", rule="first"))
        assert got == {
            "distribution_matching": pytest.approx(4 / 6),
            "soft_co_annotation": pytest.approx(0.5 * 1 / 6),
        }

    def test_nothing_missing_fades_out(self):
        logits, labels, masks = draw()
        labels["expression"] = np.eye(4, dtype=np.float32)[np.arange(ROWS) % 4]
        masks = {name: np.ones_like(mask) for name, mask in masks.items()}
        assert self.factors(bound(), (logits, labels, masks)) == {
            "distribution_matching": 0.0, "soft_co_annotation": 0.0,
        }  # fmt: skip

    def test_given_factors_are_taken(self):
        coupling = bound(matching=0.25, co_annotation=3.0)
        assert self.factors(coupling) == {"distribution_matching": 0.25, "soft_co_annotation": 3.0}

    def test_printed_forms_have_factor_1_where_none_is_given(self):
        forms = {"matching_form": "paper", "co_annotation_form": "paper"}
        left, given = bound(**forms), bound(matching=1.0, co_annotation=1.0, **forms)
        assert self.factors(left) == self.factors(given)
        assert set(self.factors(left).values()) == {1.0}

    def test_a_factor_of_0_switches_off(self):
        coupling = bound(matching=0.0)
        assert coupling.term_names == ["soft_co_annotation"]
        assert set(self.factors(coupling)) == {"soft_co_annotation"}
        assert self.factors(bound(matching=0, co_annotation=0)) == {}
