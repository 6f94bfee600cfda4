"""Files of a user's own that a command is told to import, for what they register.

A file is imported once in a process, under a name that its own name alone decides: what a
checkpoint, a pickle or another process calls `mtl_dm_plugin_my_net` is my_net.py in each of them,
wherever it lies. Nothing but `load` imports one: no checkpoint and no record of a run does.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from mtl_dm.files import expand_home

PREFIX = "mtl_dm_plugin_"
"""How the names of the modules begin, so that none hides another module."""


class Plugin(NamedTuple):
    """A file that was imported.

    Attributes:
        path: As it was named.
        file: Where it is.
        sha256: Of its contents, as they were run.
        module: What it became.
    """

    path: str
    file: Path
    sha256: str
    module: ModuleType


_loaded: dict[str, Plugin] = {}


def load(path: str | Path) -> ModuleType:
    """Import a file, unless this process has done so, and return the module.

    Args:
        path: Of a .py file.

    Raises:
        ValueError: If it is no .py file, is not there, or raises an error, of which the message has
            the kind, the text and the line of the file; or if another file of its name is imported.
    """
    file = Path(expand_home(str(path))).resolve()
    name = PREFIX + re.sub(r"\W", "_", file.stem)
    if name in _loaded:
        known = _loaded[name]
        if known.file != file:
            raise ValueError(f"The plugins {known.path} and {path} have one name: rename one.")
        return known.module
    if file.suffix != ".py":
        raise ValueError(f"The plugin {path} is no .py file.")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ValueError(f"The plugin {path} cannot be read: {error.strerror}.") from error
    module = _run(name, file, content, str(path))
    _loaded[name] = Plugin(str(path), file, hashlib.sha256(content).hexdigest(), module)
    return module


def load_all(paths: Iterable[str | Path]) -> None:
    """Import files, in this order.

    Raises:
        ValueError: As `load`.
    """
    for path in paths:
        load(path)


def loaded() -> tuple[Plugin, ...]:
    """Return what was imported, in that order."""
    return tuple(_loaded.values())


def digests() -> dict[str, str]:
    """Return the SHA-256 of what was imported by name of the file, without its folder."""
    return {plugin.file.name: plugin.sha256 for plugin in loaded()}


def _run(name: str, file: Path, content: bytes, path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None:
        raise ValueError(f"The plugin {path} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    # Before it runs: dataclasses and Keras look their module up.
    sys.modules[name] = module
    try:
        # From the bytes that are hashed; Python's own import might run what it has cached.
        exec(compile(content, str(file), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ValueError(_explained(error, file, path)) from error
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _explained(error: BaseException, file: Path, path: str) -> str:
    """Return in one line what a file raised, and where in it."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(file)]
    text = str(error)
    if isinstance(error, SyntaxError) and error.filename == str(file):
        lines, text = [error.lineno], error.msg
    place = f"{path}:{lines[-1]}" if lines else path
    return f"The plugin {place} raises {type(error).__name__}: {' '.join(text.split())}"
