"""Learning several classification tasks together from data annotated for only one of them."""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from mtl_dm.quiet import is_command, quiet_start
from mtl_dm.stopping import runs_a_command, stop_in_one_line

if runs_a_command(sys.orig_argv):  # Here, since what follows takes seconds.
    stop_in_one_line()
with quiet_start():
    importlib.import_module("keras")  # And with it its backend, which chatters.
    if is_command():  # They read data by TensorFlow, whatever the backend is.
        importlib.import_module("tensorflow")

from mtl_dm import balancing, losses, metrics, models, relatedness
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.relatedness import Relatedness
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
from mtl_dm.version import VERSION

if TYPE_CHECKING:
    from mtl_dm import data, datasets
    from mtl_dm.measuring.scoring import load_model

__version__ = VERSION

__all__ = [
    "ACTION_UNITS",
    "EXPRESSIONS",
    "Coupling",
    "MultiTaskModel",
    "Relatedness",
    "Task",
    "__version__",
    "balancing",
    "data",
    "datasets",
    "load_model",
    "losses",
    "metrics",
    "models",
    "relatedness",
]


def __getattr__(name: str) -> Any:
    # tf.data and TFDS take seconds to import, and a model on another backend needs neither.
    if name in ("data", "datasets"):
        return importlib.import_module(f"mtl_dm.{name}")
    if name == "load_model":
        return importlib.import_module("mtl_dm.measuring.scoring").load_model
    raise AttributeError(f"module 'mtl_dm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
