"""The formats, each a function that writes a model and returns how the file is run."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mtl_dm.registry import Registry

Outputs = dict[str, np.ndarray]
Runner = Callable[[Any], Outputs]
"""Takes what the model takes: one array, or a dictionary of arrays by name."""
Exporter = Callable[[keras.Model, Path], Runner]
"""Writes a model into a folder; what it returns runs the written files, not the model."""

FORMATS: Registry[Exporter] = Registry("export format")
_PATTERNS = frozenset("*?[\\")
"""Signs by which TensorFlow takes a path for a pattern."""
_ONNX_PACKAGES = ("tf2onnx", "onnx", "onnxruntime")


@FORMATS.register("savedmodel")
def saved_model(model: keras.Model, folder: Path) -> Runner:
    """Write `saved_model/`, with the signature `serve` (alias `serving_default`)."""
    import tensorflow as tf

    # TensorFlow takes a folder called "a*[b]" for a pattern, so it then writes into one elsewhere.
    # What is inside of ours goes with it, also where this process is killed.
    place = None if set(str(folder.absolute())) & _PATTERNS else folder
    with tempfile.TemporaryDirectory(dir=place) as plain, warnings.catch_warnings():
        # Keras traces inner networks too, for signatures that nobody calls, and warns that
        # dictionaries come to them as another type.
        warnings.simplefilter("ignore")
        written = Path(plain) / "saved_model"
        model.export(written, format="tf_saved_model", verbose=False)
        loaded = tf.saved_model.load(str(written))
        shutil.move(written, folder / "saved_model")
    return lambda inputs: _arrays(loaded.serve(inputs))


@FORMATS.register("onnx")
def onnx(model: keras.Model, folder: Path) -> Runner:
    """Write `model.onnx`, with an input of each input's and an output of each task's name.

    Raises:
        ImportError: If a package that it needs is missing; the message says how to install it.
    """
    require_onnx()
    import onnxruntime

    path = folder / "model.onnx"
    with warnings.catch_warnings():
        # Keras looks for names that NumPy once had, to put them back for tf2onnx.
        warnings.simplefilter("ignore")
        model.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    entries = [entry.name for entry in session.get_inputs()]
    names = [output.name for output in session.get_outputs()]

    def run(inputs: Any) -> Outputs:
        given = inputs if isinstance(inputs, Mapping) else {entries[0]: inputs}
        return dict(zip(names, session.run(names, dict(given)), strict=True))

    return run


def require_onnx() -> None:
    """Check that what ONNX export needs is installed.

    Raises:
        ImportError: If it is not.
    """
    missing = [name for name in _ONNX_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"Exporting to ONNX needs {', '.join(missing)}: pip install 'mtl-dm[onnx]', or leave "
            "it out with --formats=savedmodel."
        )


def _arrays(outputs: Mapping[str, object]) -> Outputs:
    return {name: keras.ops.convert_to_numpy(values) for name, values in outputs.items()}
