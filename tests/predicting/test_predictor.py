import concurrent.futures

import keras
import numpy as np
import pytest
from scipy.special import expit, softmax

from mtl_dm import data
from mtl_dm.measuring.scoring import load_model
from mtl_dm.models import MultiTaskModel
from mtl_dm.predicting.predictor import Predictor, input_size
from tests.saved_models import SIZE, TASKS


@pytest.fixture(scope="module")
def model(checkpoint):
    return load_model(checkpoint)


@pytest.fixture(scope="module")
def crops():
    return list(np.random.default_rng(0).integers(0, 256, (11, 112, 112, 3), np.uint8))


def test_by_name_with_temperatures(model, crops):
    found = Predictor(model, {"expression": 2.0, "action_units": 0.5}, 4)(crops[:1])[0]
    image = data.network_input(crops[0], SIZE)[None]
    logits = {name: np.asarray(value)[0] for name, value in model(image, training=False).items()}
    expected = {
        "expression": softmax(logits["expression"] / 2.0),
        "action_units": expit(logits["action_units"] / 0.5),
        "valence_arousal": np.clip(logits["valence_arousal"], -1, 1),
    }
    assert list(found) == [task.name for task in TASKS]
    for task in TASKS:
        assert list(found[task.name]) == list(task.labels)
        assert list(found[task.name].values()) == pytest.approx(expected[task.name], abs=1e-6)


def test_values_are_clipped_to_what_their_labels_lie_between(model, crops):
    head = model.heads["valence_arousal"]
    before = head.get_weights()
    try:
        head.set_weights([before[0], np.array([1.57, -40.0], np.float32), *before[2:]])
        found = Predictor(model, {}, 4)(crops[:1])[0]["valence_arousal"]
    finally:
        head.set_weights(before)
    assert found["arousal"] == -1
    assert -1 <= found["valence"] <= 1


def test_a_face_alone_and_in_company(model, crops):
    predictor = Predictor(model, {}, 4)
    together = predictor(crops)
    assert len(together) == len(crops)
    assert together == [predictor([crop])[0] for crop in crops]
    assert predictor(crops[::-1]) == together[::-1]
    assert predictor([]) == []
    sizes = [crops[0], crops[1][:80, :80], crops[2], crops[3][:80, :80]]
    assert predictor(sizes) == [predictor([crop])[0] for crop in sizes]


def test_in_several_threads_at_a_time(model, crops):
    expected = Predictor(model, {}, 4)(crops)
    predictor = Predictor(model, {}, 4)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(predictor, [crops] * 12)) == [expected] * 12


def test_what_is_refused(model):
    with pytest.raises(ValueError, match=r"Temperatures for \['other'\]"):
        Predictor(model, {"other": 2.0})
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        Predictor(model, {}, 0)


@pytest.mark.parametrize("shape", [(5,), (16, 8, 3), (16, 16, 1), (None, None, 3)])
def test_models_of_something_else(shape):
    last = keras.layers.GlobalMaxPooling2D() if len(shape) == 3 else keras.layers.Dense(3)
    backbone = keras.Sequential([keras.Input(shape), last])
    with pytest.raises(ValueError, match=r"must take square colour images; its input is \(None, "):
        input_size(MultiTaskModel(backbone, TASKS))


@pytest.mark.parametrize(
    ("shapes", "structure"),
    [
        ({"photo": (16, 16, 3), "points": (5,)}, dict),
        ({"photo": (16, 16, 3)}, dict),  # a dictionary is no array
        ({"photo": (16, 16, 3), "points": (5,)}, lambda inputs: [*inputs.values()]),
    ],
)
def test_models_of_several_inputs_are_refused_by_name(shapes, structure):
    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    flat = [keras.layers.Flatten()(tensor) for tensor in inputs.values()]
    features = flat[0] if len(flat) == 1 else keras.layers.concatenate(flat)
    model = MultiTaskModel(keras.Model(structure(inputs), features), TASKS)
    with pytest.raises(ValueError, match="and nothing else; its inputs are") as refused:
        Predictor(model, {})
    named = ", ".join(f"{name} {(None, *shape)}" for name, shape in shapes.items())
    assert f"its inputs are {named}." in str(refused.value)
