"""The numbers of a card, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, recall_score

from experiments.pretraining import card_text, conditions, measures
from experiments.pretraining.card import LIMITS
from experiments.problems.facial_movements import TASK
from mtl_dm import faces
from mtl_dm.models.backbones.aligned_grey import crop_of
from mtl_dm.tasks import Task
from tests.pretrained.conftest import CARD

RNG = np.random.default_rng(0)
NAMES = ("one", "other", "rare")


def test_recall_and_no_verdict_on_a_rare_class():
    labels = np.repeat([0, 1, 2], [40, 60, 29])
    predicted = np.where(RNG.random(129) < 0.7, labels, RNG.integers(0, 3, 129))
    found = measures.recalls(labels, predicted, NAMES)
    want = recall_score(labels, predicted, average=None)
    for name, value in zip(NAMES[:2], want, strict=False):
        assert found[name]["value"] == pytest.approx(value)
        assert 0 < found[name]["low"] < value < found[name]["high"] < 1
    assert found["rare"] == {"value": None, "low": None, "high": None, "of": 29}


def test_average_precision_of_what_is_annotated():
    labels, logits = RNG.integers(0, 2, (90, 2)), RNG.normal(size=(90, 2))
    mask = np.ones((90, 2))
    mask[:20, 0] = 0
    labels[29:, 1] = 0
    found = measures.movements(labels, mask, logits, NAMES[:2])
    want = average_precision_score(labels[20:, 0], logits[20:, 0])
    assert found["one"]["average_precision"] == pytest.approx(want)
    assert found["one"]["base_rate"] == pytest.approx(labels[20:, 0].mean())
    assert found["other"]["average_precision"] is None
    assert found["other"]["positives"] == labels[:, 1].sum() < measures.LEAST


def test_calibration_error_of_one_bin():
    # All 40 stated with 0.75, 20 of them right.
    labels = np.eye(2)[np.repeat([0, 1], 20)]
    logits = np.tile([np.log(3.0), 0.0], (40, 1))
    task = Task.multiclass("t", ("a", "b"))
    error = measures.calibration_error(task, labels, np.ones(40), logits, 1.0)
    assert error == pytest.approx(0.25)
    assert measures.calibration_error(task, labels, np.ones(40), logits, 1e6) < 1e-3


def test_quarters_and_what_was_not_measured():
    values = np.append(np.arange(160.0), np.full(32, np.nan))
    right = np.append(np.arange(160) >= 40, np.zeros(32, bool))
    lines = measures.by_quarter(values, right)
    assert [line["accuracy"]["of"] for line in lines] == [40, 40, 40, 40, 32]
    assert [line["accuracy"]["value"] for line in lines] == [0, 1, 1, 1, 0]
    assert (lines[0]["from"], lines[3]["to"]) == (0, 159)
    assert lines[4]["group"] == "not measured"
    normalised = np.where(np.arange(40) == 0, 0.0, np.linspace(100, 101, 40))
    (line,) = measures.by_quarter(normalised, np.arange(40) < 10)
    assert (line["from"], line["to"], line["accuracy"]["value"]) == (0.0, 101.0, 0.25)
    assert measures.by_quarter(np.full(40, np.nan), np.ones(40, bool))[0]["accuracy"]["of"] == 40


class TestConditions:
    def test_light_and_contrast_are_of_the_visible_part(self):
        images = np.full((2, 112, 112, 3), 255, np.uint8)
        left, top, right, bottom = crop_of(112)
        images[0, top:bottom, left:right] = 100
        images[1, top:bottom, left:right] = RNG.integers(0, 256, (96, 96, 1))
        seen = images[1, top:bottom, left:right, 0].astype(float)
        np.testing.assert_allclose(conditions.light(images), [100, seen.mean()], rtol=1e-5)
        np.testing.assert_allclose(conditions.contrast(images), [0, seen.std()], atol=1e-2)

    def test_a_head_that_turns(self):
        points = faces.template()
        points[2] = (points[0] + points[1]) / 2 + [0, 20]
        assert conditions.turned(points) == pytest.approx(0, abs=0.01)
        points[2] = points[1]
        assert conditions.turned(points) == pytest.approx(0.5)
        assert conditions.turned(3 * points @ [[0, 1], [-1, 0]]) == pytest.approx(0.5)

    def test_where_no_face_is_found(self):
        images = np.zeros((2, 112, 112, 3), np.uint8)
        images[1] = 1

        def engine(image, min_score):
            box = (0.0, 0.0, 9.0, 9.0)
            return [faces.Face(box, faces.template(), 0.9)] if image.any() else []

        found = conditions.turns(images, engine)
        assert np.isnan(found[0])
        assert found[1] == pytest.approx(conditions.turned(faces.template()))

    def test_a_face_further_away_keeps_its_mean(self):
        images = RNG.integers(0, 256, (1, 112, 112, 3), np.uint8)
        far = conditions.shrunk(images, 12)
        assert conditions.light(far) == pytest.approx(conditions.light(images), abs=1.5)
        assert conditions.contrast(far) < conditions.contrast(images) / 4
        np.testing.assert_array_equal(far[:, :16], images[:, :16])


def test_the_page():
    share = {"value": 0.5, "low": 0.4, "high": 0.6, "of": 90}
    few = {"value": None, "low": None, "high": None, "of": 7}
    group = {"group": "lowest quarter", "from": 1.0, "to": 2.0, "accuracy": share}
    test = {
        "images": 1000,
        "accuracy": CARD["tests"]["FER2013 PublicTest"]["accuracy"],
        "average_accuracy": 0.55,
        "recall": {"fear": share, "disgust": few},
        "calibration_error": {"expression": 0.031},
        "movements": {
            TASK.labels[0]: {"average_precision": 0.61, "base_rate": 0.2, "positives": 100},
            TASK.labels[1]: {"average_precision": None, "base_rate": None, "positives": 0},
        },
        "mean_average_precision": 0.61,
        "conditions": {key: [group] for key in ("luminance", "contrast", "turned")},
        "size": {"48": share, "8": few},
    }
    card = {
        **CARD,
        "data": "Photos.",
        "licence": "For research.",
        "network": "A network.",
        "size": {"parameters": 1000, "multiply_adds": 2_000_000, "bytes": 3000},
        "faces_per_core_second": 321.4,
        "command": "make pretrain",
        "commit": "abc",
        "choices": "one seed.",
        "limits": LIMITS,
        "evaluate": ["python -m mtl_dm.evaluate"],
        "tests": {"FER2013 PublicTest": test},
    }
    text = card_text.as_markdown(card)
    for line in (
        "> small_faces: 7 expressions, and 12 facial movements as MediaPipe measures them; right "
        "on 64.1% of FER2013 PublicTest (62.5% to 65.7%); for research, not validated for any "
        "decision about people.",
        "**Network.** A network. 1,000 parameters, 2.0 million multiply-adds a face, 3,000 bytes; "
        "321 aligned faces a second of one core.",
        "| fear | 50.0% (40.0% to 60.0%) | 90 |",
        "| disgust | no verdict: fewer than 30 images | 7 |",
        "| browInnerUp | 61.0% | 20.0% | 100 |",
        "| browOuterUp | - | - | 0 |",
        "| lowest quarter | 1, 2 | 50.0% (40.0% to 60.0%) |",
        "| 8 | no verdict: fewer than 30 images |",
        f"- {LIMITS[0]}",
    ):
        assert line in text.splitlines(), line
