import numpy as np
import pytest

from mtl_dm.predicting.finding import find
from tests.faces.dots import photo, place, upright_engine


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_every_face_of_a_photo_on_its_side(turns):
    image = photo(place(70, 90), place(180, 100, 0.8))
    upright, _ = find(image, upright_engine, 112)
    turned, reason = find(np.rot90(image, turns), upright_engine, 112)
    assert reason is None
    assert len(turned) == len(upright) == 2
    for one, other in zip(upright, turned, strict=True):
        assert np.abs(one.crop.astype(int) - other.crop).mean() < 1


def test_no_face():
    assert find(np.zeros((90, 160, 3), np.uint8), upright_engine, 112) == ([], "no face")


def test_an_odd_image_is_a_reason():
    found, reason = find(np.zeros((9, 9), np.uint8), upright_engine, 112)
    assert found == []
    assert reason.startswith("failed: ValueError image must be uint8")
