"""A checkpoint of half the size: kernels in float16, which load into float32 as they are."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mtl_dm.files import write_atomically

WEIGHTS = "model.weights.h5"
"""Where a .keras file, which is an archive, holds its weights."""


def halve(path: Path) -> None:
    """Write a `.keras` file anew with its kernels in float16.

    Kernels are all arrays of two dimensions and more. Vectors (biases, and the statistics of
    normalisation, whose errors would add up over every pixel) stay in float32; they are few. Keras
    reads the file as any other: it casts what it reads to the type of the weight.

    Args:
        path: The file; it is replaced.

    Raises:
        ValueError: If a weight is too large for float16.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(target, "w") as written:
        for info in archive.infolist():
            content = archive.read(info)
            if info.filename == WEIGHTS:
                content = _halved(content)
            # A fixed date, so that equal weights are equal files.
            entry = zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0))
            written.writestr(entry, content, zipfile.ZIP_DEFLATED)
    write_atomically(path, target.getvalue())


def _halved(content: bytes) -> bytes:
    target = io.BytesIO()
    with h5py.File(io.BytesIO(content), "r") as source, h5py.File(target, "w") as written:

        def copy(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                new = written.create_dataset(name, data=_half(name, item[()]))
            else:
                new = written.require_group(name)
            new.attrs.update(item.attrs)

        written.attrs.update(source.attrs)
        source.visititems(copy)
    return target.getvalue()


def _half(name: str, array: Any) -> Any:
    if np.ndim(array) < 2 or array.dtype != np.float32:
        return array
    if np.abs(array).max(initial=0) > np.finfo(np.float16).max:
        raise ValueError(f"The weight {name} is too large for float16: {np.abs(array).max()}.")
    return array.astype(np.float16)
