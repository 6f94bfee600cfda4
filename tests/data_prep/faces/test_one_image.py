import cv2
import numpy as np
import pytest

from data_prep.faces.one_image import Options, align_image
from mtl_dm import faces
from tests.data_prep.faces.photos import png
from tests.faces.dots import photo, place, upright_engine

ONE, OTHER = place(70, 90), place(180, 100, 0.8)


def picture(outcome):
    return cv2.imdecode(np.frombuffer(outcome.jpeg, np.uint8), cv2.IMREAD_COLOR).astype(int)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photo_on_its_side_is_aligned_as_an_upright_one(turns):
    image = photo(ONE)
    upright = align_image(png(image), None, upright_engine, Options())
    turned = align_image(png(np.rot90(image, turns)), None, upright_engine, Options())
    assert np.abs(picture(turned) - picture(upright)).mean() < 1
    assert turned.face.plausible
    assert turned.found == 1


@pytest.mark.parametrize("turns", range(4))
def test_the_annotated_face_of_a_photo_on_its_side(turns):
    image = np.rot90(photo(ONE, OTHER), turns)
    corners = OTHER
    for quarter in range(turns):
        corners = np.column_stack(
            [corners[:, 1], (200 if quarter % 2 else 240) - 1 - corners[:, 0]]
        )
    box = (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
    outcome = align_image(png(image), box, upright_engine, Options())
    assert outcome.found == 2
    np.testing.assert_allclose(outcome.face.landmarks, corners, atol=0.6)


def test_places_in_a_photo_that_is_read_at_half_its_size(monkeypatch):
    image = photo(place(140, 180, 2), place(360, 200, 2), width=480, height=400, radius=10)
    blue_first = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    plain = [cv2.IMWRITE_JPEG_QUALITY, 100, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    data = cv2.imencode(".jpg", blue_first, plain)[1].tobytes()
    box = (250.0, 100.0, 470.0, 300.0)
    whole = align_image(data, box, upright_engine, Options())
    monkeypatch.setattr(faces.reading, "MAX_PIXELS", 480 * 400 - 1)
    half = align_image(data, box, upright_engine, Options())
    np.testing.assert_allclose(whole.face.landmarks, place(360, 200, 2), atol=0.6)
    np.testing.assert_allclose(half.face.landmarks, place(360, 200, 2), atol=1)
    np.testing.assert_allclose(half.face.box, whole.face.box, atol=3)
    assert np.abs(picture(half) - picture(whole)).mean() < 3


def test_nobody_in_the_annotated_box():
    outcome = align_image(png(photo(ONE)), (200.0, 0.0, 239.0, 30.0), upright_engine, Options())
    assert outcome.reason == "none of 1 face(s) is in the annotated box"
    assert outcome.jpeg is None
