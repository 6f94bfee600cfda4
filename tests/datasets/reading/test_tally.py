import numpy as np
import pytest

from mtl_dm.datasets.reading import tally
from mtl_dm.tasks import Task

PET = Task.multiclass("pet", ("cat", "dog", "owl"))
LOOKS = Task.multilabel("looks", ("hat", "tie", "bow"))
TASTE = Task.regression("taste", ("salt", "sugar"))


def counted(task, *values, absent=0):
    found = tally.Tally([task])
    for value in values:
        found.add({task.name: value, "other": 1})
    for _ in range(absent):
        found.add({})
    return found


def real(*pairs):
    return [np.array(pair, np.float32) for pair in pairs]


@pytest.fixture(params=[1, 2, 4096], autouse=True)
def batch(request, monkeypatch):
    monkeypatch.setattr(tally, "_BATCH", request.param)


def test_classes():
    assert counted(PET, 1, 1, -1, 0, absent=2).lines == [
        "pet: cat 1, dog 2, owl 0; 3 not annotated."
    ]


def test_attributes_beside_those_annotated():
    rows = [np.array(row, np.int8) for row in ([1, 0, -1], [1, -1, -1], [-1, -1, -1])]
    assert counted(LOOKS, *rows, absent=1).lines == [
        "looks: hat 2 of 2, tie 0 of 1; 2 not annotated."
    ]


def test_values_with_their_range():
    found = counted(TASTE, *real([0.5, np.nan], [-2, np.nan], [np.nan, np.nan]))
    assert found.lines == ["taste: salt 2 from -2 to 0.5; 1 not annotated."]
    assert found.warnings == []
    assert counted(TASTE, absent=2).lines == ["taste: no label; 2 not annotated."]


def test_a_value_far_from_all_others_is_perhaps_none():
    found = counted(TASTE, *real([0.5, 1], [-999, 2], [-999, 99], [1, 90]))
    assert found.warnings == [
        "taste: salt is -999 in 2 row(s), and from 0.5 to 1 in all others: a mark for missing "
        "values? Taken for a value; leave a cell empty where nothing is annotated."
    ]
    assert found.lines == ["taste: salt 4 from -999 to 1, sugar 4 from 1 to 99; 0 not annotated."]
    assert counted(TASTE, *real([99, 999], [98, 300])).warnings == []
    assert counted(TASTE, *real([99, 99])).warnings == []  # nothing to compare with


def test_of_many_labels_those_at_both_ends():
    task = Task.multiclass("id", tuple(f"n{place}" for place in range(50)))
    [line] = counted(task, 7, 7, 3).lines
    assert line.startswith("id: 50 labels, most n7 2, n3 1, n0 0, ")
    assert line.endswith(", n49 0; 0 not annotated.")
    assert line.count(", ") == 21


def test_names_that_hide_something_are_quoted():
    task = Task.multiclass("x", ("a b", "a  b", "a,b", "a\nb"))
    assert counted(task).lines == ["x: a b 0, 'a  b' 0, 'a,b' 0, 'a\\nb' 0; 0 not annotated."]
