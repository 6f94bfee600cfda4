"""Drawn people for verification: nobody in two splits, every expression of everybody."""

import itertools

import numpy as np
import pytest

from mtl_dm import datasets
from mtl_dm.datasets import SyntheticIdentities
from mtl_dm.synthetic import identities
from mtl_dm.synthetic.identities import COUNTS, GROUPS, PEOPLE
from mtl_dm.tasks import EXPRESSIONS


def drawn(split, count=15, size=32, seed=0):
    return list(identities.generate_identities(split, count, size, seed))


def test_class_ids_of_the_splits_follow_each_other():
    ends = list(itertools.accumulate(group.count for group in GROUPS.values()))
    assert [group.first for group in GROUPS.values()] == [0, *ends[:-1]]
    assert ends[-1] == PEOPLE == identities.TASKS[0].size
    assert len({group.number for group in GROUPS.values()}) == len(GROUPS)


def test_everybody_shows_every_expression_as_often_but_in_pretraining():
    per_person = {name: group.images for name, group in GROUPS.items()}
    assert [name for name, count in per_person.items() if count % len(EXPRESSIONS)] == [
        "pretraining"
    ]
    shown = drawn("validation")
    assert [entry["expression"] for entry in shown] == [*range(7), *range(7), 0]
    assert [entry["identity"] for entry in shown] == [330] * 14 + [331]


def test_most_images_to_pretrain_on_are_neutral():
    rng = np.random.default_rng(0)
    found = [identities._expression("pretraining", 0, rng) for _ in range(2000)]
    shares = np.bincount(found, minlength=7) / 2000
    # Four standard errors of a share of 0.8 and of 0.2 / 6 among 2,000.
    assert abs(shares[0] - 0.8) < 0.036
    assert (abs(shares[1:] - 0.2 / 6) < 0.017).all()


def test_a_person_changes_clothes_and_glasses_but_nothing_of_the_face():
    person = identities._person(0, GROUPS["test"].number, 3)
    seen = [identities._today(person, np.random.default_rng(each)) for each in range(30)]
    assert len({each.cloth for each in seen}) == 30
    assert {each.glasses for each in seen} == {0, 1, 2}
    own = {"cloth", "glasses", "parting"}
    for each in seen:
        assert {k: v for k, v in vars(each).items() if k not in own} == {
            k: v for k, v in vars(person).items() if k not in own
        }


def test_splits_and_seeds_draw_others():
    first = drawn("test", 1)[0]["image"]
    np.testing.assert_array_equal(first, drawn("test", 1)[0]["image"])
    assert not np.array_equal(first, drawn("train", 1)[0]["image"])
    assert not np.array_equal(first, drawn("test", 1, seed=1)[0]["image"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("dev",), "no split 'dev'. Known: pretraining, train"),
        (("validation", COUNTS["validation"] + 1), "count must be from 0 to 336, got 337"),
    ],
)
def test_what_is_not_drawn(arguments, message):
    with pytest.raises(ValueError, match=message):
        identities.generate_identities(*arguments)


def test_the_builder_stores_what_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(SyntheticIdentities, "COUNTS", {"test": 2})
    builder = SyntheticIdentities(data_dir=tmp_path)
    found = dict(builder._generate_examples("test"))
    for entry in drawn("test", 2, identities.SIDE):
        stored = found[entry["path"]]
        assert stored["identity"] == entry["identity"] == 354
        assert stored["expression"] == entry["expression"]
        assert builder.info.features["image"].encode_example(stored["image"])
    assert [task.name for task in datasets.tasks_of(builder.info)] == ["identity", "expression"]
