import numpy as np
import pytest

from mtl_dm import faces
from mtl_dm.predicting import cards, circumplex
from mtl_dm.predicting.finding import Found
from mtl_dm.predicting.pictures import LONG_SIDE, Canvas, annotated
from mtl_dm.tasks import Task
from tests.saved_models import TASKS

SAID = {
    "expression": {"neutral": 0.2, "happiness": 0.8, "sadness": 0.0},
    "action_units": {"AU1": 0.9, "AU2": 0.4},
    "valence_arousal": {"valence": -0.5, "arousal": 0.125},
}


def found(*box):
    crop = np.full((112, 112, 3), 90, np.uint8)
    return Found(faces.Face(box, faces.template(), 0.9), crop)


def test_the_box_is_where_the_face_is():
    photo = np.full((300, 400, 3), 128, np.uint8)
    data = annotated(Canvas.of(photo), [found(100, 80, 180, 200)], [SAID], TASKS)
    picture = faces.decode_image(data).astype(int)
    assert picture.shape == (300, 400 + cards.WIDTH, 3)
    changed = np.abs(picture[:, :400] - 128).max(axis=2) > 40
    assert changed[140, 100]
    assert changed[140, 180]
    assert changed[80, 140]
    assert changed[200, 140]
    assert not changed[100:190, 110:170].any()
    assert not changed[:, 200:].any()
    assert photo.min() == 128  # the photo itself is left alone


def test_large_photos_are_shrunk_and_boxes_with_them():
    canvas = Canvas.of(np.full((1000, 4 * LONG_SIDE, 3), 128, np.uint8))
    assert canvas.image.shape == (250, LONG_SIDE, 3)
    picture = faces.decode_image(annotated(canvas, [found(400, 400, 800, 800)], [SAID], TASKS))
    assert np.abs(picture[150, 100].astype(int) - 128).max() > 40


def test_places_in_a_photo_that_was_read_at_half_its_size():
    canvas = Canvas.of(np.full((300, 400, 3), 128, np.uint8), 2)
    data = annotated(canvas, [found(200, 160, 360, 400)], [SAID], TASKS)
    changed = np.abs(faces.decode_image(data)[:, :400].astype(int) - 128).max(axis=2) > 40
    assert changed[140, 98:102].any() and changed[140, 178:182].any()
    assert not changed[:, 200:].any()


@pytest.mark.parametrize("count", [0, 1, 50])
@pytest.mark.parametrize("shape", [(20, 30), (600, 200), (1, 1)])
def test_any_number_of_faces(count, shape):
    canvas = Canvas.of(np.zeros((*shape, 3), np.uint8))
    each = found(-20.0, -20.0, 500.0, 500.0)  # reaches beyond the image
    data = annotated(canvas, [each] * count, [SAID] * count, TASKS, "no face")
    height, width = faces.decode_image(data).shape[:2]
    assert height >= shape[0]
    assert width >= shape[1]


def test_what_a_card_says():
    assert cards.summary(TASKS[1], SAID["action_units"]) == "action_units: AU1=0.90"
    assert cards.summary(TASKS[1], {"AU1": 0.1}) == "action_units: none"
    assert cards.summary(TASKS[2], SAID["valence_arousal"]) == "valence=-0.50, arousal=0.12"


def blue(picture):
    """Where the dot is, [rows, columns]."""
    pixels = np.asarray(picture).astype(int)
    return pixels[..., 2] - pixels[..., 0] > 60


@pytest.mark.parametrize(
    ("valence", "arousal", "column", "row"),
    [(0.0, 0.0, 42, 42), (0.5, 0.0, 60, 42), (0.0, 1.0, 42, 6), (-0.5, -0.5, 24, 60)],
)
def test_the_dot_on_the_circumplex(valence, arousal, column, row):
    dot = blue(circumplex.circumplex({"valence": valence, "arousal": arousal}))
    rows, columns = np.nonzero(dot)
    assert (columns.mean(), rows.mean()) == pytest.approx((column, row), abs=1)
    assert dot[row, column]


def test_beyond_the_circumplex_there_is_a_ring_at_its_edge():
    dot = blue(circumplex.circumplex({"valence": 7.0, "arousal": 0.0}))
    rows, columns = np.nonzero(dot)
    assert (columns.mean(), rows.mean()) == pytest.approx((78, 42), abs=1)
    assert not dot[42, 78]


def test_a_card_has_room_for_the_circumplex_where_it_is_predicted():
    crop, affect = np.full((112, 112, 3), 90, np.uint8), TASKS[2]
    assert circumplex.is_affect(affect)
    assert not circumplex.is_affect(Task.regression("pose", ("yaw",)))
    assert cards.height(TASKS) == cards.height(TASKS[:2]) + circumplex.SIDE
    card = cards.card(1, "#000000", crop, SAID, TASKS)
    assert blue(card)[-circumplex.SIDE :, : circumplex.SIDE].any()
    broken = {**SAID, "valence_arousal": {"valence": float("nan"), "arousal": 0.0}}
    card = cards.card(1, "#000000", crop, broken, TASKS)
    assert not blue(card)[-circumplex.SIDE :, : circumplex.SIDE].any()


def test_many_classes_and_attributes():
    many = tuple(f"attribute {n}" for n in range(40))
    tasks = (Task.multiclass("identity", many), Task.multilabel("attributes", many))
    said = {"identity": dict.fromkeys(many, 1 / 40), "attributes": dict.fromkeys(many, 0.9)}
    picture = cards.card(1, "#000000", np.zeros((112, 112, 3), np.uint8), said, tasks)
    assert picture.size == (cards.WIDTH, cards.height(tasks))
