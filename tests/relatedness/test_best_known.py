"""Counted where annotations suffice, else shrunk, given or blank."""

import numpy as np

from mtl_dm.relatedness import Relatedness, best_known, estimate, from_annotations, marginal
from mtl_dm.relatedness.best_known import FEW_FOR_COUNTING

NAMES = {"classes": ("a", "b"), "attributes": ("u", "v")}
TABLE = np.array([[0.8, 0.3], [0.2, 0.6]])
GIVEN = Relatedness(**NAMES, conditional=TABLE, weights=TABLE, citation="given")


def labels(per_class):
    ids = np.repeat([0, 1], per_class)
    active = np.stack([ids, np.arange(len(ids)) % 2], axis=1).astype(np.float32)
    return ids, active, np.ones(active.shape, bool)


def test_enough_images_of_every_pair_are_counted():
    arrays = labels(FEW_FOR_COUNTING)
    for given in (None, GIVEN):
        table, origin = best_known(*arrays, **NAMES, given=given)
        assert (table, origin) == (from_annotations(*arrays, **NAMES), "counted")


def test_one_image_fewer_is_shrunk():
    arrays = labels(FEW_FOR_COUNTING - 1)
    for given in (None, GIVEN):
        table, origin = best_known(*arrays, **NAMES, given=given)
        assert (table, origin) == (estimate(*arrays, **NAMES, toward=given), "shrunk")


def test_no_image_with_both_leaves_what_is_given_or_a_blank():
    ids, active, mask = labels(40)
    mask[:40] = False
    ids[40:] = -1
    assert best_known(ids, active, mask, **NAMES, given=GIVEN) == (GIVEN, "given")
    table, origin = best_known(ids, active, mask, **NAMES)
    assert origin == "blank"
    assert table == marginal(ids, np.where(mask, active, -1.0), **NAMES)


def test_an_attribute_of_which_nothing_is_known_is_left_out():
    ids, active, mask = labels(40)
    mask[:, 0] = False
    table, origin = best_known(ids, active, mask, **NAMES)
    assert (table.attributes, origin) == (("v",), "counted")
    # The given table knows it.
    table, origin = best_known(ids, active, mask, **NAMES, given=GIVEN)
    assert (table.attributes, origin) == (("u", "v"), "shrunk")
