"""Variables of MATLAB 5 files: numbers, text and cells of them; SciPy can be made to crash by one.

Format: MathWorks, "MAT-File Format", chapter 1. A file is a header of 128 bytes and elements, each
a type, a number of bytes and the bytes, filled up to eight.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mtl_dm.files import MALFORMED, expands_to

_HEADER, _VERSION = 128, 0x0100
_MATRIX, _COMPRESSED = 14, 15
_STORED = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
"""Types of numbers in the file, whatever class their array has."""
_TEXT = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_CELL, _CHAR = 1, 4
_NUMBERS = {
    6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip
"""Classes of arrays of numbers."""
_COMPLEX = 0x0800
_KINDS = {2: "a structure", 3: "an object", 5: "sparse"}
"""Classes that are not read, by what they are called."""
_DEEPEST = 16

Array = npt.NDArray[Any]


class _Element(NamedTuple):
    kind: int
    data: memoryview


class _Variable(NamedTuple):
    name: str
    array: Array | None
    """None: of a kind which no release of ours has labels in."""
    kind: str = ""
    """What it is called."""


def read_matlab(path: Path, names: Sequence[str]) -> dict[str, Array]:
    """Return variables as NumPy has them: numbers, text as an array of rows, cells as objects.

    Args:
        path: The file.
        names: Of the variables.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no MATLAB 5 file that is whole, or lacks a variable; the message names
            those it has.
    """
    data = path.read_bytes()
    try:
        variables = {each.name: each for each in _variables(data)}
    except (zlib.error, *MALFORMED) as error:
        raise ValueError(f"{path}: not a readable MATLAB 5 file ({error}).") from error
    found = {name: each.array for name, each in variables.items()}
    for name in names:
        if name in found and found[name] is None:
            kind = variables[name].kind
            raise ValueError(f"{path}: the variable {name!r} is {kind}, which is not read.")
        if name not in found:
            known = sorted(each for each, array in found.items() if array is not None)
            raise ValueError(f"{path}: expected the variable {name!r}, found {known}.")
    return {name: array for name, array in found.items() if name in names and array is not None}


def _variables(data: bytes) -> Iterator[_Variable]:
    order = {b"IM": "<", b"MI": ">"}.get(data[_HEADER - 2 : _HEADER])
    version = data[_HEADER - 4 : _HEADER - 2]
    if order is None or np.frombuffer(version, f"{order}u2") != _VERSION:
        if data.startswith(b"MATLAB 7.3") or data[512:520] == b"\x89HDF\r\n\x1a\n":
            raise ValueError("it is one of MATLAB 7.3, an HDF5 file: save it with -v7")
        raise ValueError("its header is another one; one of MATLAB 4 is to be saved with -v7")
    for element in _elements(memoryview(data)[_HEADER:], order):
        inner = element
        if element.kind == _COMPRESSED:
            [inner] = _elements(memoryview(_unpacked(element.data)), order)
        if inner.kind == _MATRIX:
            yield _matrix(inner.data, order)


def _unpacked(data: memoryview) -> bytes:
    limit = expands_to(len(data))
    unpacker = zlib.decompressobj()
    unpacked = unpacker.decompress(data, limit)
    if not unpacker.eof:
        raise ValueError("a compressed variable is cut off, or would unpack to many times its size")
    return unpacked


def _elements(data: memoryview, order: str) -> Iterator[_Element]:
    place = 0
    while place < len(data):
        kind, size = _integers(data[place : place + 8], order)
        if kind >> 16:  # A small one: its size in the upper half, its bytes in place of the size.
            kind, size, start, room = kind & 0xFFFF, kind >> 16, place + 4, 4
        else:
            # Compressed ones follow each other without a gap.
            room = size if kind == _COMPRESSED else -(-size // 8) * 8
            start = place + 8
        if size > room or start + size > len(data):
            raise ValueError("it is cut off")
        yield _Element(kind, data[start : start + size])
        place = start + room


def _integers(data: memoryview, order: str) -> list[int]:
    if len(data) != 8:
        raise ValueError("it is cut off")
    found: list[int] = np.frombuffer(data, f"{order}u4").tolist()
    return found


def _matrix(data: memoryview, order: str, depth: int = 0) -> _Variable:
    if not data:  # An empty one has nothing but its type.
        return _Variable("", np.empty((0, 0)))
    if depth > _DEEPEST:
        raise ValueError("its cells are nested too deep")
    flags, sides, name, *parts = _elements(data, order)
    kind = _integers(flags.data, order)[0]
    shape = tuple(_numbers(sides, order).tolist())
    if len(shape) < 2 or min(shape) < 0:
        raise ValueError(f"an array has the shape {shape}")
    label = bytes(name.data).decode("latin-1")
    if kind & _COMPLEX:
        return _Variable(label, None, "complex")
    called = _KINDS.get(kind & 0xFF, f"of class {kind & 0xFF}")
    return _Variable(label, _content(kind & 0xFF, shape, parts, order, depth), called)


def _content(
    kind: int, shape: tuple[int, ...], parts: Sequence[_Element], order: str, depth: int
) -> Array | None:
    if kind == _CELL:
        if len(parts) != math.prod(shape):
            raise ValueError(f"{len(parts)} cells stand where the shape is {shape}")
        cells = np.empty(len(parts), object)
        for place, part in enumerate(parts):
            cells[place] = _matrix(part.data, order, depth + 1).array
        return cells.reshape(shape, order="F")
    if kind == _CHAR:
        return _rows(_text(parts[0], order), shape)
    if kind in _NUMBERS:
        values = _numbers(parts[0], order)
        return values.astype(_NUMBERS[kind]).reshape(shape, order="F")
    return None


def _numbers(element: _Element, order: str) -> Array:
    return np.frombuffer(element.data, f"{order}{_STORED[element.kind]}")


def _text(element: _Element, order: str) -> str:
    coding = _TEXT[element.kind]
    if coding.startswith("utf-") and coding != "utf-8":
        coding += "-le" if order == "<" else "-be"
    return bytes(element.data).decode(coding)


def _rows(text: str, shape: tuple[int, ...]) -> Array:
    """Return the rows of a matrix of characters, stored column by column."""
    letters = np.array(list(text), "U1").reshape(shape, order="F")
    rows = letters.reshape(shape[0], -1) if letters.size else letters[:0]
    return np.array(["".join(row) for row in rows], str)
