"""What labels alone say of a coupling before training."""

import numpy as np
import pytest

from mtl_dm.losses import CO_ANNOTATION_FORMS, MATCHING_FORMS
from mtl_dm.models import Coupling
from mtl_dm.training.preconditions import STOPS, concerns
from tests.models.cases import ATTRIBUTES, CLASSES, EXPRESSION, TABLE, UNITS

IMAGES = 8
TASKS = (EXPRESSION, UNITS)


def source(classes=None, attributes=None, one_hot=True):
    """Annotations of 8 images; `classes` class numbers or -1, `attributes` a mask."""
    found = {}
    if classes is not None:
        classes = np.asarray(classes)
        labels = np.eye(len(CLASSES), dtype=np.float32)[classes] * (classes >= 0)[:, None]
        found["expression"] = labels if one_hot else classes, (classes >= 0).astype(np.float32)
    if attributes is not None:
        mask = np.broadcast_to(attributes, (IMAGES, len(ATTRIBUTES))).astype(np.float32)
        found["action_units"] = np.zeros_like(mask), mask
    return found


EVERY = np.arange(IMAGES) % len(CLASSES)
BOTH = [source(EVERY, 1)]
DISJOINT = [source(EVERY), source(attributes=1)]
CLASS_BESIDE = [source(EVERY, np.arange(len(ATTRIBUTES)) > 0), source(EVERY, 1)]


def found(annotations, relatedness=TABLE, **fields):
    return concerns(annotations, Coupling(relatedness=relatedness, **fields), TASKS)


def test_nothing_to_say():
    assert found(DISJOINT) == []


@pytest.mark.parametrize("classes", [EVERY, np.where(EVERY == 1, -1, EVERY), np.zeros(8, int)])
def test_class_ids_say_what_one_hot_labels_say(classes):
    some = TABLE.restrict(classes=CLASSES[:2], attributes=ATTRIBUTES)
    for table in (TABLE, some):
        for attributes in (1, np.arange(len(ATTRIBUTES)) > 0):
            one, two = ([source(classes, attributes, one_hot=each)] for each in (True, False))
            assert found(one, table) == found(two, table)


def test_everything_labelled_for_both_tasks():
    matching, co_annotation = found(BOTH)
    assert matching == (
        "The distribution matching (conditional) has nothing to act on: every image is labelled "
        "for both tasks."
    )
    assert co_annotation == (
        "The soft co-annotation (posterior) has nothing to act on: no image with attribute labels "
        "lacks its class."
    )


@pytest.mark.parametrize("form", list(MATCHING_FORMS))
def test_matching_forms(form):
    acts = form in ("paper", "bernoulli", "batch")
    lines = found(BOTH, matching_form=form, co_annotation=0.0)
    assert (lines == []) == acts
    assert found(DISJOINT, matching_form=form, co_annotation=0.0) == []
    assert found(BOTH, matching_form=form, matching=0.0, co_annotation=0.0) == []


@pytest.mark.parametrize("form", list(CO_ANNOTATION_FORMS))
def test_co_annotation_forms(form):
    def lines(annotations, **fields):
        return found(annotations, co_annotation_form=form, matching=0.0, **fields)

    printed = form in ("paper", "distillation")
    assert (lines(BOTH) == []) == printed
    assert lines(DISJOINT) == []
    # Attributes of which the relatedness names none: nothing speaks for a class.
    only = [source(EVERY, np.arange(len(ATTRIBUTES)) == 4), source(np.full(IMAGES, -1))]
    part = TABLE.restrict(attributes=ATTRIBUTES[:2])
    assert any("nothing to act on" in line for line in lines(only, relatedness=part))


def test_every_form_is_known_or_acts_always():
    assert set(MATCHING_FORMS) - set(STOPS["matching"]) == {"paper", "bernoulli", "batch"}
    assert set(STOPS["matching"]) <= set(MATCHING_FORMS)
    assert set(STOPS["co_annotation"]) == set(CO_ANNOTATION_FORMS)


def test_the_rule_needs_a_missing_attribute_label():
    # Half of the images lack their class, all attributes are there: the factor is 0, but a
    # fixed one would let labelled attributes teach the classes.
    annotations = [source(EVERY, 1), source(attributes=1)]
    assert found(annotations, co_annotation=0.0) == [
        "The distribution matching (conditional) has nothing to act on: no attribute label is "
        "missing, so that its factor is 0."
    ]
    assert found(annotations, matching=1.0, co_annotation=0.0) == []


def test_some_attributes_are_missing_where_the_class_is_known():
    assert found(CLASS_BESIDE) == [
        "The soft co-annotation (posterior) has nothing to act on: no image with attribute labels "
        "lacks its class."
    ]


def test_labels_without_an_image_are_named():
    classes = np.where(EVERY == 2, -1, EVERY)
    attributes = np.isin(np.arange(len(ATTRIBUTES)), [1, 3], invert=True)
    got = found([source(classes), source(attributes=attributes)])
    assert got == [
        "No training image is labelled with ['sadness'] of 'expression': the coupling alone "
        "teaches them.",
        "No training image is labelled with ['AU2', 'AU12'] of 'action_units': the coupling alone "
        "teaches them.",
    ]


def test_what_the_relatedness_does_not_name_does_not_count():
    part = TABLE.restrict(classes=["happiness", "fear"], attributes=["AU1", "AU6"])
    classes = np.where(EVERY == 2, -1, EVERY)
    attributes = np.isin(np.arange(len(ATTRIBUTES)), [1, 3], invert=True)
    assert found([source(classes), source(attributes=attributes)], part) == []
    # Images of other classes are left alone: those that remain are labelled for both.
    other = [source(EVERY, np.where(np.isin(EVERY, [1, 3]), 1, 0)[:, None])]
    lines = found(other, part)
    assert len(lines) == 2
    assert all("nothing to act on" in line for line in lines)


@pytest.mark.parametrize(
    ("annotations", "task"),
    [([source(EVERY)], "action_units"), ([source(attributes=1)], "expression")],
)
def test_what_no_label_can_judge(annotations, task):
    called = "The coupling of 'expression' and 'action_units'"
    reason = f"no training image is labelled for the labels of {task!r} that it names"
    said = f"{called}: its relatedness is not judged, but believed as given: {reason}."
    assert said in found(annotations)
    assert said not in found(annotations, trust=False)
    assert said not in found(annotations, learned=True)
    assert said not in found(DISJOINT, trust=True)
    with pytest.raises(ValueError, match=f"{called} has trust=True, by which .*, but {reason}"):
        found(annotations, trust=True)
