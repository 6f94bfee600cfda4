import numpy as np
import pytest

from mtl_dm import faces
from tests.faces.dots import dots_engine, photo, place


class Recorder:
    """An engine that notes the sizes it is shown."""

    def __init__(self, engine=dots_engine):
        self.engine, self.shapes = engine, []

    def __call__(self, image, min_score):
        self.shapes.append(image.shape[:2])
        return self.engine(image, min_score)


def nothing(image, min_score):
    del image, min_score
    return []


def test_coordinates_are_those_of_the_whole_image():
    landmarks = place(500, 300, 4.0)
    image = photo(landmarks, width=900, height=600, radius=16)
    engine = Recorder()
    (found,) = faces.detect(image, engine, sides=(300,))
    assert engine.shapes == [(200, 300)]
    np.testing.assert_allclose(found.landmarks, landmarks, atol=0.6)
    (whole,) = faces.detect(image, dots_engine, sides=(900,))
    np.testing.assert_allclose(found.box, whole.box, atol=2)


def test_sides_are_tried_until_one_shows_a_face():
    image = np.zeros((300, 500, 3), np.uint8)
    engine = Recorder(nothing)
    assert faces.detect(image, engine, sides=(100, 250, 640, 1280)) == []
    # 640 and 1280 are both the image itself: it is not enlarged.
    assert engine.shapes == [(60, 100), (150, 250), (300, 500)]
    engine = Recorder()
    faces.detect(photo(place(120, 100)), engine, sides=(240, 640))
    assert len(engine.shapes) == 1


def test_a_tiny_image_is_enlarged():
    landmarks = place(24, 24, 0.4)
    image = photo(landmarks, width=48, height=48, radius=2.5)
    engine = Recorder()
    (face,) = faces.detect(image, engine)
    assert engine.shapes == [(160, 160)]
    np.testing.assert_allclose(face.landmarks, landmarks, atol=0.4)


def test_min_score():
    image = photo(place(60, 60, 0.6), place(180, 60, 0.6))
    assert [face.score for face in faces.detect(image, dots_engine)] == [0.9, 0.89]
    assert len(faces.detect(image, dots_engine, min_score=0.895)) == 1


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4)), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_not_an_image(image):
    with pytest.raises(ValueError, match=r"image must be uint8 \[height, width, 3\], not"):
        faces.detect(image, nothing)


@pytest.mark.parametrize("sides", [(), (0,), (320, -1)])
def test_bad_sides(sides):
    with pytest.raises(ValueError, match="sides must be one or more positive numbers"):
        faces.detect(np.zeros((4, 4, 3), np.uint8), nothing, sides)


def test_refining_corrects_a_rough_look():
    landmarks = place(150, 130, 1.4, 20)
    image = photo(landmarks, width=300, height=260, radius=6)
    rough = faces.Face(
        (0, 0, 9, 9), landmarks + np.array([[6, -4], [2, 5], [0, 3], [-5, 1], [1, 1]]), 0.8
    )
    found = faces.refine(image, rough, dots_engine)
    np.testing.assert_allclose(found.landmarks, landmarks, atol=0.5)
    assert found.box == rough.box
    assert found.score == rough.score


def test_refining_keeps_what_no_close_up_confirms():
    face = faces.Face((0, 0, 9, 9), place(100, 100), 0.8)
    image = np.zeros((200, 200, 3), np.uint8)
    np.testing.assert_array_equal(faces.refine(image, face, nothing).landmarks, face.landmarks)
    assert faces.refine(image, face, nothing, looks=0).landmarks is not None


def test_refining_does_not_go_to_another_person():
    # The close-up of the first, who cannot be seen, shows a neighbour at its edge.
    neighbour = place(190, 100)
    image = photo(neighbour, width=300)
    face = faces.Face((0, 0, 9, 9), place(120, 100), 0.8)
    np.testing.assert_array_equal(faces.refine(image, face, dots_engine).landmarks, face.landmarks)


def test_alternating_close_ups_are_averaged():
    target = faces.template() + 24  # 112 in the middle of 160
    answers = iter([target + 4, target + 1, target - 1])

    def engine(image, min_score):
        del image, min_score
        return [faces.Face((0, 0, 9, 9), next(answers), 0.9)]

    face = faces.Face((0, 0, 9, 9), faces.template() + 30, 0.8)
    found = faces.refine(np.zeros((200, 200, 3), np.uint8), face, engine)
    # Looks move by 4, 1 and -1; each starts where the last one ended: 34, 35, 34.
    np.testing.assert_allclose(found.landmarks, faces.template() + 34.5, atol=1e-9)


@pytest.mark.parametrize(
    ("steps", "settled"),
    [((9, 9, 4.9), True), ((1, 1, 5.1), False), ((1, 1), False), ((1, 20), False), ((), False)],
)
def test_settled_where_the_last_close_up_corrects_little(steps, settled):
    # A step moves all landmarks by (s, s), by 1.41 s: 4.9 by 6.9, 5.1 by 7.2, 20 to somebody else.
    target = faces.template() + 24
    answers = iter(steps)

    def engine(image, min_score):
        step = next(answers, None)
        return [] if step is None else [faces.Face((0, 0, 9, 9), target + step, 0.9)]

    face = faces.Face((0, 0, 9, 9), faces.template() + 30, 0.8)
    assert not face.settled
    assert faces.refine(np.zeros((200, 200, 3), np.uint8), face, engine).settled == settled
