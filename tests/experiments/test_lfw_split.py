"""The one split of LFW by person: by hand on a small list, by its counts on the real one."""

import csv
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from experiments.problems.lfw_split import people_by_fold, people_tested, split_by_person

# Ten folds of one pair of one person and one pair of two: A1 with itself, then B1 and C1, ...
PAIRS = "10\t1\n" + "".join(f"A{fold}\t1\t2\nB{fold}\t1\tC{fold}\t3\n" for fold in range(1, 11))


def test_people_of_every_fold():
    assert people_by_fold(PAIRS) == [{f"{name}{fold}" for name in "ABC"} for fold in range(1, 11)]


def test_folds_6_to_10_are_people_tested_and_nobody_else():
    expected = {f"{name}{fold}" for name in "ABC" for fold in (6, 7, 8, 9, 10)}
    assert people_tested(PAIRS) == expected
    names = ["A5", "A6", "", "C10", "in no pair", "B1"]
    assert split_by_person(names, PAIRS).tolist() == ["train", "test", "", "test", "train", "train"]


def test_swapped_halves_test_the_other_folds():
    expected = {f"{name}{fold}" for name in "ABC" for fold in (1, 2, 3, 4, 5)}
    assert people_tested(PAIRS, range(1, 6)) == expected
    sides = split_by_person(["A5", "A6", "", "in no pair"], PAIRS, range(1, 6))
    assert sides.tolist() == ["test", "train", "", "train"]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ("", r"must begin with the numbers of folds and pairs, got \[\]"),
        ("ten\t1\n", "must begin with the numbers"),
        (PAIRS.replace("A10\t1\t2\n", ""), "must have 10 folds of 2 lines, got 19 lines"),
        (PAIRS.replace("A3\t1\t2", "A3\t1"), r"3 or 4 fields, got \['A3', '1'\]"),
        ("1\t1\nA\t1\t2\nB\t1\tC\t2\n", "must have 10 folds, got 1"),
    ],
)
def test_a_list_that_is_none(pairs, message):
    with pytest.raises(ValueError, match=message):
        people_tested(pairs)


def test_the_real_list():
    default = Path(__file__).parents[2].parent / "shared" / "data"
    data = Path(os.environ.get("MTL_DM_TEST_DATA", default))
    folder = data / "faces" / "lfw_expressions"
    if not folder.is_dir():
        pytest.skip("the photos are not here: set MTL_DM_TEST_DATA to the folder of the data")
    pairs = (folder / "pairs.txt").read_text(encoding="utf-8")
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        names = [line["identity"] for line in csv.DictReader(file)]
    sides = split_by_person(names, pairs)
    counts = dict(
        zip(*(part.tolist() for part in np.unique(sides, return_counts=True)), strict=True)
    )
    assert counts == {"": 919, "test": 6105, "train": 6688}
    people = {side: {n for n, s in zip(names, sides, strict=True) if s == side} for side in counts}
    assert (len(people["test"]), len(people["train"])) == (2147, 3469)
    assert not people["test"] & people["train"]
    digest = hashlib.sha256("\n".join(sorted(people["test"])).encode()).hexdigest()
    assert digest == "80557f833ed1aba739167c4631f41351ddccac32b945619c225a4d16982d957b"
