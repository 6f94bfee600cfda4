"""TFDS builders, one folder a database; importing this package registers them."""

from typing import Any

from mtl_dm.datasets._features import task_features, task_metadata, tasks_of
from mtl_dm.datasets.clothing_attributes import ClothingAttributes
from mtl_dm.datasets.synthetic_faces import SyntheticFaces

BUILDERS: tuple[Any, ...] = (ClothingAttributes, SyntheticFaces)


def names() -> list[str]:
    """Return the names of the data sets of this package."""
    return sorted(builder.name for builder in BUILDERS)


__all__ = [
    "BUILDERS",
    "ClothingAttributes",
    "SyntheticFaces",
    "names",
    "task_features",
    "task_metadata",
    "tasks_of",
]
