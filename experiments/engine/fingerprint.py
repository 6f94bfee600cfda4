"""A short text that is the same for two configurations that give the same values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sized
from typing import Any

LENGTH = 16


def fingerprint(config: Mapping[str, Any]) -> str:
    """Return the fingerprint of a configuration.

    What is off (None, False, an empty mapping or list) leaves no trace, so that an option which
    comes later, and is off, makes no record stale.

    Args:
        config: JSON values.
    """
    on = {name: value for name, value in config.items() if not _is_off(value)}
    text = json.dumps(on, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:LENGTH]


def _is_off(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, Sized) and not len(value))
