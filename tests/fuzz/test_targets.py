"""Every target reads what is whole, and what is damaged in a few ways ends in words.

The fuzzer itself, with its thousands of inputs, is `make fuzz`.
"""

import random
import sys

import pytest

from mtl_dm import datasets
from tests.fuzz.guard import Guard
from tests.fuzz.target import TARGETS, load

SEEDS = 3
SLOW = ("checkpoints", "encoders", "records", "states", "weights")
"""One of their inputs takes long."""
FEW = ("csv_folder", "affectnet", "clothing_attributes", "afew_va", "ck_plus")
"""Builders of the label files: each kind of file is among theirs."""


def damaged(data, draws):
    """One input cut short, one with a bit exchanged, one that goes on."""
    place = draws.randrange(1, max(len(data), 2))
    yield data[:place]
    yield (
        data[:place]
        + bytes([data[place % len(data)] ^ 1 << draws.randrange(8)])
        + data[place + 1 :]
    )
    yield data + data[1:50]


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_whole_is_read_and_what_is_not_is_explained(name, tmp_path, monkeypatch):
    if name == "workbooks":
        pytest.importorskip("openpyxl")
    few = tuple(each for each in datasets.BUILDERS if each.name in FEW)
    monkeypatch.setattr(datasets, "BUILDERS", few)
    target, draws = load(name), random.Random(0)
    seeds, read = target.prepare(tmp_path)
    for data in seeds[: 1 if name in SLOW else SEEDS]:
        read(data)
        for other in list(damaged(data, draws))[: 1 if name in SLOW else None]:
            try:
                read(other)
            except target.explained as error:
                assert str(error)
        read(data)  # What was damaged is whole again.


def test_the_guard_sees_what_reading_must_not_do(tmp_path, monkeypatch):
    noted = []
    monkeypatch.setattr(sys, "addaudithook", noted.append)  # A real one stays for good.
    inside = tmp_path / "inside"
    guard = Guard(inside)
    with guard:
        for event in (
            ("open", (str(inside / "a"), "w", 1)),
            ("open", (str(inside / ".." / "b"), "r", 0)),
            ("open", (sys.executable, "rb", 0)),
            ("open", (sys.executable, "wb", 1)),
            ("os.rename", (str(tmp_path / "c"), str(inside))),
            ("os.system", ("true",)),
        ):
            noted[0](*event)
    noted[0]("os.system", ("true",))  # Afterwards nobody is watched.
    wrong = [str(tmp_path / "b"), sys.executable, str(tmp_path / "c")]
    assert [each.split(" ")[1] for each in guard.seen[:3]] == wrong
    assert len(guard.seen) == 4
