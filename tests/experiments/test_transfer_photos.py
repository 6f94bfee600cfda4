"""The real images of the study of transfer: on small arrays of the same shape."""

import numpy as np
import pytest
from PIL import Image

from experiments.problems import clothing_photos, lfw_people
from experiments.problems.people import People
from experiments.problems.real_faces_data import Faces, RealFaces, cropped_lfw
from experiments.transferring import photos
from experiments.transferring.sizes import SIZES
from tests.datasets.fakes.clothing_attributes import write_cad
from tests.experiments.test_lfw_split import PAIRS

MOVEMENTS = 2


def faces(images, rng):
    scores = rng.random((len(images), MOVEMENTS)).astype(np.float32)
    return Faces(images, np.zeros(len(images), np.int64), scores)


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Three photos of two people of every fold, one of nobody's face; twelve of FER2013."""
    rng = np.random.default_rng(0)
    names = tuple(sorted(f"{letter}{fold}" for fold in range(1, 11) for letter in "AC"))
    person = np.repeat(np.arange(len(names)), 3)
    images = rng.integers(0, 256, (len(person), 48, 48), np.uint8)
    files = tuple(f"{names[n]}_{place % 3 + 1:04d}" for place, n in enumerate(person))
    found = lfw_people.Photos(People(images, person, person * 0), names, files, PAIRS)
    half = lfw_people.half_of(found, 0)
    train, test = faces(half.train.images, rng), faces(half.test.images, rng)
    test.scores[4] = np.nan
    train.images[7] = test.images[0]
    few = faces(rng.integers(0, 256, (12, 48, 48), np.uint8), rng)
    held = (few, few, few, few, train, test)
    real = RealFaces(*held, np.full(MOVEMENTS, 0.5), 0, 0, 0, "d")
    folder = tmp_path / "faces" / "lfw_expressions"
    folder.mkdir(parents=True)
    (folder / "pairs.txt").write_text(PAIRS, encoding="utf-8")
    write_cad(tmp_path)
    cmu = People(few.images, np.arange(12) // 3, np.arange(12) % 4)
    monkeypatch.setattr(photos, "real_faces", lambda data_dir: real)
    monkeypatch.setattr(photos.lfw_people, "photos", lambda data_dir: found)
    monkeypatch.setattr(photos.cmu_people, "photos", lambda data_dir: cmu)
    monkeypatch.setattr(photos.cmu_people, "sunglasses", lambda data_dir: np.arange(12) % 2)
    return dict(photos.parts(str(tmp_path), SIZES["quick"])), train, test


def test_each_part_has_its_images_and_labels(parts):
    found, train, test = parts
    assert all(part.images.shape[1:] == (48, 48, 3) for part in found.values())
    for part in found.values():
        assert part.images.dtype == np.uint8
    labels = found["lfw_test"].known["facial_movements"]
    assert (labels[4] == -1).all()
    others = np.arange(len(labels)) != 4
    np.testing.assert_array_equal(labels[others], test.scores[others] > 0.5)
    np.testing.assert_array_equal(found["lfw_test"].images[..., 0], test.images)
    # The seventh is a copy of a test photo.
    kept = np.arange(len(train.images)) != 7
    moving = found["movements_train"]
    np.testing.assert_array_equal(moving.images[..., 2], train.images[kept])
    np.testing.assert_array_equal(moving.known["facial_movements"], train.scores[kept] > 0.5)
    assert set(found["cmu"].known) == {"person", "expression", "sunglasses"}
    cad = found["cad"].known
    assert cad["category"].tolist() == [6, -1, 0, 2] and cad["gender"].tolist() == [0, 1, -1, 1]
    assert cad["image"].tolist() == [0, 1, 2, 3]


def test_test_photos_that_are_others(parts, monkeypatch):
    real = photos.real_faces("")
    other = real._replace(lfw_test=real.lfw_train)
    monkeypatch.setattr(photos, "real_faces", lambda data_dir: other)
    with pytest.raises(ValueError, match="are not those whose movements"):
        list(photos.parts("", SIZES["quick"]))


def test_so_many_test_photos_have_movements(parts):
    labels = photos.moved(photos.real_faces(""), 5)
    assert (labels >= 0).all(axis=1).sum() == 5


def test_whole_people_and_nobody_alone():
    person = np.repeat(np.arange(300), 2)
    person = np.concatenate([np.full(500, 1000), person])
    rows = photos.whole_people(person, 200)
    assert len(set(rows.tolist())) == len(rows) and 199 <= len(rows) <= 200
    counts = np.unique(person[rows], return_counts=True)[1]
    assert counts.max() <= photos.MOST and set(counts.tolist()) <= {2, photos.MOST}
    np.testing.assert_array_equal(rows, photos.whole_people(person, 200))
    assert len(photos.whole_people(person, 10_000)) == 600 + photos.MOST
    # In a drawn order: not those of the smallest numbers.
    assert person[rows].max() > 200


def test_a_photo_of_clothes_of_too_many_pixels(tmp_path, monkeypatch):
    write_cad(tmp_path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    with pytest.raises(ValueError, match=r"000001\.jpg is too large: Image size"):
        clothing_photos.photos(str(tmp_path), 8)


def test_a_photo_of_clothes_that_is_missing(tmp_path):
    folder = write_cad(tmp_path)
    found = clothing_photos.photos(str(tmp_path), 8)
    assert found.images.shape == (4, 8, 8, 3)
    (folder / "images" / "000003.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"000003.jpg is not there: each row"):
        clothing_photos.photos(str(tmp_path), 8)


def test_a_face_of_too_many_pixels(tmp_path, monkeypatch):
    path = tmp_path / "face.png"
    Image.new("L", (112, 112)).save(path)
    assert cropped_lfw(path).shape == (48, 48)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    with pytest.raises(ValueError, match=r"face\.png must have 112 x 112 pixels: Image size"):
        cropped_lfw(path)
