"""What cannot fit into memory is refused at once, not after minutes of swapping."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Sequence
from pathlib import Path

SHARE = 0.25
"""Of the machine's memory that one batch of inputs may take: several are prepared at a time."""


def require_batch(batch_size: int, shape: Sequence[int], bytes_each: int = 4) -> None:
    """Check that a batch of inputs fits into memory.

    Args:
        batch_size: Inputs of a batch.
        shape: Of one input.
        bytes_each: Of one number.

    Raises:
        ValueError: If it takes more than `SHARE` of the memory of this machine.
    """
    needed, memory = batch_size * math.prod(shape) * bytes_each, machine_bytes()
    if needed > SHARE * memory:
        raise ValueError(
            f"A batch of {batch_size:,} inputs of the shape {tuple(shape)} takes "
            f"{needed / 2**30:,.1f} GiB, more than a quarter of the {memory / 2**30:,.1f} GiB of "
            "this machine: use a smaller batch_size or image_size."
        )


CONTAINER = Path("/sys/fs/cgroup/memory.max")
"""Where Linux says how much a container may have, in bytes; "max" is no limit."""


def machine_bytes() -> int:
    """Return the memory of this machine, or of the container where that has less."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        return min(whole, int(CONTAINER.read_text(encoding="ascii")))
    return whole
