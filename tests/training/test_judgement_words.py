"""What is said of a relatedness that labels judge."""

import dataclasses

import numpy as np
import pytest

from mtl_dm.models import Coupling
from mtl_dm.relatedness import Observations
from mtl_dm.training import judgement_words as words
from tests.models.cases import ATTRIBUTES, CLASSES, TABLE

COUPLING = Coupling(relatedness=TABLE)


def seen(classes, attributes):
    labels = np.where(np.isin(ATTRIBUTES, attributes), 1.0, -1.0)
    ids = np.array([CLASSES.index(name) for name in classes] or [-1])
    size = len(ids)
    return Observations(
        np.full((size, len(CLASSES)), 0.25),
        np.full((size, len(ATTRIBUTES)), 0.5),
        ids,
        np.tile(labels, (size, 1)),
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (None, "believed as given"),
        (1.0, "believed"),
        (0.89, "learned from labels in part"),
        (0.04, "learned from labels instead"),
    ],
)
def test_verdict(share, said):
    assert words.verdict(share) == said


def test_labels_that_no_image_has_are_named():
    of = "the labels confirm 4% of the relatedness of expression and action_units"
    whole = words.judged(COUPLING, 0.041, seen(CLASSES, ATTRIBUTES))
    assert whole == f"{of}: learned from labels instead."
    part = words.judged(COUPLING, 0.041, seen(CLASSES[1:], ATTRIBUTES[:-1]))
    assert part == f"{whole} No image is labelled with neutral, AU15: judged by the rest."


def test_obstacles():
    table = COUPLING.relatedness
    assert words.obstacle(seen(CLASSES, ATTRIBUTES), table) is None
    assert "of its classes" in words.obstacle(seen((), ATTRIBUTES), table)
    assert "of its attributes" in words.obstacle(seen(CLASSES, ()), table)
    flat = dataclasses.replace(table, conditional=np.full_like(table.conditional, 0.3))
    assert "the same of every class" in words.obstacle(seen(CLASSES, ATTRIBUTES), flat)
