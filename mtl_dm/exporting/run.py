"""The whole command: a checkpoint in, a checked folder out, or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras

from mtl_dm.cards.card import TEXT_FILE
from mtl_dm.exporting.comparison import compare
from mtl_dm.exporting.formats import FORMATS, Exporter, require_onnx
from mtl_dm.exporting.probabilities import with_probabilities
from mtl_dm.exporting.sidecar import LABELS_FILE, sidecar
from mtl_dm.files import strict_json, temporary_prefix, write_atomically
from mtl_dm.measuring.scoring import load_model
from mtl_dm.measuring.temperatures import read_temperatures
from mtl_dm.models.inputs import Inputs, InputSpec, inputs_of
from mtl_dm.models.precision import in_float32
from mtl_dm.outputs import owned, require_writable
from mtl_dm.pretrained import checkpoint_at
from mtl_dm.progress import counted


def export(checkpoint: str | Path, output: Path, formats: Sequence[str]) -> dict[str, float]:
    """Write a checkpoint in other formats, each checked on random inputs.

    What is written computes in float32, also where the checkpoint was trained in mixed precision:
    its weights are float32, and half precision is rounded differently by every program.

    Args:
        checkpoint: A `.keras` file of this package, or the name of a pretrained checkpoint.
        output: Folder to make; it may exist if it is empty.
        formats: Names in `FORMATS`.

    Returns:
        By format, the largest difference from the Keras model's outputs, in float32 and in the
        unit of `mtl_dm.exporting.comparison`.

    Raises:
        FileNotFoundError: If the checkpoint does not exist.
        ValueError: If a format is unknown, the folder is not empty, the backend is not
            TensorFlow, the model takes arrays of free sizes, or a written model gives other
            outputs than the Keras model.
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
    if output.is_dir():
        require_writable(output)
    with owned(output.parent, f".{output.name}.lock", deep=False):
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise ValueError(f"{output} exists and is not an empty folder; choose another one.")
        return _export(checkpoint_at(checkpoint), output, exporters)


def _export(checkpoint: Path, output: Path, exporters: Mapping[str, Exporter]) -> dict[str, float]:
    model = load_model(checkpoint)
    temperatures, inputs = read_temperatures(checkpoint), inputs_of(model)
    _require_fixed_sizes(inputs)
    wrapped = with_probabilities(in_float32(model), inputs, temperatures)
    # Beside the output, to be renamed when all is done and right.
    folder = Path(tempfile.mkdtemp(dir=output.parent, prefix=temporary_prefix()))
    try:
        differences = {}
        # There is nothing to count inside one.
        formats = counted(exporters.items(), "formats written", len(exporters))
        for place, (name, exporter) in enumerate(formats, 1):
            print(f"Writing and checking {name} ({place} of {len(exporters)}) ...", flush=True)
            differences[name] = compare(name, wrapped, exporter(wrapped, folder), inputs)
        about = sidecar(checkpoint, model, inputs, temperatures, differences)
        write_atomically(folder / LABELS_FILE, strict_json(about))
        if (checkpoint.parent / TEXT_FILE).is_file():
            shutil.copyfile(checkpoint.parent / TEXT_FILE, folder / TEXT_FILE)
        folder.chmod(0o755)  # mkdtemp gives 0700
        folder.replace(output)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return differences


def _require_fixed_sizes(inputs: Inputs) -> None:
    specs = {"input": inputs} if isinstance(inputs, InputSpec) else inputs
    for name, spec in specs.items():
        if None in spec.shape:
            raise ValueError(f"Exporting needs fixed sizes; {name} has the shape {spec.shape}.")
