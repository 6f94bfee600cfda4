"""What reading a file must not do: open others, start programs, connect, unpickle."""

import os
import sys
import sysconfig
from pathlib import Path

_FORBIDDEN = (
    "ctypes.dlopen",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pickle.find_class",
    "socket.connect",
    "subprocess.Popen",
)
_CHANGES = ("os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink")
_PYTHON = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *filter(None, sys.path)}
_ELSEWHERE = ("/dev", "/etc", "/proc", "/sys", "/usr", str(Path(__file__).parents[2]))
_CODE = (*map(os.path.realpath, _PYTHON), *_PYTHON, *_ELSEWHERE)
"""What Python itself reads, from where modules come."""


class Guard:
    """Watches Python's own events; what C libraries open by themselves is not among them.

    Args:
        folder: Of the files that are read, and of temporary ones. Beside it nothing is opened.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._on = os.path.realpath(folder), False
        self.seen: list[str] = []
        sys.addaudithook(self._note)

    def __enter__(self) -> "Guard":
        self.seen, self._on = [], True
        return self

    def __exit__(self, *problem: object) -> None:
        self._on = False

    def _note(self, event: str, arguments: tuple) -> None:
        if not self._on:
            return
        if event in _FORBIDDEN:
            self.seen.append(f"{event} {arguments!r:.200}")
        elif event in _CHANGES or (event == "open" and isinstance(arguments[0], (str, bytes))):
            writes = event != "open" or bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR))
            # Not realpath, which would look up what a reader only asked for.
            path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100
            here = path.startswith(self._folder + os.sep) or path == self._folder
            code = not writes and path.startswith(_CODE) and not path.startswith(self._folder)
            if not here and not code:
                self.seen.append(f"{event} {path}")
