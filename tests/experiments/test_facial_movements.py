"""Facial movements: labels by hand, Table 1 under their names."""

import numpy as np
import pytest

from experiments.problems import facial_movements
from experiments.problems.facial_movements import MOVEMENTS, NEAR, binary, measured, near_table
from mtl_dm.relatedness import facs

ONE_SIDED = ("browInnerUp", "mouthShrugLower", "jawOpen")


def scores(value="0.2", **changes):
    row = {}
    for name in MOVEMENTS:
        sides = [name] if name in ONE_SIDED else [f"{name}Left", f"{name}Right"]
        row |= dict.fromkeys(sides, value)
    return row | changes


def test_left_and_right_count_as_one():
    found = measured(scores(mouthSmileLeft="0.9", mouthSmileRight="0.5", jawOpen="0.75"))
    expected = dict.fromkeys(MOVEMENTS, 0.2) | {"mouthSmile": 0.7, "jawOpen": 0.75}
    assert dict(zip(MOVEMENTS, found, strict=True)) == pytest.approx(expected)


def test_other_movements_are_read_by_name():
    row = scores(mouthPucker="0.3", mouthLowerDownLeft="0.1", mouthLowerDownRight="0.3")
    found = measured(row, facial_movements.EVERY)
    assert found[:12] == measured(row)
    assert found[12:] == pytest.approx([0.2, 0.3])


def test_no_face_is_not_annotated():
    found = np.array([measured(scores("")), measured(scores("0.2"))])
    assert np.isnan(found[0]).all()
    assert binary(found, np.full(12, 0.1)).tolist() == [[-1] * 12, [1] * 12]


def test_a_score_outside_its_range():
    with pytest.raises(ValueError, match=r"browDown must lie in \[0, 1\], got \['1.5', '1.5'\]"):
        measured(scores(browDownLeft="1.5", browDownRight="1.5"))


def test_thresholds_are_the_upper_quartile_and_at_least_a_tenth():
    values = np.array(
        [[0.0, 0.0], [0.4, 0.01], [0.8, 0.02], [0.2, 0.03], [0.6, 0.04], [np.nan] * 2]
    )
    # Of 0, 0.2, 0.4, 0.6, 0.8 the upper quartile is 0.6; of the second column 0.03.
    found = facial_movements.thresholds(values)
    assert found == pytest.approx([0.6, 0.1])
    assert binary(values, found)[:, 0].tolist() == [0, 0, 1, 0, 0, -1]


def test_table_1_is_read_by_the_nearest_movement():
    table, original = near_table(), facs()
    assert table.attributes == MOVEMENTS
    assert table.classes == original.classes
    for place, unit in enumerate(NEAR.values()):
        column = original.attributes.index(unit)
        np.testing.assert_array_equal(table.weights[:, place], original.weights[:, column])
        np.testing.assert_array_equal(table.conditional[:, place], original.conditional[:, column])
    happiness = table.conditional[table.classes.index("happiness")]
    assert [n for n, p in zip(MOVEMENTS, happiness, strict=True) if p] == ["mouthSmile"]
