"""Weights of a tfjs model: the manifest of its JSON file and the binary shards beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtl_dm.files import MALFORMED, read_json, require_regular_file

_TYPES = {
    "float32": np.float32,
    "float16": np.float16,
    "int32": np.int32,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "bool": np.bool_,
}


def weights_of(manifest: Sequence[Mapping[str, Any]], folder: Path) -> dict[str, np.ndarray]:
    """Return the weights of a model by name.

    Args:
        manifest: `weightsManifest`: groups, each with the `paths` of its shards, which are one
            stream of bytes, and its `weights` in their order there.
        folder: Of the shards.

    Raises:
        FileNotFoundError: If a shard is missing.
        ValueError: If the manifest is none, or does not fit the bytes.
    """
    found: dict[str, np.ndarray] = {}
    try:
        for group in manifest:
            data = b"".join(_shard(folder, name) for name in group["paths"])
            for name, array in _arrays(group["weights"], data):
                found[name] = array
    except MALFORMED as error:
        raise ValueError(f"The weights in {folder} do not fit their manifest: {error}.") from error
    return found


def shards_of(path: Path) -> list[Path]:
    """Return the files of weights that the JSON file of a model names, in their order."""
    groups = read_json(path)["weightsManifest"]
    return [path.parent / name for group in groups for name in group["paths"]]


def _shard(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.parent.resolve() != folder.resolve():
        raise ValueError(f"a shard must lie beside the manifest, got {name!r}")
    if not path.exists():
        raise FileNotFoundError(f"The weights {path} are missing.")
    require_regular_file(path)
    return path.read_bytes()


def _arrays(weights: Sequence[Mapping[str, Any]], data: bytes) -> Iterator[tuple[str, np.ndarray]]:
    start = 0
    for weight in weights:
        quantised = weight.get("quantization")
        kind = np.dtype(_TYPES[(quantised or weight)["dtype"]]).newbyteorder("<")
        shape = tuple(int(side) for side in weight["shape"])
        count = math.prod(shape)
        if start + count * kind.itemsize > len(data):
            raise ValueError(f"{weight['name']} ends behind the {len(data):,} bytes of its shards")
        array = np.frombuffer(data, kind, count, start).reshape(shape)
        start += count * kind.itemsize
        yield weight["name"], _restored(array, weight["dtype"], quantised)
    if start != len(data):
        raise ValueError(f"its weights take {start:,} bytes, the shards hold {len(data):,}")


def _restored(array: np.ndarray, dtype: str, quantised: Mapping[str, Any] | None) -> np.ndarray:
    """Return an array in its own type: q * scale + min of an affine quantisation to integers."""
    if quantised is not None and quantised["dtype"] != "float16":
        affine = array.astype(np.float64) * quantised["scale"] + quantised["min"]
        array = np.rint(affine) if dtype == "int32" else affine
    return array.astype(_TYPES[dtype])
