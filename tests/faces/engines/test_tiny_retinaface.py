"""The real network, on drawn faces: it finds those too, and they may lie in a repository."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from mtl_dm import faces, synthetic
from mtl_dm.faces.engines.tiny_retinaface import network_input
from mtl_dm.faces.geometry import move, similarity


@pytest.fixture(scope="module")
def engine():
    try:
        return faces.load_engine("tiny-retinaface")
    except ImportError as error:
        pytest.skip(str(error))


def drawn(number, size=160):
    identity = synthetic.sample_identity(np.random.default_rng(number))
    return synthetic.draw_face(identity, np.zeros(17), size=size)


def on_canvas(rows, columns, cell=128):
    pictures = [drawn(number, cell) for number in range(rows * columns)]
    return np.vstack(
        [np.hstack(pictures[row * columns : (row + 1) * columns]) for row in range(rows)]
    )


def test_a_face_is_found_and_plausible(engine):
    (face,) = faces.detect(drawn(0, 200), engine)
    assert face.plausible
    assert face.score > 0.9
    assert 0 < face.centre[0] < 200


def test_no_face(engine):
    assert faces.detect(np.zeros((200, 300, 3), np.uint8), engine) == []
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    assert faces.detect(noise, engine) == []
    assert faces.detect(np.zeros((1, 1, 3), np.uint8), engine) == []


def test_fifty_faces(engine):
    found = faces.detect(on_canvas(5, 10), engine, sides=(1280,))
    assert len(found) == 50
    cells = {(int(face.centre[0] // 128), int(face.centre[1] // 128)) for face in found}
    assert len(cells) == 50


def test_the_same_face_turned_scaled_and_shifted_is_aligned_the_same(engine):
    # Where the same point of the face comes to lie in both aligned pictures, in pixels of 112.
    random = np.random.default_rng(0)
    errors = []
    for number in range(6):
        image = cv2.copyMakeBorder(drawn(number, 200), 140, 140, 140, 140, cv2.BORDER_REPLICATE)
        (face,) = faces.detect(image, engine)
        face = faces.refine(image, face, engine)
        for _ in range(3):
            turn = cv2.getRotationMatrix2D(
                (240, 240), random.uniform(-30, 30), random.uniform(0.5, 1.1)
            )
            turn[:, 2] += random.uniform(-30, 30, 2)
            copy = cv2.warpAffine(image, turn, (480, 480), borderMode=cv2.BORDER_REPLICATE)
            (other,) = faces.detect(copy, engine)
            other = faces.refine(copy, other, engine)
            one = move(similarity(face.landmarks, faces.template()), face.landmarks)
            two = move(similarity(other.landmarks, faces.template()), move(turn, face.landmarks))
            errors.append(np.linalg.norm(one - two, axis=1).mean())
    assert np.mean(errors) < 1


def test_refined_landmarks_are_those_of_the_aligned_face(engine):
    image = drawn(1, 300)
    (face,) = faces.detect(image, engine)
    face = faces.refine(image, face, engine)
    close_up = cv2.copyMakeBorder(
        faces.align(image, face.landmarks), 24, 24, 24, 24, cv2.BORDER_REPLICATE
    )
    (again,) = engine(close_up, 0.3)
    there = move(similarity(face.landmarks, faces.template()), face.landmarks)
    np.testing.assert_allclose(again.landmarks - 24, there, atol=2.5)


def test_same_bytes_every_time(engine):
    image = on_canvas(2, 3)
    first, second = faces.detect(image, engine), faces.detect(image, engine)
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.landmarks, two.landmarks)
        assert one.box == two.box


def test_network_input():
    image = np.zeros((33, 20, 3), np.uint8)
    image[0, 0] = (123, 117, 104)  # the mean colour
    inputs = network_input(image)
    assert inputs.shape == (1, 3, 64, 32)
    assert inputs[0, :, 0, 0].tolist() == [0, 0, 0]
    assert inputs[0, :, 1, 0].tolist() == [-104, -117, -123]  # blue first
    assert not inputs[0, :, 33:].any()
    assert not inputs[0, :, :, 20:].any()


@pytest.mark.parametrize("turns", range(4))
def test_a_drawn_face_however_it_lies(engine, turns):
    image = cv2.copyMakeBorder(drawn(1, 200), 60, 90, 40, 40, cv2.BORDER_REPLICATE)
    (upright,) = (faces.refine(image, face, engine) for face in faces.detect(image, engine))
    turned = np.ascontiguousarray(np.rot90(image, turns))
    (found,), count = faces.find(turned, engine)
    assert count == 1
    assert found.settled
    if not turns:
        np.testing.assert_array_equal(found.landmarks, upright.landmarks)
    one, other = faces.align(image, upright.landmarks), faces.align(turned, found.landmarks)
    assert np.abs(one.astype(int) - other).mean() < 2


def real_photos(count):
    default = Path(__file__).parents[3].parent / "shared" / "data"
    folder = Path(os.environ.get("MTL_DM_TEST_DATA", default)) / "ClothingAttributeDataset"
    if not folder.is_dir():
        pytest.skip("the real photos are not here: set MTL_DM_TEST_DATA to their parent folder")
    return [faces.read_image(path) for path in sorted((folder / "images").iterdir())[:count]]


def test_real_photos(engine):
    found = [faces.detect(image, engine) for image in real_photos(40)]
    assert sum(bool(entry) for entry in found) >= 38
    assert sum(entry[0].plausible for entry in found if entry) >= 37


def test_real_photos_on_their_sides(engine):
    errors = []
    for image in real_photos(12):
        expected = [faces.refine(image, face, engine) for face in faces.detect(image, engine)]
        upright, _ = faces.find(image, engine)
        for one, other in zip(expected, upright, strict=True):
            np.testing.assert_array_equal(one.landmarks, other.landmarks)
            assert (one.box, one.score) == (other.box, other.score)
        for turns in (1, 2, 3) if upright else ():
            turned = np.ascontiguousarray(np.rot90(image, turns))
            found, _ = faces.find(turned, engine)
            one = faces.align(image, upright[0].landmarks)
            other = faces.align(turned, found[0].landmarks) if found else np.zeros_like(one)
            errors.append(np.abs(one.astype(int) - other).mean())
    assert len(errors) >= 30
    assert np.mean(np.array(errors) < 3) >= 0.9
