"""Output folders: tried before hours of work, held by one run at a time, rid of what kills left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shlex
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mtl_dm.files import TEMPORARY, printable

LOCK = ".lock"
_TRIED_BYTES = 2**16
_held: set[str] = set()
"""Locks that this process has: who holds a folder may hold it again."""


def require_writable(folder: str | Path) -> None:
    """Check that a folder can be made and written; nothing is left.

    Args:
        folder: Of the output; it need not be there.

    Raises:
        OSError: If it cannot, or the disk is full.
    """
    folder = Path(folder)
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    try:
        if not there.is_dir():
            raise NotADirectoryError(20, f"{there} is no folder")
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(bytes(_TRIED_BYTES))
            file.flush()
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(f"The output {folder} cannot be written: {reason}.") from error


@contextlib.contextmanager
def owned(
    folder: str | Path, lock: str = LOCK, *, wait: bool = False, deep: bool = True
) -> Iterator[None]:
    """Hold a folder: no other run of this kind writes into it meanwhile.

    The lock is the system's, which lets go of it when the process ends, however it ends.

    Args:
        folder: Made where it is not there; of earlier runs that were killed the temporary files
            are removed.
        lock: Name of the file in it that stands for the hold and says who has it.
        wait: Wait for another run to end, instead of an error.
        deep: Look for temporary files in the folders below, too: they are ours.

    Raises:
        ValueError: If another run holds it; names that one.
        OSError: If it cannot be written.
    """
    path = Path(folder) / lock
    name = os.path.realpath(path)
    if name in _held:
        yield
        return
    require_writable(folder)
    made = [each for each in path.absolute().parents if not each.exists()]
    with _locked(path, wait):
        _held.add(name)
        try:
            remove_leftovers(path.parent, deep=deep)
            yield
        finally:
            _held.discard(name)
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # A folder in which something was written stays.
                for each in made:
                    each.rmdir()


@contextlib.contextmanager
def _locked(path: Path, wait: bool) -> Iterator[None]:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)  # Whoever had it may have removed it.
        with path.open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                owner = file.read().strip() or "another run"
                if not wait:
                    raise ValueError(
                        f"The output folder {path.parent} is in use by {owner}. Wait for its end "
                        "or choose another folder."
                    ) from None
                print(f"Waiting for {owner}, which writes {path.parent}.", file=sys.stderr)
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                # A file system without locks: better unguarded than not at all.
                print(f"Note: {path.parent} cannot be locked ({error}).", file=sys.stderr)
                yield
                return
            # Who had it removes the file: the lock on it is then worth nothing.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
                file.truncate(0)
                file.write(_owner())
                file.flush()
                yield
                return


def _owner() -> str:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    words = [Path(sys.argv[0]).name, *sys.argv[1:]]
    command = shlex.join(map(printable, words))[:300]
    return f"process {os.getpid()} on {socket.gethostname()} since {since} ({command})"


def prepare_output(folder: str | Path, *below: str) -> None:
    """Check that a folder can be written, and remove what earlier runs that were killed left there.

    Args:
        folder: Of the output, which may be anybody's: only what lies right in it is looked at.
        *below: Folders in it that are ours, and looked through.

    Raises:
        OSError: As `require_writable`.
    """
    require_writable(folder)
    remove_leftovers(folder, deep=False)
    for name in below:
        remove_leftovers(Path(folder) / name)


def remove_leftovers(folder: str | Path, *, deep: bool = True) -> None:
    """Remove temporary files and folders of processes that are dead.

    Args:
        folder: May be missing. Those of other hosts are left: nobody here knows whether they live.
        deep: Look through the folders below, too.
    """
    here = re.compile(rf"{re.escape(TEMPORARY)}{re.escape(socket.gethostname())}\+(\d+)-.*")
    for place, folders, files in os.walk(folder):
        for name in (*files, *folders):
            found = here.fullmatch(name)
            if found and not _lives(int(found[1])):
                left = Path(place) / name
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink(missing_ok=True)
        if not deep:
            return


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # Another user's.
        pass
    return True
