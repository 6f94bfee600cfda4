"""Drawn people: the same person in every split, drawn and read alike."""

import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.datasets import SyntheticPeople
from mtl_dm.synthetic import people
from mtl_dm.tasks import ACTION_UNITS

OF_THE_PERSON = len(people.ATTRIBUTES)


def drawn(split, count=12, size=32, seed=0):
    return list(people.generate_people(split, count, size, seed))


def test_everybody_is_in_every_split_with_the_same_attributes():
    train, test = drawn("train"), drawn("test")
    numbers = [entry["identity"] for entry in train]
    assert numbers == [entry["identity"] for entry in test] == list(range(12))
    for first, second in zip(train, test, strict=True):
        own = slice(OF_THE_PERSON)
        np.testing.assert_array_equal(first["attributes"][own], second["attributes"][own])
        assert not np.array_equal(first["image"], second["image"])
    assert all(count % people.PEOPLE == 0 for count in people.COUNTS.values())
    # What an image shows is no property of who is in it.
    shown = [[entry["attributes"][OF_THE_PERSON:] for entry in each] for each in (train, test)]
    assert (np.array(shown[0]) != np.array(shown[1])).any(axis=0).all()


def test_another_seed_draws_others():
    first, other = drawn("train", 1)[0], drawn("train", 1, seed=1)[0]
    assert not np.array_equal(first["image"], other["image"])
    np.testing.assert_array_equal(first["image"], drawn("train", 1)[0]["image"])


def test_what_an_image_shows_by_hand():
    intensities = np.zeros(len(ACTION_UNITS))
    assert people.shown(intensities).tolist() == [0, 0, 0]
    intensities[ACTION_UNITS.index("AU26")] = 0.9
    intensities[ACTION_UNITS.index("AU12")] = 0.1  # Below what counts as active.
    assert people.shown(intensities).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("dev",), "no split 'dev'. Known: train"), (("train", -1), "count must be >= 0, got -1")],
)
def test_what_is_not_drawn(arguments, message):
    with pytest.raises(ValueError, match=message):
        people.generate_people(*arguments)


def test_reads_back_what_was_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(SyntheticPeople, "COUNTS", {"train": 3})
    source = data.load("synthetic_people:train", data_dir=tmp_path, image_size=32)
    paths = data.raw_features("synthetic_people:train", ["path"], data_dir=tmp_path)["path"]
    entries = {entry["path"]: entry for entry in drawn("train", 3, people.SIDE)}
    for path, (image, labels, masks) in zip(paths, source.as_numpy_iterator(), strict=True):
        entry = entries[path.decode()]
        assert image.shape == (32, 32, 3)
        assert labels["identity"].argmax() == entry["identity"]
        np.testing.assert_array_equal(labels["attributes"], entry["attributes"])
        assert masks["attributes"].all()
