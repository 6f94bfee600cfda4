"""However a photo lies; the engine of dots plays a detector that knows upright faces only."""

import dataclasses

import numpy as np
import pytest

from mtl_dm import faces
from mtl_dm.faces.turning import detect_turned
from tests.faces.dots import dots_engine, photo, place, upright_engine

ONE, OTHER = place(80, 90, 1.0, 8), place(180, 110, 0.7, -5)
LOOKS = 3  # close-ups of a face


class Recorder:
    """An engine that notes the shapes it is shown."""

    def __init__(self, engine=upright_engine):
        self.engine, self.shapes = engine, []

    def __call__(self, image, min_score):
        self.shapes.append(image.shape[:2])
        return self.engine(image, min_score)


def scripted(scores, settles=True):
    """An engine for `cornered`, which shows one face whose score depends on the turn.

    Args:
        scores: By quarter turns.
        settles: The turns whose close-ups show the face where it belongs; a bool for all.
    """

    def engine(image, min_score):
        if image.shape[:2] == (160, 160):
            turns = int(image[80, 80, 0]) // 50
            settled = settles if isinstance(settles, bool) else turns in settles
            return [face(faces.template() + 24, 0.9)] if settled else []
        turns = {10: 0, 20: 1, 30: 2, 40: 3}[int(image[0, 0, 0])]
        return [face(place(50, 50, 0.5), scores[turns])] if scores[turns] >= min_score else []

    return engine


def face(landmarks, score):
    return faces.Face((0.0, 0.0, 99.0, 99.0), landmarks, score)


def cornered():
    """An image that tells by its greys how it is turned: in the corner and around (50, 50)."""
    image = np.zeros((200, 200, 3), np.uint8)
    for turns, rows, columns in ((0, 0, 0), (1, 0, 1), (2, 1, 1), (3, 1, 0)):
        part = image[100 * rows : 100 * rows + 100, 100 * columns : 100 * columns + 100]
        part[:] = 50 * turns + 25
    for turns, corner in enumerate([(0, 0), (0, -1), (-1, -1), (-1, 0)]):
        image[corner] = 10 * (turns + 1)
    return image


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("size", [(240, 200), (241, 200), (240, 201)])
def test_a_turned_photo_gives_the_faces_of_the_upright_one(turns, size):
    image = photo(ONE, OTHER, width=size[0], height=size[1])
    upright, count = faces.find(image, upright_engine)
    turned_image = np.ascontiguousarray(np.rot90(image, turns))
    turned, turned_count = faces.find(turned_image, upright_engine)
    assert count == turned_count == 2
    for one, other in zip(upright, turned, strict=True):
        assert other.settled
        assert other.plausible
        np.testing.assert_allclose(
            faces.align(turned_image, other.landmarks).astype(int),
            faces.align(image, one.landmarks),
            atol=12,
        )


@pytest.mark.parametrize("turns", range(4))
def test_coordinates_are_those_of_the_image_as_it_is(turns):
    # The engine of dots finds a face however it lies: the turned look must say the same.
    image = photo(ONE, OTHER, width=241)
    for one, other in zip(
        faces.detect(image, dots_engine, (241,)),
        detect_turned(image, turns, dots_engine, (241,), 0.6),
        strict=True,
    ):
        np.testing.assert_allclose(other.landmarks, one.landmarks, atol=1e-9)
        np.testing.assert_allclose(other.box, one.box, atol=1e-9)
        assert other.score == one.score


def test_an_upright_photo_costs_what_it_did_and_gives_the_same():
    image = photo(ONE, OTHER)
    engine = Recorder()
    found, _ = faces.find(image, engine, (240, 640))
    assert engine.shapes == [(200, 240)] + 2 * LOOKS * [(160, 160)]
    before = [
        faces.refine(image, face, upright_engine)
        for face in faces.detect(image, upright_engine, (240, 640))
    ]
    for one, other in zip(before, found, strict=True):
        np.testing.assert_array_equal(one.landmarks, other.landmarks)
        assert other.box == one.box


def test_no_face_costs_the_same_looks_at_every_turn():
    engine = Recorder(lambda image, min_score: [])
    assert faces.find(np.zeros((300, 600, 3), np.uint8), engine, (600, 200)) == ([], 0)
    lying, standing = [(300, 600), (100, 200)], [(600, 300), (200, 100)]
    assert engine.shapes == lying + standing + lying + standing


@pytest.mark.parametrize("sides", [(500, 250), (250, 500)])
def test_a_turned_photo_shows_what_is_seen_at_one_side_only(sides):
    image = np.ascontiguousarray(np.rot90(photo(place(250, 150), width=500, height=360)))

    def short_sighted(shown, min_score):
        return upright_engine(shown, min_score) if max(shown.shape) != 250 else []

    assert faces.find(image, short_sighted, sides)[1] == 1


@pytest.mark.parametrize(
    ("scores", "settles", "expected"),
    [
        ((0.7, 0.9, 0.9, 0.9), True, 0),  # a settled upright face stays, whatever else is seen
        ((0, 0.7, 0.9, 0.8), True, 2),  # the turn of the highest score
        ((0, 0.7, 0.9, 0.8), (1, 3), 3),  # that settles
        ((0, 0.7, 0.9, 0.8), False, None),
        ((0.75, 0.7, 0, 0.8), (1, 3), 3),  # an unsettled upright face gives way to a better score
        ((0.75, 0.7, 0, 0.7), (1, 3), 0),  # and to no worse one
        ((0.75, 0, 0, 0), False, 0),
        ((0, 0, 0.59, 0), True, None),  # below what a face must score
    ],
)
def test_which_turn(scores, settles, expected):
    found, count = faces.find(cornered(), scripted(scores, settles), (200,))
    assert count == len(found) == (expected is not None)
    if expected is not None:
        assert found[0].score == scores[expected]


def test_the_wanted_face_decides():
    # Upright, a neighbour settles; the one who is meant lies on the side.
    lying = place(180, 100, 0.8, 90)
    image = photo(ONE, lying)

    def meant(found):
        return [face for face in found if face.centre[0] > 130]

    def surer_of_the_second(shown, min_score):
        found = upright_engine(shown, min_score)
        return [dataclasses.replace(face, score=1 - face.score / 2) for face in found]

    assert faces.find(image, surer_of_the_second)[1] == 1
    (found,), _ = faces.find(image, surer_of_the_second, pick=meant)
    np.testing.assert_allclose(found.landmarks, lying, atol=0.5)
    assert faces.find(image, upright_engine, pick=lambda found: []) == ([], 1)
