"""What a run leaves behind so that it can be understood and repeated."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from mtl_dm import plugins
from mtl_dm.files import MALFORMED, read_json, strict_json, write_atomically
from mtl_dm.version import VERSION

CONFIG_FILE = "config.json"
RECORD_FILE = "run.json"
FORMAT = 1
"""Raised when a run folder of an earlier version can no longer be continued."""

_PACKAGES = ("keras", "tensorflow", "tensorflow-datasets", "numpy", "opencv-python", "jax")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter to a result."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """Return the commit of the checkout, "+" behind it if it was changed; else "release VERSION".

    An installed copy may lie in a folder of somebody else's checkout, whose commit says nothing.
    """

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=Path(__file__).parent,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return f"release {VERSION}"


def plugins_named() -> dict[str, dict[str, str]]:
    """Return what a record says of files of a user's own: nothing where there are none.

    "plugins" has the SHA-256 of each by its name.
    """
    found = plugins.digests()
    return {"plugins": found} if found else {}


def claim_folder(
    folder: str | Path,
    config: Mapping[str, Any],
    upgraded: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
) -> Path:
    """Make an output folder and mark it with its configuration.

    Args:
        folder: The folder.
        config: What decides the result.
        upgraded: Puts what an earlier version wrote into today's words, so that a run of the
            same meaning is the same.

    Raises:
        ValueError: If the folder holds a run of another configuration; the message names what
            differs.
    """
    folder = Path(folder)
    path = folder / CONFIG_FILE
    wanted = json.loads(json.dumps({"format": FORMAT, **config}))
    if path.is_file():
        try:
            there = dict(upgraded(dict(read_json(path))))
        except MALFORMED as error:
            raise ValueError(
                f"{path} is damaged ({error}), so that nobody knows what was trained in {folder}. "
                "Choose another folder or delete it."
            ) from error
        if there != wanted:
            changes = [
                f"{key}: {there.get(key)!r} there, {wanted.get(key)!r} now"
                for key in sorted({*there, *wanted})
                if there.get(key) != wanted.get(key)
            ]
            raise ValueError(
                f"The output folder {folder} holds a run of another configuration "
                f"({'; '.join(changes)}). Choose another folder or delete it."
            )
    else:
        write_atomically(path, json.dumps(wanted, indent=1))
    return folder


def write_record(folder: str | Path, **values: Any) -> None:
    """Write the run record: `values`, the plugins, the commit and the versions."""
    content = {**values, **plugins_named(), "commit": commit(), "versions": versions()}
    write_atomically(Path(folder) / RECORD_FILE, strict_json(content))
