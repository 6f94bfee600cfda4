"""All commands by name, for `mtl-dm NAME ...`; imports nothing until one is chosen."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Command(NamedTuple):
    """A command.

    Attributes:
        module: What `python -m` runs.
        about: What it does, in a line.
    """

    module: str
    about: str


COMMANDS = {
    "demo": Command("experiments.demo", "train two small models here in two minutes"),
    "advise": Command("mtl_dm.advise", "say from labels alone whether and how to couple tasks"),
    "train": Command("mtl_dm.train", "train several tasks together"),
    "launch": Command("mtl_dm.launch", "train with several processes that share every batch"),
    "evaluate": Command("mtl_dm.evaluate", "measure a checkpoint on data sets"),
    "calibrate": Command("mtl_dm.calibrate", "fit temperatures to a checkpoint's probabilities"),
    "predict": Command("mtl_dm.predict", "from photos and videos to predictions"),
    "export": Command("mtl_dm.export", "write a checkpoint as SavedModel and ONNX"),
    "compound": Command("mtl_dm.compound", "recognise compound expressions"),
    "verify": Command("mtl_dm.verify", "measure face verification"),
    "distill": Command("mtl_dm.distill", "make one small network of several frozen ones"),
    "check": Command("data_prep.check", "say whether a raw download is usable"),
    "build": Command("data_prep.build", "build a data set from a raw download"),
    "align": Command("data_prep.align", "find and align the faces of a folder of photos"),
    "networks": Command("mtl_dm.models.summary", "list the networks with their size and cost"),
    "gallery": Command("mtl_dm.reporting.gallery", "draw contact sheets of the synthetic faces"),
}


def text() -> str:
    """Return what --help prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {command.about}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: mtl-dm COMMAND [OPTION ...]",
            "",
            *lines,
            "",
            "mtl-dm COMMAND --help says more; of train, evaluate, calibrate, compound and advise",
            "--helpfull explains every flag. Each is also python -m MODULE, as its help names it.",
            "--plugin=FILE.py imports a file of your own first, whose names can then be typed.",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command as `python -m` would, and return its exit status.

    Args:
        arguments: The name and what goes with it; None: those of the command line.

    Raises:
        SystemExit: Of the command.
    """
    name, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    # TensorFlow's start-up chatter hides what a command has to say.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name in ("-h", "--help"):
        print(text())
        return 0
    if name == "--version":
        from mtl_dm.version import VERSION  # here, since the package brings Keras along

        print(f"mtl-dm {VERSION}")
        return 0
    if name not in COMMANDS:
        print(f"error: unknown command {name!r}. Known: {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    sys.argv = [sys.argv[0], *rest]
    runpy.run_module(COMMANDS[name].module, run_name="__main__", alter_sys=True)
    return 0
