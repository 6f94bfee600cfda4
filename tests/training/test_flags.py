import dataclasses

import pytest
from absl import flags as absl_flags

from mtl_dm.training import flags
from mtl_dm.training.config import TrainConfig
from tests.training.command_line import isolated_flags, parse

REPEATED = {"couplings": "coupling", "stages": "stage", "terms": "term"}
NEEDED = ("--datasets=a/x,b/y:train", "--output=out")


def config_of(*arguments):
    with isolated_flags():
        flags.define_train_flags()
        assert parse(*NEEDED, *arguments) == []
        return flags.train_config()


def refused(*arguments):
    with pytest.raises(ValueError) as error:
        config_of(*arguments)
    return str(error.value)


def test_defaults():
    assert config_of() == TrainConfig(("a/x", "b/y:train"))


def test_every_field_has_a_flag():
    given = {
        "validation": "c:validation",
        "tasks": ("expression", "action_units", "identity"),
        "data_dir": "there",
        "image_size": 48,
        "backbone": "dense_trunk(width=8)",
        "chain": ("action_units", "expression"),
        "relatedness": "aff_wild2",
        "matching": 0.5,
        "co_annotation": 0.0,
        "matching_form": "bernoulli",
        "co_annotation_form": "distillation",
        "trust": False,
        "gate": True,
        "rule": "first",
        "couplings": ("first(relation=facs)", "second(matching=0.5, relation=learned:facs)"),
        "validation_gate": True,
        "task_losses": {"identity": "large=x"},
        "task_weights": {"expression": 2.0, "action_units": 0.25},
        "attribute_reduction": "sum",
        "label_smoothing": 0.1,
        "terms": ("centre_loss(form=norm, task=identity)",),
        "balancing": "uncertainty",
        "log_gradients": True,
        "log_weights": True,
        "batch_size": 7,
        "shares": (1.0, 3.0),
        "epochs": 2,
        "steps_per_epoch": 11,
        "optimizer": "sgd(momentum=0.9)",
        "schedule": "cosine(warmup=1.0)",
        "learning_rate": 0.01,
        "trainable": ("heads", "backbone/conv2d*"),
        "init_from": "there.keras",
        "stages": ("warmup(epochs=2, trainable=heads)", "main"),
        "augment": False,
        "mix": "mix_augment(alpha=0.5)",
        "mixed_precision": "float16",
        "jit": True,
        "strategy": "mirrored",
        "seed": 5,
    }
    assert set(given) | {"datasets"} == {field.name for field in dataclasses.fields(TrainConfig)}
    arguments = []
    for name, value in given.items():
        if name in REPEATED:
            arguments += [f"--{REPEATED[name]}={each}" for each in value]
            continue
        if isinstance(value, dict):
            value = ",".join(f"{key}={number}" for key, number in value.items())
        elif isinstance(value, tuple):
            value = ",".join(map(str, value))
        arguments.append(f"--{name}={value}")
    config = config_of(*arguments)
    assert config == TrainConfig(("a/x", "b/y:train"), **given)
    # Were a value the default, the comparison could not tell.
    for field in dataclasses.fields(TrainConfig):
        if field.name != "datasets":
            assert getattr(config, field.name) != getattr(TrainConfig(("a",)), field.name)


def test_help_explains_every_field():
    with isolated_flags():
        flags.define_train_flags()
        text = absl_flags.FLAGS.get_help()
        for field in dataclasses.fields(TrainConfig):
            name = REPEATED.get(field.name, field.name)
            assert f"--{name}:" in text or f"--[no]{name}:" in text, name
            assert len(absl_flags.FLAGS[name].help) > 5, name
        assert "--output:" in text


@pytest.mark.parametrize(
    "name",
    [
        "matching=0.5",
        "co_annotation=1",
        "matching_form=bernoulli",
        "co_annotation_form=js",
        "rule=first",
    ],
)
def test_coupling_flags_need_relatedness(name):
    message = refused(f"--{name}")
    assert message.startswith(f"--{name.split('=')[0]} has no effect without --relatedness")


def test_coupling_with_both_weights_zero():
    message = refused("--relatedness=facs", "--matching=0", "--co_annotation=0")
    assert "--matching=0 and --co_annotation=0" in message
    assert config_of("--relatedness=facs", "--matching=0").co_annotation is None


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--task_weights=expression", "--task_weights needs task=weight, got 'expression'"),
        ("--task_weights=expression=much", "--task_weights needs numbers, got 'much'"),
        ("--task_weights=pose=1", r"task_weights name ['pose']"),
        ("--shares=1,two", "--shares needs numbers, got 'two'"),
        ("--shares=1", "shares needs one number per data set, 2, got 1"),
        ("--epochs=0", "epochs must be at least 1"),
        ("--task_losses=expression", "--task_losses needs task=loss, got 'expression'"),
        ("--backbone=compact_cnn(depth=1)", "'compact_cnn' has no option 'depth'. Known: dropout"),
        ("--coupling=a(source=expression)", "coupling 'a' needs the option(s) relation"),
        ("--stage=a(epochs=1+1)", "not code"),
    ],
)
def test_refuses(flag, message):
    assert message in refused(flag)


@pytest.mark.parametrize(
    "flag",
    [
        "--matching=-1",
        "--attribute_reduction=max",
        "--strategy=none_such",
        "--batch_size=many",
    ],
)
def test_absl_refuses(flag):
    with pytest.raises(absl_flags.IllegalFlagValueError, match=flag.partition("=")[0][2:]):
        config_of("--relatedness=facs", flag)


@pytest.mark.parametrize("left", [0, 1])
def test_datasets_and_output_are_needed(left):
    with isolated_flags():
        flags.define_train_flags()
        missing = ("--output", "--datasets")[left]
        with pytest.raises(absl_flags.IllegalFlagValueError, match=missing):
            parse(NEEDED[left])


def test_evaluate_needs_a_checkpoint():
    with isolated_flags():
        flags.define_evaluate_flags()
        with pytest.raises(absl_flags.IllegalFlagValueError, match="--checkpoint"):
            parse(*NEEDED)
        assert parse(*NEEDED, "--checkpoint=some.keras") == []
        assert absl_flags.FLAGS.datasets == ["a/x", "b/y:train"]


def test_the_old_name_of_the_validation_gate():
    given = ("--relatedness=facs", "--validation=v")
    assert config_of(*given, "--brake").validation_gate
    assert config_of(*given, "--brake") == config_of(*given, "--validation_gate")
    assert not config_of(*given, "--nobrake").validation_gate


def test_the_validation_gate_of_a_coupling_with_a_name():
    config = config_of("--coupling=a(relation=facs)", "--validation=v", "--validation_gate")
    assert config.validation_gate


def test_a_list_in_a_specification_keeps_its_commas():
    config = config_of("--stage=a(datasets=[a/x, b/y:train])", "--stage=b(datasets=b/y:train)")
    assert [part.datasets for _, part in config.stage_configs()] == [
        ("a/x", "b/y:train"),
        ("b/y:train",),
    ]


@pytest.mark.parametrize("name", ["matching", "co_annotation"])
def test_forms(name):
    message = refused("--relatedness=facs", f"--{name}_form=kl")
    assert f"Unknown {name.replace('_', '-')} form 'kl'. Known: " in message
    message = refused("--relatedness=facs", f"--{name}_form=paper(heat=1)")
    assert "form 'paper' has no option 'heat'. Known: " in message


def test_flagfile(tmp_path):
    file = tmp_path / "flags"
    file.write_text("# a comment\n--seed=4\n--relatedness=facs\n--noaugment\n", encoding="utf-8")
    config = config_of(f"--flagfile={file}", "--epochs=3")
    assert (config.seed, config.relatedness, config.augment, config.epochs) == (4, "facs", False, 3)


def test_what_follows_the_flagfile_wins(tmp_path):
    file = tmp_path / "flags"
    file.write_text("--seed=4\n", encoding="utf-8")
    assert config_of(f"--flagfile={file}", "--seed=5").seed == 5
