"""What is fuzzed: a reader, the files that it begins with, and what one input may cost."""

import dataclasses
import importlib
import zipfile
from collections.abc import Callable
from pathlib import Path

EXPLAINED = (ValueError, OSError)
"""What a command tells in one line: wrong input, and what is not there."""

Read = Callable[[bytes], object]


@dataclasses.dataclass(frozen=True)
class Target:
    """One kind of reader.

    Attributes:
        prepare: Writes whole files into an empty folder; returns inputs that are read without an
            error, and what reads an input.
        memory: Bytes that reading may take beside what stands before the first input.
        seconds: That one input may take, on a machine that others use, too.
        explained: Errors that a reader may end with.
    """

    prepare: Callable[[Path], tuple[list[bytes], Read]]
    memory: int = 2**30
    seconds: int = 60
    explained: tuple[type[Exception], ...] = EXPLAINED


TARGETS = {
    "arrays": "tensorflow",
    "checkpoints": "tensorflow",
    "clips": "tensorflow",
    "embeddings": "tensorflow",
    "encoders": "tensorflow",
    "images": "tensorflow",
    "journals": "numpy",
    "matlab": "tensorflow",
    "pairs": "numpy",
    "records": "numpy",
    "specs": "numpy",
    "states": "tensorflow",
    "tables": "tensorflow",
    "texts": "tensorflow",
    "weights": "tensorflow",
    "workbooks": "tensorflow",
}
"""The modules of `tests.fuzz.targets`, each with a `TARGET`, and the backend of Keras that each
needs: a further kind of reader is a file and an entry. Without TensorFlow a process starts soon."""


def load(name: str) -> Target:
    """Return a target; what it reads with is imported now."""
    return importlib.import_module(f"tests.fuzz.targets.{name}").TARGET


def exchanged(paths: list[Path], read: Callable[[Path], object]) -> tuple[list[bytes], Read]:
    """Return inputs that stand for files: the first byte says which one holds the rest.

    Args:
        paths: At most 256 files; after each input the file is whole again.
        read: Called with the file that was exchanged.
    """
    paths = paths[:256]
    whole = [path.read_bytes() for path in paths]

    def read_one(data: bytes) -> object:
        place = data[0] % len(paths) if data else 0
        try:
            paths[place].write_bytes(data[1:])
            return read(paths[place])
        finally:
            paths[place].write_bytes(whole[place])

    return [bytes([place]) + content for place, content in enumerate(whole)], read_one


def members(path: Path, read: Callable[[], object]) -> tuple[list[bytes], Read]:
    """Return inputs that stand for members of an archive, whose checksums are right.

    The first byte says which member holds the rest; 255: the rest is the whole file.
    """
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    names, whole = list(parts), path.read_bytes()

    def read_one(data: bytes) -> object:
        which, content = (data[0], data[1:]) if data else (255, b"")
        if which == 255:
            path.write_bytes(content)
        else:
            with zipfile.ZipFile(path, "w") as archive:
                for name in names:
                    damaged = name == names[which % len(names)]
                    archive.writestr(name, content if damaged else parts[name])
        return read()

    seeds = [bytes([place]) + parts[name] for place, name in enumerate(names)]
    return [*seeds, b"\xff" + whole], read_one
