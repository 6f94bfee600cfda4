"""Faces in memory: classes, sets put together, CMU's halves."""

import numpy as np
import pytest

from experiments.problems import cmu_people
from experiments.problems.people import (
    People,
    built_people,
    classes_of,
    digest_of,
    grey,
    resized,
    together,
)


def people(person, expression=None, seed=0):
    count = len(person)
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 4, 4), np.uint8)
    return People(pixels, np.array(person), np.array(expression or [0] * count))


def test_whoever_has_one_image_is_no_class():
    found = classes_of(np.array([7, -1, 3, 7, 9, 3, -1, 3]))
    assert found.tolist() == [1, -1, 0, 1, -1, 0, -1, 0]
    assert classes_of(np.array([-1, -1])).tolist() == [-1, -1]


def test_people_of_two_sets_are_different_ones():
    both = together(people([2, 0, -1]), people([1, 1, -1], seed=1))
    assert both.person.tolist() == [2, 0, -1, 4, 4, -1]
    assert both.people == {0, 2, 4}
    assert len(both.images) == 6


def test_a_digest_knows_pixels_labels_and_parts():
    part = people([0, 1])
    moved = part._replace(person=np.array([1, 0]))
    digests = [digest_of(each) for each in ({"a": part}, {"b": part}, {"a": moved}, {"a": part})]
    assert len(set(digests)) == 3
    assert digests[0] == digests[3]


def test_brightness_and_size_by_hand():
    colours = np.array([[[255, 255, 255], [100, 0, 0], [0, 100, 0], [0, 0, 100]]], np.uint8)
    assert grey(colours).tolist() == [[255, 30, 59, 11]]
    block = np.array([[[0, 4], [8, 4]]], np.uint8)
    assert resized(block, 1).tolist() == [[[4]]]
    assert resized(block, 2) is block


def test_a_data_set_without_identities(tmp_path):
    with pytest.raises(ValueError, match=r"has no \['expression'\], only \['attributes', 'ident"):
        built_people("synthetic_people:test", str(tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def folder(tmp_path):
    names = ("ann", "bob", "cid", "dan")
    labels = [f"{n}_left_{e}_open" for n in names for e in cmu_people.EXPRESSIONS]
    pixels = np.random.default_rng(0).random((len(labels), 60, 64)).astype(np.float32)
    save(tmp_path, pixels, labels)
    return tmp_path


def save(folder, pixels, labels):
    (folder / "cmu_faces").mkdir(exist_ok=True)
    np.savez(folder / cmu_people.FILE, data=pixels, labels=np.array(labels, object))


def test_halves_of_cmu_share_nobody(folder):
    cmu_people.photos.cache_clear()
    found = cmu_people.photos(str(folder))
    assert found.images.shape == (16, 48, 48)
    assert found.expression.tolist() == [0, 1, 2, 3] * 4
    halves = [cmu_people.half_of(found, half) for half in (0, 1)]
    assert [part.people for part in halves[0]] == [{0, 2}, {1, 3}]
    assert [part.people for part in halves[1]] == [{1, 3}, {0, 2}]


class Command:
    def __reduce__(self):
        return print, ("ran",)


def test_labels_of_cmu_run_nothing(folder, capsys):
    cmu_people.photos.cache_clear()
    save(folder, np.zeros((1, 60, 64), np.float32), [Command()])
    with pytest.raises(ValueError, match=r"to hold texts, and names builtins\.print"):
        cmu_people.photos(str(folder))
    assert capsys.readouterr().out == ""


def test_a_label_of_cmu_that_is_none(folder):
    cmu_people.photos.cache_clear()
    save(folder, np.zeros((1, 60, 64), np.float32), ["ann_left_bored_open"])
    with pytest.raises(ValueError, match="expected name_pose_expression_eyes, got 'ann_left_bored"):
        cmu_people.photos(str(folder))
    cmu_people.photos.cache_clear()
    with pytest.raises(FileNotFoundError, match="CMU Face Images"):
        cmu_people.photos(str(folder / "cmu_faces"))
