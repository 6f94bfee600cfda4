"""What a version promises: public names, commands, and what may be typed as a spec.

    python -m tests.public_names

writes public_names.txt beside this file, a name a line.
"""

import importlib
import inspect
import typing
from pathlib import Path

from mtl_dm.registry import Registry

FILE = Path(__file__).with_name("public_names.txt")
MODULES = (
    "mtl_dm",
    "mtl_dm.advising",
    "mtl_dm.balancing",
    "mtl_dm.compound",
    "mtl_dm.data",
    "mtl_dm.datasets",
    "mtl_dm.encoders",
    "mtl_dm.faces",
    "mtl_dm.fusing",
    "mtl_dm.losses",
    "mtl_dm.metrics",
    "mtl_dm.models",
    "mtl_dm.relatedness",
    "mtl_dm.reporting",
    "mtl_dm.synthetic",
)
DOCUMENTED = (
    "experiments.engine.built.Built",
    "experiments.engine.method.Method",
    "experiments.engine.options.Options",
    "experiments.engine.options.main_guard",
    "experiments.engine.options.options",
    "experiments.engine.problem.Problem",
    "experiments.engine.running.run_study",
    "experiments.engine.study.Column",
    "experiments.engine.study.Study",
    "mtl_dm.datasets.reading.BadLine",
    "mtl_dm.datasets.reading.Release",
    "mtl_dm.datasets.reading.ReleaseBuilder",
    "mtl_dm.datasets.reading.Row",
    "mtl_dm.datasets.reading.Skipped",
    "mtl_dm.measuring.evaluation.evaluate",
    "mtl_dm.models.backbones.example",
    "mtl_dm.models.backbones.require_image",
    "mtl_dm.training.config.TrainConfig",
    "mtl_dm.training.fitting.fit",
    "mtl_dm.training.fitting.settings",
    "mtl_dm.training.learning.LearnRelatedness",
    "mtl_dm.training.validation_gate.ValidationGate",
)
"""What the guides import of other modules."""


def names() -> set[str]:
    """Return them as they are now."""
    from experiments.commands import COMMANDS

    found = {f"mtl-dm {name}" for name in COMMANDS}
    exported = [
        f"{each}.{name}" for each in MODULES for name in importlib.import_module(each).__all__
    ]
    for path in (*exported, *DOCUMENTED):
        module, _, name = path.rpartition(".")
        value = getattr(importlib.import_module(module), name)
        found.add(path)
        if isinstance(value, Registry):
            found |= {f"{path}: {entry}" for entry in value}
        elif inspect.isclass(value) and value.__module__.startswith("mtl_dm"):
            found |= {f"{path}.{member}" for member in _members(value)}
    return found


def listed() -> set[str]:
    """Return those of the file."""
    return set(FILE.read_text(encoding="utf-8").splitlines())


def _members(value: type) -> typing.Iterator[str]:
    for each in value.__mro__:
        if each.__module__.startswith("mtl_dm"):
            own = {*vars(each), *vars(each).get("__annotations__", {})}
            yield from (name for name in own if not name.startswith("_"))


if __name__ == "__main__":
    FILE.write_text("".join(f"{name}\n" for name in sorted(names())), encoding="utf-8")
