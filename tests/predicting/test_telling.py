import pytest

from mtl_dm.predicting.rows import Row
from mtl_dm.predicting.telling import MOST, Telling
from tests.saved_models import TASKS

PREDICTION = {
    "expression": {"neutral": 0.2, "happiness": 0.7, "sadness": 0.1},
    "action_units": {"AU1": 0.9, "AU2": 0.8},
    "valence_arousal": {"valence": 0.25, "arousal": -0.5},
}
FACE = Row("a.jpg", None, face=1, prediction=PREDICTION)


@pytest.mark.parametrize(
    ("row", "unseen", "said"),
    [
        (
            FACE,
            {},
            "a.jpg, face 1: happiness 0.70; action_units: AU1=0.90, AU2=0.80; "
            "valence=0.25, arousal=-0.50",
        ),
        (
            FACE,
            {"expression": PREDICTION["expression"], "action_units": ["AU1"]},
            "a.jpg, face 1: action_units: AU2=0.80; valence=0.25, arousal=-0.50",
        ),
        (Row("b.jpg", None, reason="no face"), {}, "b.jpg: no face"),
        (Row("c.mp4", 30, 1.5, reason="no face"), {}, "c.mp4 at 1.50 s: no face"),
    ],
)
def test_what_is_said_of_a_line(row, unseen, said):
    telling = Telling(TASKS, unseen)
    telling.add(row)
    assert telling.lines() == [said]


def test_of_many_the_first_are_told_and_the_others_counted():
    telling = Telling(TASKS, {})
    for _ in range(MOST + 1200):
        telling.add(FACE)
    assert len(telling.lines()) == MOST + 1
    assert telling.lines()[-1] == "and 1,200 more lines"
