"""Peak memory of a process."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
_PEAK = re.compile(r"^VmHWM:\s*(\d+) kB$", re.MULTILINE)


def peak() -> float:
    """Return the largest resident set that this program had, in megabytes."""
    if STATUS.is_file():
        # `getrusage` would count what the process had before this program began in it: a program
        # that a large one starts seems as large.
        found = _PEAK.search(STATUS.read_text(encoding="ascii"))
        if found is not None:
            return int(found[1]) / 1024
    # Linux counts in kilobytes, macOS in bytes.
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
