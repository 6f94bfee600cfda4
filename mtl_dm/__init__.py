"""Learning several classification tasks together from data annotated for only one of them.

Names are imported when they are first used: tasks and relatedness need neither Keras nor
TensorFlow, models need no tf.data. `keras.saving.load_model` knows the classes of this package once
`mtl_dm.models` is imported; `mtl_dm.load_model` sees to that itself.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from mtl_dm.version import VERSION

if TYPE_CHECKING:
    from mtl_dm import balancing, data, datasets, losses, metrics, models, relatedness
    from mtl_dm.measuring.scoring import load_model
    from mtl_dm.models import Coupling, MultiTaskModel
    from mtl_dm.relatedness import Relatedness
    from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task

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

_HOMES = {
    "ACTION_UNITS": "tasks",
    "EXPRESSIONS": "tasks",
    "Coupling": "models",
    "MultiTaskModel": "models",
    "Relatedness": "relatedness",
    "Task": "tasks",
    "load_model": "measuring.scoring",
}
"""Where the names are that are no modules."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'mtl_dm' has no attribute {name!r}")
    if name not in _HOMES:
        return importlib.import_module(f"mtl_dm.{name}")
    found = getattr(importlib.import_module(f"mtl_dm.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if "keras" in sys.modules:
    # Who has Keras may load a model with it next, and Keras must know the classes by then.
    importlib.import_module("mtl_dm.models")
