import json

import pytest

from mtl_dm.models import Coupling
from mtl_dm.training.config import TrainConfig

TWO = ("first", "second")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"datasets": ()}, "at least one data set"),
        ({"tasks": ()}, "at least one task"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"steps_per_epoch": 0}, "steps_per_epoch must be at least 1, got 0"),
        ({"image_size": -1}, "image_size must be at least 1, got -1"),
        ({"learning_rate": 0.0}, "learning_rate must be finite and > 0, got 0.0"),
        ({"learning_rate": -1e-3}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"task_weights": {"pose": 1.0, "action_units": 2.0}}, r"task_weights name \['pose'\]"),
        ({"shares": (1.0,)}, "one number per data set, 2, got 1"),
        ({"shares": (1.0, 1.0, 1.0)}, "one number per data set, 2, got 3"),
        ({"relatedness": "facs", "tasks": ("expression",)}, r"tasks are \['expression'\] only"),
        (
            {"relatedness": "facs", "matching": 0.0, "co_annotation": 0},
            "relatedness 'facs' couples nothing with matching 0 and co_annotation 0",
        ),
        ({"brake": True, "validation": "v"}, "needs relatedness and validation, got None and v"),
        ({"brake": True, "relatedness": "facs"}, "needs relatedness and validation, got facs and"),
        ({"relatedness": "learned", "epochs": 1}, "needs at least 2, got epochs 1"),
        ({"relatedness": "learned:facs", "epochs": 1}, "needs at least 2, got epochs 1"),
    ],
)
def test_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**{"datasets": TWO, **changes})


def test_accepts_the_smallest_values():
    config = TrainConfig(
        TWO, batch_size=1, epochs=1, steps_per_epoch=1, image_size=1, shares=(1.0, 3.0)
    )
    assert config.shares == (1.0, 3.0)


def test_defaults():
    config = TrainConfig(("any",))
    assert config.learning_rate == 1e-3
    coupling = Coupling()
    assert (config.matching, config.co_annotation) == (None, None)
    for field in ("matching", "co_annotation", "matching_form", "co_annotation_form"):
        assert getattr(config, field) == getattr(coupling, field)
    assert not config.brake
    assert config.attribute_reduction == "mean"
    assert config.relatedness is None


def test_replace_checks_again():
    config = TrainConfig(TWO)
    assert config.replace(seed=3).seed == 3
    assert config.seed == 0
    with pytest.raises(ValueError, match="epochs"):
        config.replace(epochs=0)


def test_to_dict_is_json_without_the_place_of_the_data():
    config = TrainConfig(TWO, task_weights={"expression": 2.0}, shares=(1.0, 2.0))
    values = config.to_dict()
    assert values["datasets"] == ["first", "second"]
    assert values["shares"] == [1.0, 2.0]
    assert json.loads(json.dumps(values)) == values
    # The same training from another copy of the data is the same training.
    assert values == config.replace(data_dir="elsewhere").to_dict()
    assert "data_dir" not in values
    for changes in ({"seed": 1}, {"task_weights": {}}, {"relatedness": "facs"}, {"jit": True}):
        assert config.replace(**changes).to_dict() != values
