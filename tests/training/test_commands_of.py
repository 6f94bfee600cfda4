import shlex

import pytest

from mtl_dm.training import flags
from mtl_dm.training.commands import arguments_of, command_of
from mtl_dm.training.config import TrainConfig
from tests.training.command_line import isolated_flags, parse

CONFIGS = {
    "defaults": {},
    "numbers": {
        "image_size": 112,
        "batch_size": 7,
        "shares": (1.0, 0.1 + 0.2),
        "learning_rate": 3e-5,
        "label_smoothing": 0.1,
        "epochs": 3,
        "steps_per_epoch": 11,
        "seed": 5,
    },
    "switches": {"augment": False, "jit": True, "mixed_precision": "float16"},
    "specifications": {
        "backbone": "dense_trunk(width=8)",
        "optimizer": "sgd(momentum=0.9, weight_decay=0.0001)",
        "schedule": "cosine(final=0.005, warmup=1.0)",
        "balancing": "gradnorm(alpha=1.0)",
    },
    "coupled": {
        "relatedness": "inferred:c/d:train",
        "matching": 0.25,
        "co_annotation": 0.0,
        "matching_form": "paper",
        "co_annotation_form": "paper",
        "validation": "c/d:test",
        "validation_gate": True,
    },
    "mappings": {
        "tasks": ("identity", "expression", "action_units"),
        "task_weights": {"expression": 2.0, "action_units": 1e-7},
        "task_losses": {"identity": "large=x"},
        "attribute_reduction": "sum",
    },
    "names with what a shell or a list splits": {
        "data_dir": "a folder/it's here",
        "init_from": 'a "b" $HOME.keras',
        "trainable": ("heads", "backbone/conv2d[1,2]*", 'backbone/"x"'),
    },
    "stages": {
        "stages": (
            "first(datasets=a/x, epochs=2, trainable=heads)",
            'second(datasets=["a/x", "b/y:train[70%:]"], learning_rate=3e-05)',
        ),
        "couplings": ("one(relation=facs)", "two(matching=0.5, relation=learned:facs)"),
    },
}


def parsed(arguments):
    with isolated_flags():
        flags.define_train_flags()
        assert parse(*arguments) == []
        return flags.train_config()


@pytest.mark.parametrize("fields", CONFIGS.values(), ids=CONFIGS)
def test_the_command_gives_the_configuration_back(fields):
    config = TrainConfig(("a/x", "b/y:train[70%:]"), **fields)
    python, dash, module, *arguments = shlex.split(command_of(config, "an output"))
    assert (python, dash, module) == ("python", "-m", "mtl_dm.train")
    assert arguments[-1] == "--output=an output"
    assert parsed(arguments) == config
    assert arguments_of(parsed(arguments)) == arguments[:-1]


def test_what_is_as_by_default_is_left_out():
    assert arguments_of(TrainConfig(("a", "b"))) == ["--datasets=a,b"]


def test_forms_of_a_coupling_that_is_off_are_left_out():
    config = TrainConfig(("a",), matching_form="paper", matching=0.5)
    assert arguments_of(config) == ["--datasets=a"]
    assert parsed(["--output=o", *arguments_of(config)]) == TrainConfig(("a",))
