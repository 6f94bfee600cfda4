"""What files of weights hold, whichever way Keras wrote them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from mtl_dm.files import expand_home, parse_json, require_modest
from mtl_dm.models.heaps import require_file_of_heaps_that_end, require_heaps_that_end
from mtl_dm.models.loading import require_modest_arrays

_INNER, _CONFIG = "model.weights.h5", "config.json"
"""Where a .keras file, which is an archive, holds its weights and what its network is."""


class Stored(NamedTuple):
    """The arrays of a file.

    Attributes:
        by_name: By name, as `by_unique_name`; in files of Keras 2 by name and place alone.
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
            require_modest_arrays(file, path.stat().st_size)
            if "layer_names" in file.attrs or "model_weights" in file:
                return Stored(dict(_of_keras_2(file.get("model_weights", file))), {})
            # The backbone is the first part that a MultiTaskModel saves.
            root = file.get("backbone", file)
            return Stored(_by_name(root), places_of(root))
    except Exception as error:  # zipfile and h5py raise a dozen types for what is damaged.
        raise ValueError(
            f"{str(path)!r} is no file of weights (.keras, .weights.h5 or .h5): {error}."
        ) from error


def input_mode_in(path: str) -> Any:
    """Return the mode of the `ImageNetInput` in the network of a .keras file; else None."""
    path = expand_home(path)
    if not zipfile.is_zipfile(path):
        return None
    try:
        require_modest(path)
        with zipfile.ZipFile(path) as archive:
            return next(_modes(parse_json(archive.read(_CONFIG))), None)
    except Exception:  # Whoever loads its weights says what is wrong.
        return None


def _modes(config: Any) -> Iterator[str]:
    if isinstance(config, Mapping):
        if config.get("class_name") == "ImageNetInput":
            yield config["config"]["mode"]
        config = list(config.values())
    if isinstance(config, list):
        for each in config:
            yield from _modes(each)


def opened(path: Path) -> h5py.File:
    """Return the HDF5 file that a path is or, as an archive, holds."""
    if zipfile.is_zipfile(path):
        require_modest(path)
        with zipfile.ZipFile(path) as archive:
            data = archive.read(_INNER)
        require_heaps_that_end(data)
        return h5py.File(io.BytesIO(data), "r")
    require_file_of_heaps_that_end(path)
    return h5py.File(path, "r")


def places_of(root: Any) -> dict[str, Any]:
    """Return the arrays of Keras 3's layout by path; states of random draws are no weights."""
    return {f"{path}/{key}": array for path, _, key, array in _arrays(root)}


def by_unique_name(weights: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return weights by name of the layer and place in it, "conv1/0".

    Where names repeat, those of all layers around are in front, "branch/conv1/0"; where these
    repeat too, nothing is returned.

    Args:
        weights: Each with the names of all layers around it.
    """
    weights = list(weights)
    long = dict(weights)
    short = {"/".join(name.split("/")[-2:]): each for name, each in weights}
    return next((found for found in (short, long) if len(found) == len(weights)), {})


def _by_name(root: Any) -> dict[str, Any]:
    return by_unique_name((f"{name}/{key}", array) for _, name, key, array in _arrays(root))


def _arrays(group: Any, path: str = "", name: str = "") -> Iterator[tuple[str, str, str, Any]]:
    """Yield path, names of the layers around it, key and array of all weights.

    Args:
        group: Of a layer or of several.
        path: Of the group.
        name: Names of the layers around what is in the group; the outermost one's is no part.
    """
    for key, inner in group.items():
        if key.startswith("seed_generator") or not isinstance(inner, h5py.Group):
            continue
        if key == "vars":
            own = name or _name_of(inner, path)
            yield from ((f"{path}vars", own, each, np.asarray(inner[each])) for each in inner)
        else:
            below = f"{path}{key}/"
            own = _name_of(inner["vars"], below) if "vars" in inner else ""
            yield from _arrays(inner, below, "/".join(filter(None, (name, own))))


def _name_of(variables: Any, path: str) -> str:
    return str(variables.attrs.get("name", path))


def _of_keras_2(group: Any) -> Iterator[tuple[str, Any]]:
    for layer in group.attrs["layer_names"]:
        inner = group[layer]
        for place, weight in enumerate(inner.attrs["weight_names"]):
            yield f"{_text(layer)}/{place}", np.asarray(inner[weight])


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
