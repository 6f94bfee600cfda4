"""Peak memory of a process."""

from __future__ import annotations

import resource
import sys


def peak() -> float:
    """Return the largest resident set that this process had, in megabytes."""
    # Linux counts in kilobytes, macOS in bytes.
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
