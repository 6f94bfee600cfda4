from pathlib import Path, PurePath

import numpy as np
import pytest

from mtl_dm import faces
from mtl_dm.predicting import pipeline
from mtl_dm.predicting.finding import Found
from mtl_dm.predicting.frames import Frame
from mtl_dm.predicting.inputs import Inputs, Item
from mtl_dm.predicting.options import Options
from mtl_dm.predicting.pipeline import Detected, batches, run_pipeline

SIDE = 8


def image(number, count):
    found = [
        Found(faces.Face((0, 0, 1, 1), faces.template(), 0.9), np.full((SIDE, SIDE, 3), number))
        for _ in range(count)
    ]
    name = f"{number}.png"
    return Detected(Frame(Item(Path(name), PurePath(name))), found, None, None)


def sizes(counts, size):
    grouped = batches([image(0, count) for count in counts], size)
    return [[len(detected.found) for detected in group] for group in grouped]


def test_no_batch_is_begun_for_the_last_faces_of_an_image():
    assert sizes([3, 1, 2, 4, 0, 1], 4) == [[3, 1], [2], [4, 0], [1]]
    assert sizes([9, 1], 4) == [[9], [1]]
    assert sizes([], 4) == []


def test_images_without_faces_do_not_wait_for_ever():
    assert sizes([0] * 150, 4) == [[0] * 64, [0] * 64, [0] * 22]


class Predictor:
    """Says of a face which image it is of, and how many faces came with it."""

    size, batch_size = SIDE, 4

    def __init__(self):
        self.batches = []

    def __call__(self, crops):
        self.batches.append(len(crops))
        return [{"number": {"of": float(crop[0, 0, 0])}} for crop in crops]


@pytest.fixture
def looked_at(monkeypatch):
    """Has images with so many faces each looked at; returns how many were begun."""

    def call(counts):
        begun = []

        def detect(*_):
            for number, count in enumerate(counts):
                begun.append(number)
                yield image(number, count)

        monkeypatch.setattr(pipeline, "_detect", detect)
        return begun

    return call


def test_predictions_come_with_their_faces_in_the_order_of_the_images(looked_at):
    counts = [1, 0, 2, 5, 3, 0, 0, 1] * 20
    looked_at(counts)
    predictor = Predictor()
    found = list(run_pipeline(Inputs((), {}, 0), predictor, None, Options(threads=3)))
    assert [str(detected.frame.item.place) for detected, _ in found] == [
        f"{number}.png" for number in range(len(counts))
    ]
    assert [[each["number"]["of"] for each in said] for _, said in found] == [
        [float(number)] * count for number, count in enumerate(counts)
    ]
    assert sum(predictor.batches) == sum(counts)


def test_few_images_wait_however_many_there_are(looked_at):
    begun = looked_at([1] * 1000)
    results = run_pipeline(Inputs((), {}, 0), Predictor(), None, Options(threads=2))
    for taken, _ in enumerate(results, start=1):
        # A batch that is read out, two that are predicted, one that fills and the image beyond it.
        assert len(begun) - taken <= 4 * 4 + 1


def test_a_batch_that_fails_says_why_where_it_is_due(looked_at):
    looked_at([1] * 100)

    class Broken(Predictor):
        def __call__(self, crops):
            if crops[0][0, 0, 0] == 40:
                raise ValueError("no numbers")
            return super().__call__(crops)

    results = run_pipeline(Inputs((), {}, 0), Broken(), None, Options(threads=2))
    for _ in range(40):
        next(results)
    with pytest.raises(ValueError, match="no numbers"):
        next(results)
