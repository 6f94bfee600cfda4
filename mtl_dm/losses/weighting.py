"""How much a coupling term counts, from what the labels of the batch alone say.

A term teaches only where the label of the task that it teaches is missing. Counted by a rule
(`mtl_dm.losses.rules`), it fades out where everything is labelled, and needs no search where
hardly anything is.

Shapes: B images, M attributes.
"""

from __future__ import annotations

from typing import Any

from mtl_dm.losses.rules import DEFAULT_RULE, RULES
from mtl_dm.losses.shares import Labelled

BASE_FACTORS = {"conditional": 1.0, "posterior": 0.5}
"""Factors of the forms that a rule weighs, chosen on inner splits of experiments/coupling_study.
Forms between classes and values take over those of attributes, untried. The factor of any other
form is 1, whatever the labels are: the paper's lambda."""


def matching_factor(form: str, labelled: Labelled, reduction: str, rule: str = DEFAULT_RULE) -> Any:
    """Return the factor of a matching term that a rule gives.

    Args:
        form: Name of the form.
        labelled: What is labelled in the batch.
        reduction: Of the attribute loss. "mean": a term that is a sum over attributes is divided
            by their number too, so that both stay in proportion.
        rule: Name in `mtl_dm.losses.rules.RULES`.

    Raises:
        ValueError: If there is no such rule.
    """
    if form not in BASE_FACTORS:
        return 1.0
    attributes = labelled.attributes.shape[-1] if reduction == "mean" else 1
    return BASE_FACTORS[form] / attributes * RULES.create(rule).matching(labelled)


def co_annotation_factor(form: str, labelled: Labelled, rule: str = DEFAULT_RULE) -> Any:
    """Return the factor of a co-annotation term that a rule gives.

    Args:
        form: Name of the form.
        labelled: As for `matching_factor`.
        rule: As for `matching_factor`.

    Raises:
        ValueError: If there is no such rule.
    """
    if form not in BASE_FACTORS:
        return 1.0
    return BASE_FACTORS[form] * RULES.create(rule).co_annotation(labelled)
