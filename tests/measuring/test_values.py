"""What is kept of regressions for a page."""

import json

import numpy as np

from mtl_dm import data
from mtl_dm.measuring.evidence import Fitted, collect
from mtl_dm.measuring.values import values_at, values_of
from mtl_dm.tasks import Task
from tests.measuring.test_evidence import model_of

AFFECT = Task.regression("affect", ("valence", "arousal"), bounds=(-1, 1))
KIND = Task.multiclass("kind", ("a", "b"))
ROWS = 40


def source():
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (ROWS, 2)).astype(np.float32)
    values = rng.uniform(-1, 1, (ROWS, 2)).astype(np.float32)
    values[0], values[1, 0] = np.nan, np.nan
    return inputs, values, data.from_arrays(inputs, {"affect": values}, (KIND, AFFECT))


def test_labels_and_predictions_of_annotated_images():
    inputs, values, images = source()
    found = values_of(model_of((KIND, AFFECT), shape=(2,)), images)
    assert set(found) == {"affect"}
    assert (found["affect"]["labels"], found["affect"]["bounds"]) == (
        ["valence", "arousal"],
        [-1, 1],
    )
    true, predicted = (np.array(found["affect"][name], float) for name in ("true", "predicted"))
    np.testing.assert_allclose(true, values[1:], atol=1e-5)
    np.testing.assert_allclose(predicted[1:], 4 * inputs[2:], atol=1e-4)
    assert np.isnan(predicted[0, 0])
    json.dumps(found, allow_nan=False)


def test_of_many_images_every_nth():
    _, values, images = source()
    found = values_of(model_of((AFFECT,), shape=(2,)), images, limit=10)
    np.testing.assert_allclose(found["affect"]["true"], values[4::4], atol=1e-5)


def test_they_stand_in_the_evidence_of_a_cell():
    _, _, images = source()
    found = collect([Fitted(model_of((AFFECT,), shape=(2,)), images, {})])
    assert len(found["values"]["affect"]["true"]) == ROWS - 1
    assert found["calibration"] == {}


def test_without_a_regression_there_are_none():
    inputs, _, _ = source()
    images = data.from_arrays(inputs, {"kind": np.zeros(ROWS, int)}, (KIND,))
    assert values_of(model_of((KIND,), shape=(2,)), images) == {}


def test_values_of_chosen_images_stand_in_their_order():
    inputs, values, images = source()
    found = values_at(model_of((KIND, AFFECT), shape=(2,)), images, [7, 1, 3])["affect"]
    predicted = np.array([each["predicted"] for each in found])
    np.testing.assert_allclose(predicted, 4 * inputs[[7, 1, 3]], atol=1e-4)
    np.testing.assert_allclose(found[0]["true"], values[7], atol=1e-5)
    assert found[1]["true"][0] is None
    json.dumps(found, allow_nan=False)


def test_samples_show_them():
    inputs, values, _ = source()
    labels = {"kind": np.arange(ROWS) % 2, "affect": values}
    images = data.from_arrays(inputs, labels, (KIND, AFFECT))
    shown = collect([Fitted(model_of((KIND, AFFECT), shape=(2,)), images, {})], sample_count=3)
    for sample in shown["samples"]:
        told = sample["tasks"]["affect"]
        np.testing.assert_allclose(told["predicted"], 4 * inputs[sample["index"]], atol=1e-4)
