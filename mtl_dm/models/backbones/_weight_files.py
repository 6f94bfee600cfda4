"""What files of weights hold, whichever way Keras wrote them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

_INNER = "model.weights.h5"
"""Where a .keras file, which is an archive, holds its weights."""


class Stored(NamedTuple):
    """The arrays of a file.

    Attributes:
        by_name: By name of the layer and place in it; empty where names repeat.
        by_place: By place in the structure of the model that wrote it; empty in files of Keras 2.
    """

    by_name: Mapping[str, Any]
    by_place: Mapping[str, Any]


def stored_in(path: Path) -> Stored:
    """Return the arrays of a file, of the backbone alone where a `MultiTaskModel` wrote it.

    Raises:
        ValueError: If it is no file of weights.
    """
    try:
        with opened(path) as file:
            if "layer_names" in file.attrs or "model_weights" in file:
                return Stored(dict(_of_keras_2(file.get("model_weights", file))), {})
            # The backbone is the first part that a MultiTaskModel saves.
            root = file.get("backbone", file)
            return Stored(_by_name(root), places_of(root))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{str(path)!r} is no file of weights (.keras, .weights.h5 or .h5): {error}."
        ) from error


def opened(path: Path) -> h5py.File:
    """Return the HDF5 file that a path is or, as an archive, holds."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return h5py.File(io.BytesIO(archive.read(_INNER)), "r")
    return h5py.File(path, "r")


def places_of(root: Any) -> dict[str, Any]:
    """Return the arrays of Keras 3's layout by path; states of random draws are no weights."""
    return {f"{path}/{key}": array for path, _, key, array in _arrays(root)}


def _by_name(root: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _, name, key, array in _arrays(root):
        if f"{name}/{key}" in found:
            return {}
        found[f"{name}/{key}"] = array
    return found


def _arrays(group: Any, path: str = "") -> Iterator[tuple[str, str, str, Any]]:
    """Yield path, layer's name, key and array of all weights."""
    for key, inner in group.items():
        if key.startswith("seed_generator") or not isinstance(inner, h5py.Group):
            continue
        if key == "vars":
            name = str(inner.attrs.get("name", path))
            yield from ((f"{path}vars", name, each, np.asarray(inner[each])) for each in inner)
        else:
            yield from _arrays(inner, f"{path}{key}/")


def _of_keras_2(group: Any) -> Iterator[tuple[str, Any]]:
    for layer in group.attrs["layer_names"]:
        inner = group[layer]
        for place, weight in enumerate(inner.attrs["weight_names"]):
            yield f"{_text(layer)}/{place}", np.asarray(inner[weight])


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
