"""A detector that a file of the user's own registers, as processes are told of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from mtl_dm import faces, plugins


@dataclasses.dataclass(frozen=True)
class OwnEngine:
    """Loads a detector after the files that may register it; can be pickled.

    Args:
        name: As typed.
        files: Paths of the files; every process, of every machine, must find them there.
    """

    name: str
    files: tuple[str, ...]

    def __call__(self) -> faces.Engine:
        """Return the detector.

        Raises:
            ValueError: If a file cannot be imported, or none registers the name.
            ImportError: If what the detector needs is not installed.
        """
        plugins.load_all(self.files)
        return faces.load_engine(self.name)


def loader_of(name: str) -> Callable[[], faces.Engine]:
    """Return what loads a detector, in this process or in another one that has no plugin yet.

    Raises:
        ValueError: If there is none of that name.
    """
    files = tuple(str(plugin.file) for plugin in plugins.loaded())
    return OwnEngine(name, files) if files else faces.ENGINES.get(name)
