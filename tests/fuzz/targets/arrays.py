"""NumPy files: labels of releases, and arrays that are read whole or mapped."""

from pathlib import Path

import numpy as np

from mtl_dm.files import read_array
from tests.fuzz.target import Read, Target, exchanged
from tests.fuzz.targets import _releases


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    labels, read_labels = _releases.prepare(folder, ".npy", lambda name: name == "affectnet")
    paths = [folder / "numbers.npy", folder / "texts.npy"]
    np.save(paths[0], np.arange(6.0).reshape(2, 3))
    np.save(paths[1], np.array(["a", "bc"]))

    def read_one(path: Path) -> None:
        read_array(path)
        read_array(path, mapped=True).sum if path.stem == "numbers" else None

    arrays, read_arrays = exchanged(paths, read_one)

    def read(data: bytes) -> object:
        return (read_arrays if data[:1] >= b"\xf0" else read_labels)(data)

    return [*labels, *(b"\xf0" + each[1:] for each in arrays)], read


TARGET = Target(prepare)
