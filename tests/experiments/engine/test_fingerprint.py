import pytest

from experiments.engine.fingerprint import fingerprint

CONFIG = {"epochs": 2, "datasets": ["a"], "relatedness": None, "augment": True}


@pytest.mark.parametrize(
    "other",
    [
        {"brake": False},
        {"couplings": []},
        {"task_weights": {}},
        {"validation": None},
        {"name": ""},
    ],
)
def test_what_is_off_leaves_no_trace(other):
    assert fingerprint({**CONFIG, **other}) == fingerprint(CONFIG)


@pytest.mark.parametrize(
    "other",
    [{"epochs": 3}, {"relatedness": "facs"}, {"augment": False}, {"new": 0}, {"datasets": ["b"]}],
)
def test_what_is_on_shows(other):
    assert fingerprint({**CONFIG, **other}) != fingerprint(CONFIG)


def test_tuples_are_lists_and_order_of_names_does_not_count():
    other = dict(reversed({**CONFIG, "datasets": ("a",)}.items()))
    assert fingerprint(other) == fingerprint(CONFIG)
