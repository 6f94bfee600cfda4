"""Learning several classification tasks together from data annotated for only one of them."""

import importlib
from typing import TYPE_CHECKING, Any

from mtl_dm import balancing, losses, metrics, models, relatedness
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.relatedness import Relatedness
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task

if TYPE_CHECKING:
    from mtl_dm import data, datasets

__all__ = [
    "ACTION_UNITS",
    "EXPRESSIONS",
    "Coupling",
    "MultiTaskModel",
    "Relatedness",
    "Task",
    "balancing",
    "data",
    "datasets",
    "losses",
    "metrics",
    "models",
    "relatedness",
]


def __getattr__(name: str) -> Any:
    # tf.data and TFDS take seconds to import, and a model on another backend needs neither.
    if name in ("data", "datasets"):
        return importlib.import_module(f"mtl_dm.{name}")
    raise AttributeError(f"module 'mtl_dm' has no attribute {name!r}")
