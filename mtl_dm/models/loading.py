"""Models from files, which may ask for no more memory than what they hold is worth."""

from __future__ import annotations

import contextlib
import functools
import io
import math
import re
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
from absl import logging

from mtl_dm import plugins
from mtl_dm.files import expands_to, require_modest
from mtl_dm.models.heaps import require_file_of_heaps_that_end, require_heaps_that_end
from mtl_dm.registry import OF_YOURS
from mtl_dm.runs.origin import plugins_of

_WEIGHTS = "model.weights.h5"
FACTOR, BESIDE = 4, 2**26
"""A network may take so many times the bytes of its weights in the file (which may be of half
precision), and so many bytes beside them."""


def load_keras(path: str | Path, **options: Any) -> Any:
    """Return the model in a file, whatever it is.

    A description of a few bytes can name layers of any size: building stops at the first weight
    that goes beyond what the file holds. What it names is found among what is imported: no code is
    loaded for it.

    Args:
        path: A `.keras` file that is there.
        **options: Of `keras.saving.load_model`.

    Raises:
        ValueError: If it cannot be read, or asks for more memory than its size explains.
    """
    try:
        with _bounded(_limit(Path(path))):
            model = keras.saving.load_model(path, **options)
    except Exception as error:
        # Keras raises whatever the damaged part provokes: zip, JSON, HDF5 or its own errors.
        reason = _unknown_name(path, error) or error
        raise ValueError(f"The checkpoint {path} cannot be read: {reason}") from error
    named = plugins.digests()
    for name, digest in plugins_of(path).items():
        if named.get(name, digest) != digest:
            logging.warning("The plugin %s has changed since %s was trained.", name, path)
    return model


def _unknown_name(path: str | Path, error: Exception) -> str | None:
    """Return in a line what a checkpoint names and nothing registers; None: it is another error."""
    # Keras tells the reason last, behind the description of every part around it.
    innermost = str(error).rpartition("Exception encountered: ")[2]
    found = re.match(r"(Could not locate \w+ '[^']*'|Unknown .*)", innermost)
    if found is None:
        return None
    said = found[1].removesuffix(OF_YOURS).rstrip().removesuffix(".")
    missing = [name for name in plugins_of(path) if name not in plugins.digests()]
    how = OF_YOURS
    if missing:
        files = " ".join(f"--plugin={name}" for name in missing)
        how = f"It was trained with a file that registers more: give {files}."
    return f"{said}. {how}"


def _limit(path: Path) -> float:
    """Return how many bytes the weights of the model in a file may take."""
    if not zipfile.is_zipfile(path):
        require_file_of_heaps_that_end(path)
        return FACTOR * path.stat().st_size + BESIDE
    require_modest(path)
    with zipfile.ZipFile(path) as archive:
        if _WEIGHTS not in archive.namelist():
            return BESIDE
        data = archive.read(_WEIGHTS)
    require_heaps_that_end(data)
    with h5py.File(io.BytesIO(data), "r") as file:
        return FACTOR * require_modest_arrays(file, len(data)) + BESIDE


def require_modest_arrays(file: h5py.File, size: int) -> int:
    """Return the bytes of all arrays of an HDF5 file, before any is read.

    Args:
        file: The file.
        size: Its own bytes.

    Raises:
        ValueError: If they are compressed beyond what weights can be.
    """
    sizes: list[int] = []

    def note(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append(item.nbytes)

    file.visititems(note)
    if sum(sizes) > expands_to(size):
        raise ValueError(f"its arrays would take {sum(sizes):,} bytes, the file has {size:,}")
    return sum(sizes)


_one_at_a_time = threading.RLock()
"""Loads of several threads take turns: each puts back what it found."""


@contextlib.contextmanager
def _bounded(limit: float) -> Iterator[None]:
    """Stop this thread, and no other, from making weights of more bytes."""
    with _one_at_a_time:
        yield from _counting(limit)


def _counting(limit: float) -> Iterator[None]:
    made, loading = keras.Layer.add_weight, threading.get_ident()
    taken = 0

    @functools.wraps(made)
    def counted(layer: keras.Layer, shape: Any = None, *arguments: Any, **options: Any) -> Any:
        nonlocal taken
        if threading.get_ident() != loading:
            return made(layer, shape, *arguments, **options)
        taken += 4 * math.prod(shape or ())
        if taken > limit:
            raise ValueError(
                f"the network that it describes takes more than {taken / 2**20:,.0f} MiB, but its "
                "weights in the file are too few for that"
            )
        return made(layer, shape, *arguments, **options)

    keras.Layer.add_weight = counted
    try:
        yield
    finally:
        keras.Layer.add_weight = made
