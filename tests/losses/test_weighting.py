"""The factors that the labels of a batch give."""

import numpy as np
import pytest

from mtl_dm.losses.rules import RULES
from mtl_dm.losses.shares import Labelled
from mtl_dm.losses.weighting import BASE_FACTORS, co_annotation_factor, matching_factor

BATCH = Labelled(
    np.array([1, 1, 0, 0, 0], np.float32),
    np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], np.float32),
)


def test_the_first_rule():
    assert BASE_FACTORS == {"conditional": 1.0, "posterior": 0.5}
    assert float(matching_factor("conditional", BATCH, "sum", "first")) == pytest.approx(0.6)
    # Divided by the two attributes, as the averaged attribute loss is.
    assert float(matching_factor("conditional", BATCH, "mean", "first")) == pytest.approx(0.3)
    assert float(co_annotation_factor("posterior", BATCH, "first")) == pytest.approx(0.2)


@pytest.mark.parametrize("rule", list(RULES))
def test_a_rule_scales_the_base_factors(rule):
    made = RULES.create(rule)
    matching, co_annotation = float(made.matching(BATCH)), float(made.co_annotation(BATCH))
    assert float(matching_factor("conditional", BATCH, "mean", rule)) == pytest.approx(matching / 2)
    assert float(co_annotation_factor("posterior", BATCH, rule)) == pytest.approx(co_annotation / 2)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("form", ["paper", "bernoulli", "distillation", "js", "batch", "mine"])
def test_other_forms_have_factor_1(form, reduction):
    assert matching_factor(form, BATCH, reduction) == 1.0
    assert co_annotation_factor(form, BATCH) == 1.0
