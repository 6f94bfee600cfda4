import numpy as np
import pytest

from mtl_dm import faces


def face(left, top, right, bottom, score=0.9):
    return faces.Face((left, top, right, bottom), np.zeros((5, 2)), score)


ONE, TWO = face(0, 0, 20, 20), face(60, 40, 80, 60)


def test_closest_to_the_centre_of_the_image():
    assert faces.choose([ONE, TWO], 100, 100) is TWO  # (70, 50) is closer to (50, 50)
    assert faces.choose([ONE, TWO], 40, 40) is ONE


def test_closest_to_the_annotated_box():
    assert faces.choose([ONE, TWO], 100, 100, (5, 5, 30, 30)) is ONE
    near, far = face(10, 10, 30, 30), face(20, 20, 60, 60)
    assert faces.choose([far, near], 100, 100, (8, 8, 28, 28)) is near


def test_another_person_is_not_taken():
    assert faces.choose([TWO], 100, 100, (0, 0, 20, 20)) is None
    assert faces.choose([TWO], 100, 100, (40, 40, 60, 60)) is None  # they only touch


def test_equally_close_the_better_score():
    left, right = face(0, 0, 20, 20, 0.8), face(80, 0, 100, 20, 0.95)
    for order in ([left, right], [right, left]):
        assert faces.choose(order, 100, 20) is right


def test_none():
    assert faces.choose([], 100, 100) is None


class TestPlausible:
    box = (0.0, 0.0, 112.0, 112.0)

    def test_template(self):
        assert faces.Face(self.box, faces.template(), 1).plausible

    @pytest.mark.parametrize(
        "order", [(1, 0, 2, 3, 4), (0, 1, 2, 4, 3), (3, 4, 2, 0, 1)], ids=["eyes", "mouth", "down"]
    )
    def test_wrong_order(self, order):
        assert not faces.Face(self.box, faces.template()[list(order)], 1).plausible

    @pytest.mark.parametrize("turns", [1, 2, 3])
    def test_turned(self, turns):
        landmarks = faces.template()
        for _ in range(turns):
            landmarks = np.column_stack([111 - landmarks[:, 1], landmarks[:, 0]])
        assert faces.Face(self.box, landmarks, 1).plausible
        mirrored = landmarks[[1, 0, 2, 4, 3]]
        assert not faces.Face(self.box, mirrored, 1).plausible

    def test_outside_the_box(self):
        assert not faces.Face((0, 0, 112, 60), faces.template(), 1).plausible
