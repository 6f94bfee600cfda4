"""Importing the package beside importing Keras."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

from experiments.bench.timing import Goal, Row, pair


def rows() -> Iterator[Row]:
    """Time both imports, each in a process of its own."""
    # The package itself imports nothing until a name is used.
    one, other = _importing("mtl_dm.models"), _importing("keras")
    yield pair("import mtl_dm.models / import keras", one, other, 5, Goal(1.1))


def _importing(module: str) -> Callable[[], None]:
    def start() -> None:
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True, capture_output=True)

    return start
