"""The command line that trains a configuration: what `flags.train_config` reads, written."""

from __future__ import annotations

import csv
import dataclasses
import io
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from mtl_dm.command_line import plugin_options
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.flags import COUPLING_FLAGS, flag_name

MODULE = "mtl_dm.train"


def command_of(config: TrainConfig, output: str) -> str:
    """Return the line that a shell runs to train a configuration, with the plugins there are.

    Args:
        config: The configuration.
        output: Folder of the run.
    """
    given = [*plugin_options(), *arguments_of(config), f"--output={output}"]
    return shlex.join(["python", "-m", MODULE, *given])


def arguments_of(config: TrainConfig) -> list[str]:
    """Return the flags that give a configuration; what is as by default is left out.

    Weights and forms of a coupling that is off are left out too: the command refuses them.

    Args:
        config: The configuration.
    """
    usual = TrainConfig(config.datasets)
    idle = () if config.relatedness is not None else COUPLING_FLAGS
    found = [f"--datasets={_listed(config.datasets)}"]
    for field in dataclasses.fields(TrainConfig):
        value = getattr(config, field.name)
        if field.name not in idle and value != getattr(usual, field.name):
            found += _flags(field, value)
    return found


def _flags(field: dataclasses.Field[Any], value: Any) -> list[str]:
    name = flag_name(field)
    if field.metadata["repeated"] is not None:
        return [f"--{name}={each}" for each in value]
    if isinstance(value, bool):
        return [f"--{'' if value else 'no'}{name}"]
    if isinstance(value, Mapping):
        value = [f"{key}={each}" for key, each in value.items()]
    return [f"--{name}={_listed(value) if isinstance(value, (tuple, list)) else value}"]


def _listed(values: Sequence[Any]) -> str:
    """Return values with commas between them, quoted where one holds a comma or a quote."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()
