"""The two tables of compound expressions that circulate, typed once more."""

import numpy as np
import pytest

from mtl_dm.relatedness import (
    COMPONENTS,
    COMPOUND_EXPRESSIONS,
    PUBLISHED,
    components_of,
    compound_du,
    compound_emotionet,
)
from mtl_dm.tasks import EXPRESSIONS

# Adverb and word of a compound's name -> the basic expression.
WORDS = {
    "happily": "happiness", "sadly": "sadness", "fearfully": "fear", "angrily": "anger",
    "disgustedly": "disgust", "sad": "sadness", "surprised": "surprise", "disgusted": "disgust",
    "fearful": "fear", "angry": "anger",
}  # fmt: skip


def units(table, name, least=0.0):
    row = table.weights[table.classes.index(name)]
    return {int(table.attributes[i][2:]) for i in np.flatnonzero(row > least)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("happily surprised", {1, 2, 12, 25}),
        ("sadly fearful", {1, 4, 15, 25}),
        ("sadly angry", {4, 7, 15}),
        ("disgustedly surprised", {1, 2, 5, 10}),
        ("happily fearful", {1, 2, 12, 25, 26}),
        ("hatred", {4, 7, 10}),
    ],
)
def test_rows_of_emotionet(name, expected):
    assert units(compound_emotionet(), name) == expected


def test_the_tables_differ_where_the_docstring_says():
    emotionet, du = compound_emotionet(), compound_du()
    shared = [name for name in emotionet.classes if name in du.classes]
    assert len(shared) == len(du.classes) == 15
    assert len(emotionet.classes) == len(COMPOUND_EXPRESSIONS) == 17
    assert (len(emotionet.attributes), len(du.attributes)) == (14, 16)
    # Prototypical units of Du are the defining ones of EmotioNet, but in these.
    differing = {name for name in shared if units(emotionet, name) != units(du, name, 0.99)}
    assert differing == {"sadly fearful", "sadly angry", "appalled", "hatred"}


@pytest.mark.parametrize(
    ("name", "unit", "share"),
    [("happily surprised", 26, 0.67), ("sadly disgusted", 6, 0.61), ("awed", 4, 0.21)],
)
def test_shares_of_du(name, unit, share):
    du = compound_du()
    place = du.classes.index(name), du.attributes.index(f"AU{unit}")
    assert du.conditional[place] == du.weights[place] == pytest.approx(share)


def test_du_is_marked_as_second_hand():
    assert "second-hand" in compound_du().citation
    assert "Second-hand" in compound_du.__doc__
    assert PUBLISHED.get("compound_du") is compound_du
    assert PUBLISHED.get("compound_emotionet") is compound_emotionet


def test_components_are_those_of_the_name():
    assert set(COMPOUND_EXPRESSIONS) - set(COMPONENTS) == {"awed", "appalled", "hatred"}
    for name, pair in COMPONENTS.items():
        assert pair == tuple(WORDS[word] for word in name.split())
        assert set(pair) <= set(EXPRESSIONS)
    assert components_of("sadly angry") == ("sadness", "anger")
    with pytest.raises(ValueError, match=r"'awed' has no components .* Known: happily sad, "):
        components_of("awed")
