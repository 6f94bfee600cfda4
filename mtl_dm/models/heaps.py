"""Heaps of HDF5 files, which hold their texts: of a damaged one the library never returns.

Format: The HDF Group, "HDF5 File Format Specification Version 3.0", III.E. A heap is "GCOL", a
version, its size and objects; an object is a number, a count, its size and its bytes, filled up to
eight. Number 0 is what is free, and its size counts its own header.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_SIGNATURE, _MARK = b"\x89HDF\r\n\x1a\n", b"GCOL\1"
_HEAP, _OBJECT = struct.Struct("<8xQ"), struct.Struct("<H6xQ")
_SMALLEST = 4096
"""Bytes of a heap: HDF5 refuses smaller ones, and those that go past the file."""
_LENGTH = 8
"""Bytes of a size. HDF5 can be told to write shorter ones; nobody does for weights."""


def require_heaps_that_end(content: bytes | mmap.mmap) -> None:
    """Check that every heap of an HDF5 file has an end.

    HDF5 1.14 goes from object to object by what each says it takes, modulo 2^64, and for ever
    where that comes to nothing. Bytes that only look like a heap, which takes text of that kind
    among the weights, are judged, too.

    Raises:
        ValueError: If one has none; the message is the reason alone.
    """
    _require_lengths(content)
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


def _require_lengths(content: bytes | mmap.mmap) -> None:
    """Check that sizes are as `_HEAP` and `_OBJECT` have them; without a signature it is no HDF5.

    The superblock (II.A and B) is at byte 0, 512, 1024, 2048 and so on.
    """
    place = 0
    while place + 16 <= len(content):
        if content[place : place + 8] == _SIGNATURE:
            length = content[place + (14 if content[place + 8] < 2 else 10)]
            if length != _LENGTH:
                raise ValueError(f"its sizes are of {length} bytes; only {_LENGTH} are read")
            return
        place = max(512, 2 * place)


def _require_end(content: bytes | mmap.mmap, start: int, seen: set[int]) -> None:
    """Go from object to object, each place once: bytes of an object may look like a heap, too."""
    if start + _HEAP.size > len(content):
        return
    (size,) = _HEAP.unpack_from(content, start)
    place, end = start + _HEAP.size, start + size
    if size < _SMALLEST or end > len(content):
        return
    while place + _OBJECT.size <= end and place not in seen:
        seen.add(place)
        number, room = _OBJECT.unpack_from(content, place)
        step = room if number == 0 else _OBJECT.size + -(-room // 8) * 8
        if not _OBJECT.size <= step <= end - place:
            raise ValueError(
                f"it is damaged: something in a heap of texts takes {step} of {end - place} bytes"
            )
        place += step
