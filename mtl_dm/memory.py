"""What cannot fit into memory is refused at once, not after minutes of swapping."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

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


MOST_PROCESSES = 1024
"""Side by side on one machine; each takes some hundred megabytes."""


def require_processes(what: str, count: int, least: int = 1) -> None:
    """Check how many processes are to run side by side on this machine.

    Args:
        what: The option, as it is typed.
        count: Its value.
        least: That it may be.

    Raises:
        ValueError: If it is smaller, or more than `MOST_PROCESSES`.
    """
    if count < least:
        raise ValueError(f"{what} must be at least {least}, got {count}.")
    if count > MOST_PROCESSES:
        raise ValueError(f"{what} must be at most {MOST_PROCESSES:,}, got {count:,}.")


CGROUPS, OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
"""Where Linux keeps what groups of processes may have, and says to which this one belongs."""


def machine_bytes() -> int:
    """Return the memory of this machine, or of the container or job where that has less."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _limits():
        with contextlib.suppress(OSError, ValueError):  # "max" is no limit.
            found.append(int(path.read_text(encoding="ascii")))
    return min(found)


def _limits() -> Iterator[Path]:
    """Yield the files that may hold a limit in bytes, of the group and of all around it.

    Version 2 has one tree of groups, version 1 one for memory; a container sees the root of its
    own, whatever the group is called outside.
    """
    lines = ["0::/", "0:memory:/"]
    with contextlib.suppress(OSError):
        lines += OWN.read_text(encoding="utf-8", errors="replace").splitlines()
    for line in lines:
        _, kinds, group = [*line.split(":", 2), "", ""][:3]
        place = PurePosixPath(group.lstrip("/"))
        for each in (place, *place.parents):
            if not kinds:
                yield CGROUPS / each / "memory.max"
            elif "memory" in kinds.split(","):
                yield CGROUPS / "memory" / each / "memory.limit_in_bytes"
