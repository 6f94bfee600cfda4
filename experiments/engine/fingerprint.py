"""A short text that is the same for two configurations that give the same values.

It knows the configuration, and of the code its `REVISION`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mtl_dm.runs.cells import what_is_on

LENGTH = 16
REVISION = 1
"""Which code computed a cell, for configurations do not say it. Raise it with every change of the
code, here or in the library, after which a cell of the same configuration has other values: what
was finished before is then of another configuration, its record is not taken up and its network
not started from."""


def revision() -> dict[str, int]:
    """Return what a cell's configuration says of the code, by name; the first revision nothing."""
    return {"revision": REVISION} if REVISION > 1 else {}


def fingerprint(config: Mapping[str, Any]) -> str:
    """Return the fingerprint of a configuration.

    What is off (None, False, an empty mapping or list) leaves no trace, so that an option which
    comes later, and is off, makes no record stale.

    Args:
        config: JSON values.
    """
    text = json.dumps(what_is_on(config), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:LENGTH]
