"""The whole command: a checkpoint in, a checked folder out, or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from mtl_dm.exporting.formats import FORMATS, Runner, require_onnx
from mtl_dm.exporting.probabilities import with_probabilities
from mtl_dm.exporting.sidecar import LABELS_FILE, sidecar
from mtl_dm.files import strict_json, write_atomically
from mtl_dm.measuring.calibration import read_temperatures
from mtl_dm.measuring.scoring import load_model
from mtl_dm.predicting.predictor import input_size

TOLERANCE = 1e-5
"""How far a written model's outputs may be from the Keras model's."""


def export(checkpoint: str | Path, output: Path, formats: Sequence[str]) -> dict[str, float]:
    """Write a checkpoint in other formats, each checked on random inputs.

    Args:
        checkpoint: A `.keras` file of this package.
        output: Folder to make; it may exist if it is empty.
        formats: Names in `FORMATS`.

    Returns:
        By format, the largest difference from the Keras model's outputs.

    Raises:
        FileNotFoundError: If the checkpoint does not exist.
        ValueError: If a format is unknown, the folder is not empty, the backend is not
            TensorFlow, or a written model says something else than the Keras model.
        ImportError: If a format needs a package that is not installed.
        OSError: If the output cannot be written.
    """
    exporters = {name: FORMATS.get(name) for name in formats}
    if not exporters:
        raise ValueError(f"Name at least one format of {', '.join(FORMATS)}.")
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"Exporting needs KERAS_BACKEND=tensorflow, not {keras.backend.backend()}."
        )
    if "onnx" in exporters:
        require_onnx()  # before minutes of work
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ValueError(f"{output} exists and is not an empty folder; choose another one.")
    model = load_model(checkpoint)
    temperatures, size = read_temperatures(checkpoint), input_size(model)
    wrapped = with_probabilities(model, size, temperatures)
    output.parent.mkdir(parents=True, exist_ok=True)
    # Beside the output, to be renamed when all is done and right.
    folder = Path(tempfile.mkdtemp(dir=output.parent, prefix=f".{output.name}."))
    try:
        differences = {
            name: check(name, wrapped, exporter(wrapped, folder), size)
            for name, exporter in exporters.items()
        }
        about = sidecar(checkpoint, model.tasks, size, temperatures, differences)
        write_atomically(folder / LABELS_FILE, strict_json(about))
        folder.chmod(0o755)  # mkdtemp gives 0700
        folder.replace(output)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return differences


def check(name: str, model: keras.Model, written: Runner, size: int) -> float:
    """Return the largest difference between what a written model and the Keras model say.

    Args:
        name: Of the format.
        model: The Keras model.
        written: Runs the written model.
        size: Side of the input.

    Raises:
        ValueError: If it is above `TOLERANCE`, an output is missing or is no number.
    """
    random = np.random.default_rng(0)
    largest = 0.0
    for count in (1, 5):  # The number of images is free.
        images = random.uniform(-1, 1, (count, size, size, 3)).astype(np.float32)
        expected, found = model(images, training=False), written(images)
        if set(found) != set(expected):
            raise ValueError(f"{name}: has the outputs {sorted(found)}, not {sorted(expected)}.")
        for task, values in expected.items():
            difference = np.abs(keras.ops.convert_to_numpy(values) - found[task]).max()
            if not difference <= TOLERANCE:  # NaN too
                raise ValueError(
                    f"{name}: {task} differs from the Keras model by {difference:.2g}, more than "
                    f"{TOLERANCE:.0e}. Nothing was written."
                )
            largest = max(largest, float(difference))
    return largest
