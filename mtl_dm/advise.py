"""Say from labels alone, before training, whether and how to couple two tasks.

Example, on synthetic faces that are made on first use:

    python -m mtl_dm.advise \
        --datasets=synthetic_faces/expression_only,synthetic_faces/action_units_only \
        --relatedness=facs --output=runs/advice

prints the advice and writes it as a page (advice.html, advice.md) with relatedness.json, the table
it recommends, and coupling.json, all of `mtl_dm.Coupling`. Without --relatedness a table is counted
where images are labelled for both tasks. In a notebook:

    from mtl_dm.advising import advise
    advise([mtl_dm.data.label_arrays(name, data_dir=folder) for name in names], tasks)
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import logging

from mtl_dm.command_line import plugin_options
from mtl_dm.files import expand_home, strict_json, write_atomically
from mtl_dm.outputs import prepare_output
from mtl_dm.training import flags
from mtl_dm.training.main import start

if TYPE_CHECKING:
    from mtl_dm.advising import Advice
    from mtl_dm.tasks import Task
    from mtl_dm.training.config import TrainConfig

RELATEDNESS_FILE, COUPLING_FILE = "relatedness.json", "coupling.json"


def advise() -> None:
    """Advise as the flags say."""
    from mtl_dm import advising  # TensorFlow only once the flags parse
    from mtl_dm.advising import page
    from mtl_dm.training import assembly

    config, folder = flags.advise_config(), Path(flags.FLAGS.output)
    _require_other_file(config, folder)
    prepare_output(folder)
    tasks = assembly.tasks_of(config)
    if all(task.kind != "multilabel" for task in tasks):
        _advise_values(config, tasks, folder)
        return
    assembly.coupled_pair(tasks)
    _warn_of_shared_images(config)
    learned, given = assembly.given_relatedness(config, tasks)
    annotations = assembly.annotations_of(config, tasks)
    advice = advising.advise(annotations, tasks, given, learned=learned, shares=config.shares)
    command = training_command(advice, config, folder)
    content = {
        "outlook": advice.outlook,
        "coupling": None if advice.coupling is None else advice.coupling.to_dict(),
        "attribute_reduction": advice.reduction,
        "command": command,
    }
    write_atomically(folder / COUPLING_FILE, strict_json(content))
    advice.relatedness.to_json(folder / RELATEDNESS_FILE)
    path = page.write(folder, advice, command, _command("advise", _asked(config), " "))
    print(f"{advice}\n\nTrain with:\n{command}\n\nThe whole advice is in {path}")


def _advise_values(config: TrainConfig, tasks: Sequence[Task], folder: Path) -> None:
    from mtl_dm import advising
    from mtl_dm.advising import page
    from mtl_dm.training import assembly

    if config.relatedness is not None:
        raise ValueError(
            "--relatedness is of classes and attributes; these data sets have no multilabel task."
        )
    _warn_of_shared_images(config)
    annotations = assembly.annotations_of(config, tuple(tasks))
    advice = advising.advise_values(annotations, tasks, config.datasets)
    options = {**_common(config), "output": str(folder / "run")}
    lines = [f"--coupling={shlex.quote(text)}" for text in advice.couplings]
    command = " \\\n    ".join([_command("train", options, " \\\n    "), *lines])
    content = {"outlook": advice.outlook, "couplings": advice.couplings, "command": command}
    write_atomically(folder / COUPLING_FILE, strict_json(content))
    path = page.write(folder, advice, command, _command("advise", _asked(config), " "))
    print(f"{advice}\n\nTrain with:\n{command}\n\nThe whole advice is in {path}")


def _warn_of_shared_images(config: TrainConfig) -> None:
    from mtl_dm import data

    for place, name in enumerate(config.datasets):
        for other in data.sharing(name, config.datasets[place + 1 :], data_dir=config.data_dir):
            logging.warning(
                "Warning: %s and %s share images, which the advice counts as different ones: each "
                "has the labels of one of them alone.",
                name,
                other,
            )


def _require_other_file(config: TrainConfig, folder: Path) -> None:
    path = (config.relatedness or "").removeprefix("learned:")
    if path and Path(expand_home(path)).resolve() == (folder / RELATEDNESS_FILE).resolve():
        raise ValueError(
            f"The output folder {folder} holds the relatedness to judge, {path}, which the "
            "recommended one would replace; choose another --output."
        )


def training_command(advice: Advice, config: TrainConfig, folder: Path) -> str:
    """Return the command line that trains as advised."""
    relatedness = None
    if advice.coupling is not None:
        path = folder / RELATEDNESS_FILE
        relatedness = f"learned:{path}" if advice.learned else str(path)
        relatedness = "learned" if advice.origin == "blank" else relatedness
    options = {
        **_common(config),
        "relatedness": relatedness,
        "attribute_reduction": advice.reduction,
        "output": str(folder / "run"),
    }
    return _command("train", options, " \\\n    ")


def _asked(config: TrainConfig) -> dict[str, str | None]:
    return {"datasets": ",".join(config.datasets), "relatedness": config.relatedness}


def _common(config: TrainConfig) -> dict[str, str | None]:
    """Return what every training of these data sets is told."""
    from mtl_dm import data

    sides = {data.image_side(name, data_dir=config.data_dir) for name in config.datasets}
    shares = None if config.shares is None else ",".join(f"{share:g}" for share in config.shares)
    return {
        "datasets": ",".join(config.datasets),
        "tasks": ",".join(config.tasks),
        "data_dir": None if config.data_dir == type(config).data_dir else config.data_dir,
        "shares": shares,
        "image_size": "64" if len(sides) > 1 or None in sides else None,
    }


def _command(name: str, options: dict[str, str | None], between: str) -> str:
    given = {option: value for option, value in options.items() if value is not None}
    lines = [f"--{option}={shlex.quote(value)}" for option, value in given.items()]
    plugins = map(shlex.quote, plugin_options())
    return between.join([f"python -m mtl_dm.{name}", *plugins, *lines])


if __name__ == "__main__":
    start(advise, flags.define_advise_flags)
