"""Gradients over features need images that tasks share."""

import numpy as np
import pytest

from mtl_dm.balancing import BALANCING
from mtl_dm.tasks import Task
from mtl_dm.training.shared_images import shared_image_concerns

TASKS = (Task.multiclass("kind", ("a", "b")), Task.multilabel("marks", ("x", "y")))
OVER_FEATURES = BALANCING.create("mgda(scope=features)")


def source(kind=None, marks=None):
    found = {}
    if kind is not None:
        found["kind"] = (np.zeros(len(kind), np.int64), np.array(kind, np.float32))
    if marks is not None:
        found["marks"] = (np.zeros((len(marks), 2)), np.repeat(np.array(marks)[:, None], 2, 1))
    return found


DISJOINT = [source(kind=[1, 1, 0]), source(marks=[1, 1])]


def test_refused_where_no_image_has_two_tasks():
    with pytest.raises(ValueError, match=r"MGDA with scope=features needs .* none of 4 is"):
        shared_image_concerns(DISJOINT, OVER_FEATURES, TASKS)


@pytest.mark.parametrize("text", ["mgda", "gradnorm", "uncertainty", "equal"])
def test_other_scopes_take_any_data(text):
    assert shared_image_concerns(DISJOINT, BALANCING.create(text), TASKS) == []


def test_said_where_some_images_have_one_task():
    (line,) = shared_image_concerns([source(kind=[1, 1, 0], marks=[1, 0, 0])], OVER_FEATURES, TASKS)
    assert "only 1 of 2 annotated images have all 2 tasks" in line


def test_nothing_to_say_where_all_have_all():
    assert shared_image_concerns([source([1, 1], [1, 1])], OVER_FEATURES, TASKS) == []
