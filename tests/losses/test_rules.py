"""Every rule against its limits; each against its equation in NumPy."""

import numpy as np
import pytest

from mtl_dm.losses.rules import DEFAULT_RULE, RULES
from mtl_dm.losses.shares import Labelled

every_rule = pytest.mark.parametrize("name", list(RULES))


def draw(seed, images=12, attributes=3):
    """Masks of a batch, some images without a class, some without attributes."""
    rng = np.random.default_rng(seed)
    shares = rng.uniform(size=2)
    classes = (rng.uniform(size=images) < shares[0]).astype(np.float32)
    return classes, (rng.uniform(size=(images, attributes)) < shares[1]).astype(np.float32)


def factors(name, classes, attributes):
    rule = RULES.create(name)
    labelled = Labelled(classes, attributes)
    return float(rule.matching(labelled)), float(rule.co_annotation(labelled))


def first(classes, attributes):
    some = attributes.max(axis=1)
    return 1 - attributes.mean(), (some * (1 - classes)).mean()


def apart(classes, attributes):
    some = attributes.max(axis=1) > 0
    beside_class = attributes[classes > 0].mean() if classes.any() else 0.0
    beside_attributes = classes[some].mean() if some.any() else 0.0
    matching, co_annotation = first(classes, attributes)
    return matching * (1 - beside_class) ** 2, co_annotation * (1 - beside_attributes) ** 2


@pytest.mark.parametrize(("name", "reference"), [("first", first), ("apart", apart)])
def test_against_its_equation(name, reference):
    for seed in range(20):
        masks = draw(seed)
        assert factors(name, *masks) == pytest.approx(reference(*masks), abs=1e-6)


@every_rule
def test_limits(name):
    # Every label is there: no term counts. None is: matching has all to say.
    assert factors(name, np.ones(4), np.ones((4, 2))) == (0.0, 0.0)
    assert factors(name, np.zeros(4), np.zeros((4, 2)))[0] == 1.0
    # No image has both labels: what a term informs is what it counts.
    classes = np.array([1, 0, 0, 0])
    attributes = np.outer(1 - classes, [1, 1])
    assert factors(name, classes, attributes) == (0.25, 0.75)


@every_rule
def test_a_label_that_a_term_would_have_informed_never_raises_it(name):
    for seed in range(4):
        classes, attributes = draw(seed)
        before = factors(name, classes, attributes)
        assert all(0.0 <= each <= 1.0 for each in before)
        for image in np.flatnonzero(classes == 0):
            more = classes.copy()
            more[image] = 1
            assert factors(name, more, attributes)[1] <= before[1] + 1e-6
        for place in np.argwhere(attributes == 0)[::5]:
            more = attributes.copy()
            more[tuple(place)] = 1
            assert factors(name, classes, more)[0] <= before[0] + 1e-6


def test_an_unknown_rule_lists_the_known_ones():
    assert DEFAULT_RULE in RULES
    with pytest.raises(ValueError, match=r"Unknown rule of the factors 'mine'\. Known: .*first"):
        RULES.create("mine")
