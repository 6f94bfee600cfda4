"""What a command left, so that two runs can be compared: times, journals and logs left out."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

_TIMES = ("seconds", "made", "versions", "commit")
_UNTOLD = (".html", ".md", ".png", ".txt", ".log")
"""Of these it only counts that they are there: pages with times."""
_OWN = {"journal", "logs"}
"""Folders of files that each process has of its own."""


def left(folder: Path) -> dict[str, Any]:
    """Return content by path, in a form that is equal where the results are."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and "tfevents" not in name and not _OWN & set(path.parts):
            found[name] = _content(path)
    return found


def _content(path: Path) -> Any:
    data = path.read_bytes()
    if path.suffix in _UNTOLD:
        return path.suffix
    if path.suffix == ".json":
        return _without_times(json.loads(data))
    if path.suffix in (".keras", ".npz"):
        return _archive(data)
    if "tfrecord" in path.name:
        return _records(path)
    return data


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(each) for key, each in value.items() if key not in _TIMES}
    if isinstance(value, list):
        return [_without_times(each) for each in value]
    return value


def _archive(data: bytes) -> dict[str, Any]:
    """Return the arrays of a checkpoint or a state, as bytes."""
    found: dict[str, Any] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            part = archive.read(name)
            if name.endswith(".h5"):
                found |= _arrays(part)
            elif name.endswith(".npy") and name != "meta.npy":
                found[name] = np.load(io.BytesIO(part)).tobytes()
    return found


def _arrays(data: bytes) -> dict[str, bytes]:
    import h5py

    found = {}
    with h5py.File(io.BytesIO(data), "r") as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item[()].tobytes()}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


def _records(path: Path) -> list[str]:
    """Return records in their order; each with its features in that of their names."""
    import tensorflow as tf

    parse = tf.train.Example.FromString
    examples = (parse(record.numpy()) for record in tf.data.TFRecordDataset(str(path)))
    return [str(sorted(example.features.feature.items())) for example in examples]
