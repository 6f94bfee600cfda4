"""Paths as users write them; files that are whole or not there, and what they seem."""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np

MALFORMED = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What values of another type or size provoke in whoever takes a file for one of ours."""


MAX_PIXELS = (2**29 - 1) // 3
"""Of an image or a frame that is decoded: a file of a megabyte can hold a thousand times as many.
It is what TensorFlow, which reads built data sets, decodes; Pillow's limit, too."""

TEMPORARY = ".writing-"
"""How the names of files begin that are not whole yet; then host and process that write them."""


def expand_home(path: str) -> str:
    """Return a path whose leading "~" or "~user" is the home folder, as a shell writes it.

    A shell leaves `--data_dir=~/d` as it is. Where there is no such user, so does this.
    """
    # Not Path.expanduser, which is an error for a file that is merely called "~notes.txt".
    return os.path.expanduser(path)  # noqa: PTH111


def write_atomically(path: str | Path, content: str | bytes) -> None:
    """Write `content` to `path`; a reader or a crash never sees half of it.

    Args:
        path: Target; missing folders are made.
        content: Text (written as UTF-8) or bytes.

    Raises:
        OSError: If it cannot be written; what stood at `path` is intact.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    with _replacing(Path(path)) as handle, os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def open_atomically(path: str | Path) -> Iterator[TextIO]:
    """Open a text file (UTF-8) to write line by line, that stands at `path` once it is whole.

    Args:
        path: Target; missing folders are made.

    Yields:
        The file; where the block ends with an error, nothing of it is left.

    Raises:
        OSError: If it cannot be written; what stood at `path` is intact.
    """
    with (
        _replacing(Path(path)) as handle,
        os.fdopen(handle, "w", encoding="utf-8", newline="") as file,
    ):
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def written_beside(path: str | Path) -> Iterator[Path]:
    """Yield the path of a temporary file, which takes the place of `path` once it is whole.

    For what others write by the name of a file, such as a model of Keras.

    Args:
        path: Target; missing folders are made.

    Yields:
        Where to write, with the suffix of `path`; where the block ends with an error, nothing of it
        is left.

    Raises:
        OSError: If it cannot be written; what stood at `path` is intact.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{temporary_prefix()}{path.name}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def temporary_prefix() -> str:
    """Return how the name of a temporary file of this process begins."""
    # No host has a "+" in its name: "gpu-12" of the host "gpu" is none of "gpu-12".
    return f"{TEMPORARY}{socket.gethostname()}+{os.getpid()}-"


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[int]:
    """Yield the handle of a temporary file that takes the place of `path` at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, since a rename is atomic only inside one file system.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=temporary_prefix())
    try:
        yield handle
        Path(temporary).chmod(0o666 & ~_umask())  # mkstemp gives 0600
        os.replace(temporary, path)  # noqa: PTH105 - os.replace takes the string mkstemp gave
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def expands_to(size: int) -> int:
    """Return the most bytes that a compressed file of ours may unpack to."""
    return 20 * size + 2**24


def require_modest(path: str | Path) -> None:
    """Check that a ZIP archive does not unpack to many times its size.

    Raises:
        ValueError: If it does; the message is the reason alone.
        OSError: If it cannot be read.
    """
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    size = Path(path).stat().st_size
    if unpacked > expands_to(size):
        raise ValueError(f"it would unpack to {unpacked:,} bytes, the file has {size:,}")


def require_regular_file(path: Path) -> None:
    """Raise where reading a path would wait for ever: a pipe, a socket, a device, a folder.

    Raises:
        OSError: If there is nothing, or it cannot be looked up.
        ValueError: If it is no regular file; the message is the reason alone.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("not a regular file")


def printable(name: str | os.PathLike[str]) -> str:
    r"""Return a file name as text that any file or terminal takes: bytes that are no UTF-8 as \xNN.

    A name from a listing may hold such bytes; printing it as it is would be an error.
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def read_json(path: str | Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no JSON of UTF-8, has a number that no float holds, or is nested deeper
            than anybody writes. NaN, which older versions wrote, is read.
    """
    return parse_json(Path(path).read_bytes())


def parse_json(text: str | bytes) -> Any:
    """Return what JSON text holds; as `read_json`.

    Raises:
        ValueError: Likewise.
    """
    try:
        return json.loads(text, parse_float=_finite_number)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deep") from error


def _finite_number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is beyond what a number can be")
    return value


def read_array(path: str | Path, *, mapped: bool = False) -> np.ndarray:
    """Return the array of a .npy file.

    Args:
        path: The file.
        mapped: Leave it on the disk until it is used.

    Raises:
        OSError: If it cannot be opened.
        ValueError: If it holds no array of numbers or text.
    """
    try:
        values = np.load(path, mmap_mode="r" if mapped else None)
    except OSError:
        raise
    except Exception as error:  # NumPy raises a dozen types for a file that is none.
        raise ValueError(f"{path} is no file of an array: {error}") from error
    if not isinstance(values, np.ndarray):
        raise ValueError(f"{path} is no file of an array, it is an archive.")
    return values


def strict_json(values: Any) -> str:
    """Return JSON text; what is not finite becomes null, for which strict JSON has no number."""
    return json.dumps(_finite(values), indent=1, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _umask() -> int:
    # There is no way to read it without setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
