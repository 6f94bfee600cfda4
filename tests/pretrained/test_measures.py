"""Under which conditions a test image was taken, by hand."""

import json

import numpy as np
import pytest

from experiments.pretraining import conditions, measures, measuring
from mtl_dm import faces
from mtl_dm.cards.card import CARD_FILE
from mtl_dm.cards.text import as_markdown
from mtl_dm.measuring.scoring import load_model
from mtl_dm.metrics import evaluate
from mtl_dm.models.backbones.aligned_grey import crop_of
from mtl_dm.pretrained import DEFAULT, FOLDER

RNG = np.random.default_rng(0)


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


def test_a_test_set_as_the_card_has_it(shipped):
    model = load_model("small_faces")
    images = RNG.integers(0, 256, (3, 112, 112, 3), np.uint8)
    classes, movements = model.tasks
    labels = {classes.name: np.eye(7)[:3], movements.name: np.zeros((3, movements.size))}
    masks = {classes.name: np.array([1.0, 1, 0]), movements.name: np.ones((3, movements.size))}
    logits = measuring.logits_of(model, images)
    metrics = {
        task.name: evaluate(task, labels[task.name], logits[task.name], masks[task.name])
        for task in model.tasks
    }
    test = measuring.TestSet(images, labels, masks)
    found = measuring.measured(model, test, {}, lambda image, min_score: [], metrics)
    assert found["tasks"][classes.name]["accuracy"]["of"] == 2
    assert found["tasks"][movements.name]["f1"] == metrics[movements.name]["f1"]
    card = json.loads((FOLDER / DEFAULT / CARD_FILE).read_text(encoding="utf-8"))
    lines = as_markdown({**card, "tests": {"three": found}}).splitlines()
    assert "## three: 3 images" in lines
    assert "| not measured |  | no verdict: fewer than 30 images |" in lines
