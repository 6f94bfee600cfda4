"""Heaps of HDF5 files, which hold their texts: of a damaged one the library never returns.

Format: The HDF Group, "HDF5 File Format Specification Version 3.0", III.E. A heap is "GCOL", a
version, its size and objects; an object is a number, a count, its size and its bytes, filled up to
eight. Number 0 is what is free, and its size counts its own header.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_MARK = b"GCOL\1\0\0\0"
_HEAP, _OBJECT = struct.Struct("<8sQ"), struct.Struct("<HHIQ")


def require_heaps_that_end(content: bytes | mmap.mmap) -> None:
    """Check that every heap of an HDF5 file has an end.

    What is free and takes no room is gone past by zero bytes, for ever (HDF5 1.14).

    Raises:
        ValueError: If one has none; the message is the reason alone.
    """
    start, seen = content.find(_MARK), set[int]()
    while start >= 0:
        _require_end(content, start, seen)
        start = content.find(_MARK, start + 1)


def require_file_of_heaps_that_end(path: Path) -> None:
    """Check a file, which is not read into memory for it; as `require_heaps_that_end`.

    Raises:
        OSError: If it cannot be read.
        ValueError: Likewise.
    """
    with path.open("rb") as file:
        if path.stat().st_size:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                require_heaps_that_end(content)


def _require_end(content: bytes | mmap.mmap, start: int, seen: set[int]) -> None:
    """Go from object to object, each place once: bytes of an object may look like a heap, too."""
    if start + _HEAP.size > len(content):
        return
    _, size = _HEAP.unpack_from(content, start)
    place, end = start + _HEAP.size, min(start + size, len(content))
    while place + _OBJECT.size <= end and place not in seen:
        seen.add(place)
        number, _, _, room = _OBJECT.unpack_from(content, place)
        if number == 0 and room == 0:
            raise ValueError("it is damaged: a heap of texts has no end")
        place += room if number == 0 else _OBJECT.size + -(-room // 8) * 8
