"""TFDS builders, one folder a database; importing this package registers them."""

from pathlib import Path
from typing import Any

from mtl_dm.datasets._features import task_features, task_metadata, tasks_of
from mtl_dm.datasets.clothing_attributes import ClothingAttributes
from mtl_dm.datasets.fer2013 import Fer2013
from mtl_dm.datasets.synthetic_faces import SyntheticFaces

BUILDERS: tuple[Any, ...] = (ClothingAttributes, Fer2013, SyntheticFaces)


def names() -> list[str]:
    """Return the names of the data sets of this package."""
    return sorted(builder.name for builder in BUILDERS)


def make_builder(name: str, data_dir: str | Path) -> Any:
    """Return the builder called "name" or "name/config".

    Raises:
        ValueError: If there is no such builder or configuration; the message lists the known.
    """
    name, _, config = name.partition("/")
    if name not in names():
        raise ValueError(f"Unknown data set {name!r}. Known: {', '.join(names())}.")
    builder = next(builder for builder in BUILDERS if builder.name == name)
    configs = [entry.name for entry in builder.BUILDER_CONFIGS]
    if config and config not in configs:
        raise ValueError(
            f"Unknown configuration {config!r} of {name!r}. Known: {', '.join(configs) or 'none'}."
        )
    return builder(data_dir=str(data_dir), config=config or None)


__all__ = [
    "BUILDERS",
    "ClothingAttributes",
    "Fer2013",
    "SyntheticFaces",
    "make_builder",
    "names",
    "task_features",
    "task_metadata",
    "tasks_of",
]
