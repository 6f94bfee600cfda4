"""File formats of encoders, each a function (path, layer) -> `Network`, found by the path."""

from __future__ import annotations

from pathlib import Path

from mtl_dm.encoders.formats.keras_file import keras_file
from mtl_dm.encoders.formats.onnx_file import onnx_file
from mtl_dm.encoders.formats.saved_model import saved_model
from mtl_dm.encoders.formats.tfjs_graph import tfjs_graph
from mtl_dm.encoders.formats.tfjs_weights import shards_of
from mtl_dm.encoders.network import Network

_BY_SUFFIX = {".keras": keras_file, ".h5": keras_file, ".onnx": onnx_file, ".json": tfjs_graph}


def read_network(path: Path, layer: str | None) -> Network:
    """Return the network in a file or folder.

    Args:
        path: A Keras file (.keras, .h5), an ONNX file, a tfjs graph model's .json file beside its
            .bin files, or the folder of a SavedModel.
        layer: Whose output is the embedding; None: the network's only output.

    Raises:
        FileNotFoundError: If nothing is there.
        ValueError: If it is none of them, cannot be read, or has no such layer.
        ImportError: If ONNX needs what is not installed.
    """
    if not path.exists():
        raise FileNotFoundError(f"No encoder at {path}.")
    if (path / "saved_model.pb").is_file():
        return saved_model(path, layer)
    reader = None if path.is_dir() else _BY_SUFFIX.get(path.suffix.lower())
    if reader is None:
        raise ValueError(
            f"An encoder must be a file {', '.join(_BY_SUFFIX)} or the folder of a SavedModel, got "
            f"{path}."
        )
    return reader(path, layer)


def files_of(path: Path) -> list[Path]:
    """Return the files that an encoder which was read consists of: its fingerprint is theirs."""
    if path.is_dir():
        return sorted(each for each in path.rglob("*") if each.is_file())
    if path.suffix.lower() == ".json":
        return [path, *shards_of(path)]
    return [path]
