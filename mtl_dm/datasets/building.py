"""One build of a data set at a time, wherever it is asked for."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mtl_dm.outputs import owned


@contextlib.contextmanager
def building(builder: Any, *, wait: bool = False) -> Iterator[None]:
    """Hold the folder of a data set while it is built; what killed builds left is removed.

    Args:
        builder: Of TFDS, made for its data_dir.
        wait: Wait for another build to end, instead of an error.

    Raises:
        ValueError: If another build is running.
        OSError: If the folder cannot be written.
    """
    folder = Path(builder.data_dir).parent
    with owned(folder, wait=wait):
        for left in sorted(folder.glob("incomplete.*")):
            print(f"Note: {left} is left from a killed build and removed.")
            shutil.rmtree(left, ignore_errors=True)
        yield


def prepare(builder: Any, config: Any) -> None:
    """Build a data set, unless it is there; say so in words that are true of it.

    Args:
        builder: Of TFDS.
        config: A `tfds.download.DownloadConfig`.
    """
    if not builder.info.splits:
        place = f"{builder.info.full_name} in {builder.data_dir}"
        print(f"Building {place} ...", file=sys.stderr, flush=True)
    # TFDS says of each that it is downloaded, of unknown size, and nothing is.
    for name in ("_log_download_bytes", "_log_download_done"):
        setattr(builder, name, lambda: None)
    builder.download_and_prepare(download_config=config)
