"""The flags of train, evaluate, calibrate and compound; the only place that defines any.

Those of train are the fields of `TrainConfig`, explained there: a new option is a new field.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

from absl import flags

from mtl_dm.command_line import PLUGIN, PLUGIN_HELP
from mtl_dm.training.config import TrainConfig

FLAGS = flags.FLAGS

COUPLING_FLAGS = (
    "matching",
    "co_annotation",
    "matching_form",
    "co_annotation_form",
    "trust",
    "gate",
    "rule",
)
"""Fields of the one coupling that `relatedness` switches on."""

_CHECKPOINT = "A .keras file that train wrote, or the name of a pretrained checkpoint."

_FIELDS = {field.name: field for field in dataclasses.fields(TrainConfig)}
_TYPES = get_type_hints(TrainConfig)


def define_shared_flags() -> None:
    """Define what train and evaluate both need."""
    _define(("datasets", "data_dir"))
    _define_plugin()
    flags.DEFINE_string("output", None, "Folder for everything that the command writes.")
    flags.mark_flags_as_required(["datasets", "output"])


def define_evaluate_flags() -> None:
    """Define what evaluate needs."""
    define_shared_flags()
    flags.DEFINE_string("checkpoint", None, _CHECKPOINT, required=True)
    flags.DEFINE_string(
        "thresholds_from",
        None,
        "Validation data on which the attributes' thresholds are chosen (highest F1); metrics "
        "with them then stand beside those at 0.5.",
    )


def define_calibrate_flags() -> None:
    """Define what calibrate needs."""
    flags.DEFINE_string("checkpoint", None, _CHECKPOINT, required=True)
    flags.DEFINE_string(
        "validation", None, "Data to fit the temperatures on; not the test set.", required=True
    )
    flags.DEFINE_string("data_dir", "build/datasets", "Folder of built data sets.")
    _define_plugin()


def define_compound_flags() -> None:
    """Define what compound needs."""
    define_shared_flags()
    flags.DEFINE_string("checkpoint", None, _CHECKPOINT, required=True)
    flags.DEFINE_string(
        "relatedness",
        "compound_emotionet",
        "The action units of compounds: compound_emotionet, compound_du or a .json file.",
    )
    flags.DEFINE_list(
        "scores",
        ["zero_shot", "posterior", "product"],
        "How compounds are told from what the checkpoint predicts; zero_shot(valence=False) does "
        "without valence.",
    )
    flags.DEFINE_string(
        "support",
        None,
        "A data set from which 1, 5 and 10 images of each compound are drawn, for few-shot "
        "recognition on frozen features; it must not be tested.",
    )
    flags.DEFINE_integer("draws", 20, "How often images are drawn from the support.", lower_bound=1)


def define_advise_flags() -> None:
    """Define what advise needs: the flags of train that decide what is labelled and coupled."""
    define_shared_flags()
    _define(("tasks", "relatedness", "shares"))


def define_train_flags() -> None:
    """Define the fields of TrainConfig as flags."""
    define_shared_flags()
    _define([name for name in _FIELDS if name not in ("datasets", "data_dir")])


def _define_plugin() -> None:
    flags.DEFINE_multi_string(PLUGIN, [], PLUGIN_HELP)


def _define(names: Sequence[str]) -> None:
    for name in names:
        field = _FIELDS[name]
        _define_flag(field, flag_name(field))
        if field.metadata["old"] is not None:
            flags.DEFINE_alias(field.metadata["old"], name)


def _define_flag(field: dataclasses.Field[Any], name: str) -> None:
    default, help_text = _default(field), field.metadata["help"]
    registry, least = field.metadata["registry"], field.metadata["least"]
    if registry is not None:
        help_text = f"{help_text} Known: {', '.join(registry)}."
    kind = _without_none(_TYPES[field.name])
    if field.metadata["repeated"] is not None:
        flags.DEFINE_multi_string(name, list(default), help_text)
    elif get_origin(kind) is Literal:
        flags.DEFINE_enum(name, default, list(get_args(kind)), help_text)
    elif kind in (int, float):
        # The rule of an integer is the configuration's own, whose message names the value.
        define = flags.DEFINE_integer if kind is int else flags.DEFINE_float
        define(name, default, help_text, lower_bound=least if kind is float else None)
    elif kind is bool:
        flags.DEFINE_bool(name, default, help_text)
    elif kind is str:
        flags.DEFINE_string(name, default, help_text)
    else:
        flags.DEFINE_list(name, None if default is None else list(default), help_text)


def flag_name(field: dataclasses.Field[Any]) -> str:
    """Return the name of the flag of a field."""
    return field.metadata["repeated"] or field.name


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


def _without_none(kind: Any) -> Any:
    """Return T of "T | None"."""
    rest = [each for each in get_args(kind) if each is not type(None)]
    return rest[0] if type(None) in get_args(kind) else kind


def advise_config() -> TrainConfig:
    """Return the configuration that the parsed flags of advise describe.

    Raises:
        ValueError: If a value breaks its rule.
    """
    return _config(("datasets", "data_dir", "tasks", "relatedness", "shares"))


def train_config() -> TrainConfig:
    """Return the configuration that the parsed flags describe.

    Raises:
        ValueError: If a value breaks its rule or flags contradict each other.
    """
    idle = [name for name in COUPLING_FLAGS if FLAGS[name].present]
    if FLAGS.relatedness is None and idle:
        raise ValueError(
            f"--{idle[0]} has no effect without --relatedness, which switches the coupling on."
        )
    if FLAGS.relatedness is not None and FLAGS.matching == FLAGS.co_annotation == 0:
        raise ValueError(
            "--relatedness couples nothing with --matching=0 and --co_annotation=0; leave it out "
            "to train without coupling."
        )
    return _config(_FIELDS)


def _config(names: Sequence[str] | Mapping[str, Any]) -> TrainConfig:
    return TrainConfig(**{name: _value(_FIELDS[name]) for name in names})


def _value(field: dataclasses.Field[Any]) -> Any:
    """Return a parsed flag as the value of its field."""
    name = flag_name(field)
    value = FLAGS[name].value
    kind = _without_none(_TYPES[field.name])
    if value is None or not isinstance(value, list):
        return value
    item = _number if float in get_args(kind) else _text
    if get_origin(kind) is tuple:
        return tuple(item(name, each) for each in value)
    return _pairs(name, value, field.metadata["pairs"], item)


def _pairs(
    flag: str, items: list[str], form: str, value_of: Callable[[str, str], Any]
) -> dict[str, Any]:
    pairs = {}
    for item in items:
        key, equals, value = item.partition("=")
        if not equals:
            raise ValueError(f"--{flag} needs {form}, got {item!r}.")
        pairs[key] = value_of(flag, value)
    return pairs


def _text(flag: str, text: str) -> str:
    del flag
    return text


def _number(flag: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"--{flag} needs numbers, got {text!r}.") from error
