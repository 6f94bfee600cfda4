import math

import numpy as np
import pytest

from mtl_dm.datasets.reading import ClassMap, flag, in_order, integer, number

ANIMALS = ClassMap("animal", ("cat", "dog"), {"7": "dog", "3": "cat", "9": None}, {"9": "plant"})


def test_ids_become_the_canonical_order():
    assert [ANIMALS.index(text) for text in ("3", "7", "9")] == [0, 1, None]
    assert ANIMALS.reason("9") == "animal is 9 (plant), outside the 2"


@pytest.mark.parametrize("text", ["", "8", "-1", "cat", "3.0"])
def test_unknown_id_lists_the_known(text):
    with pytest.raises(ValueError, match=rf"animal is '{text}'; expected one of 7, 3, 9"):
        ANIMALS.index(text)


def test_a_map_is_checked():
    with pytest.raises(ValueError, match=r"\['bird'\] are not among"):
        ClassMap("animal", ("cat", "dog"), {"1": "bird"})
    with pytest.raises(ValueError, match=r"say in `outside` what \['1'\]"):
        ClassMap("animal", ("cat", "dog"), {"1": None})


def test_table_for_the_readme():
    assert ANIMALS.table().splitlines()[2:] == [
        "| `7` | dog | 1 |",
        "| `3` | cat | 0 |",
        "| `9` | plant | skipped |",
    ]


def test_integer():
    assert integer("age", "07", 0, 9) == 7
    for text in ("10", "-1", "x", "", "1.5"):
        with pytest.raises(ValueError, match=rf"age is '{text}'; expected .* from 0 to 9"):
            integer("age", text, 0, 9)


def test_number():
    assert number("valence", "-0.5", -1, 1) == -0.5
    assert math.isnan(number("valence", "-2", -1, 1, missing=[-2]))
    assert math.isnan(number("valence", "-5.0", -1, 1, missing=[-5]))
    for text in ("1.1", "nan", "inf", "", "x"):
        with pytest.raises(ValueError, match=rf"valence is '{text}'; expected .* from -1 to 1"):
            number("valence", text, -1, 1)
    with pytest.raises(ValueError, match=r"expected a number$"):
        number("x", "inf")


def test_flag_and_order():
    values = {"1": 1, "0": 0, "999": -1}
    assert [flag("AU1", text, values) for text in ("999", "1", "0")] == [-1, 1, 0]
    with pytest.raises(ValueError, match="AU1 is '2'; expected one of 1, 0, 999"):
        flag("AU1", "2", values)
    vector = in_order({"b": 1, "z": 1, "a": 0}, ("a", "b", "c"))
    assert vector.dtype == np.int8
    assert vector.tolist() == [0, 1, -1]
