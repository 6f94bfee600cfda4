"""Builds a data set from a raw download, for `tfds.load` to read.

    python -m data_prep.build --dataset=NAME[/CONFIG] --source=DIR --data_dir=DIR

Afterwards `import mtl_dm.datasets; tfds.load(NAME, data_dir=DIR)` works.
A build that is stopped or killed leaves no data set, and the same command starts it anew: TFDS
sorts all records before it writes the first file, so there is no part to go on from.
Exit status: 0 built (or built before), 1 the data do not allow it, 2 wrong usage,
130 interrupted, 143 ended by SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from tensorflow_datasets.core import shuffle

from mtl_dm import datasets
from mtl_dm.command_line import Parser, import_plugins, run_command
from mtl_dm.datasets.building import building, prepare
from mtl_dm.datasets.reading import large_images
from mtl_dm.files import expand_home

SPARE_BYTES = 64 * 2**20

BUFFER_BYTES = 64 * 2**20
"""How much a build holds in memory before it sorts records through files. TFDS: 1,000 MiB."""


FILE_FORMATS = ("tfrecord", "array_record")
"""Streams of records, and records by place, which `tfds.data_source` reads too."""


def needed_bytes(builder: Any, source: Path | None) -> int:
    """Return about how many bytes a build writes at its peak.

    The data set is taken to be as large as the builder's optional `expected_bytes(source)` says,
    else as large as the whole source. Twice that: TFDS sorts records through temporary files.
    """
    if hasattr(builder, "expected_bytes"):
        size = builder.expected_bytes(source)
    elif source is not None:
        size = sum(map(_size, files_below(source)))
    else:
        size = 0
    return 2 * size + SPARE_BYTES


def files_below(folder: Path) -> Iterator[Path]:
    """Yield what is no folder below one; what cannot be looked into has nothing in it."""
    for place, _, names in os.walk(folder):
        yield from (Path(place) / name for name in names)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # A link that leads nowhere or in a circle.
        return 0


def check_space(data_dir: Path, needed: int) -> None:
    """Check that the disk of `data_dir`, which need not exist yet, has room.

    Raises:
        ValueError: If it has not; the message has both numbers.
    """
    existing = next(path for path in (data_dir, *data_dir.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise ValueError(
            f"Not enough disk space under {existing}: about {_mebibytes(needed)} needed, "
            f"{_mebibytes(free)} free."
        )


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def is_built(builder: Any) -> bool:
    """Return whether the data set is there; TFDS renames a finished build into place."""
    return Path(builder.data_dir).is_dir()


def build(builder: Any, source: str | Path | None, data_dir: str | Path) -> None:
    """Build a data set; an interrupted or failed build leaves nothing behind.

    Args:
        builder: The builder, made for `data_dir`.
        source: Folder of the raw download; None for a builder that needs none.
        data_dir: Where built data sets live.

    Raises:
        FileNotFoundError: If `source` does not exist or is empty.
        ValueError: If the raw data are malformed or the disk has no room.
    """
    source = None if source is None else Path(expand_home(str(source)))
    # TFDS raises an AssertionError for the same, without saying which argument it was.
    if source is not None and not (source.is_dir() and any(source.iterdir())):
        raise FileNotFoundError(f"--source: the folder {source} does not exist or is empty.")
    check_space(Path(expand_home(str(data_dir))), needed_bytes(builder, source))
    # No look at Google's bucket: these data sets cannot be there, and a cluster may be offline.
    options: dict[str, Any] = {"try_download_gcs": False}
    if source is not None:
        options["manual_dir"] = str(source)
    shuffle.MAX_MEM_BUFFER_SIZE = BUFFER_BYTES
    with building(builder), large_images():
        prepare(builder, tfds.download.DownloadConfig(**options))


def describe(builder: Any) -> str:
    """Return lines about a built data set: its splits, what was skipped, and its labels."""
    metadata = builder.info.metadata or {}
    splits = ", ".join(f"{name} {split.num_examples:,}" for name, split in _splits(builder))
    skipped = metadata.get("skipped")
    first = splits if skipped is None else f"{splits}; {skipped:,} image(s) skipped"
    return "\n".join([first, *metadata.get("labels", ())])


def _splits(builder: Any) -> list[tuple[str, Any]]:
    return sorted(builder.info.splits.items())


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    import_plugins(arguments)  # Before the help lists names.
    parser = Parser(
        prog="python -m data_prep.build",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        plugins=True,
    )
    known = ", ".join(datasets.names())
    parser.add_argument("--dataset", required=True, help=f"NAME[/CONFIG]; known: {known}")
    parser.add_argument("--source", type=Path, help="raw download; synthetic data need none")
    parser.add_argument("--data_dir", required=True, type=Path, help="where to build")
    parser.add_argument(
        "--file_format",
        choices=FILE_FORMATS,
        help="array_record: records can be read by place, with tfds.data_source too; training "
        f"reads them as it does the others (default {FILE_FORMATS[0]})",
    )
    options = parser.parse_args(arguments)
    if options.file_format == "array_record" and find_spec(options.file_format) is None:
        parser.error("--file_format=array_record needs the package array_record.")
    try:
        entry, _ = datasets.find(options.dataset)
        if options.source is not None:
            return options
        built = is_built(datasets.make_builder(options.dataset, options.data_dir))
    except FileNotFoundError:
        built = False
    except ValueError as error:
        parser.error(str(error))
    if entry.MANUAL_DOWNLOAD_INSTRUCTIONS and not built:
        parser.error(f"{options.dataset} needs --source.\n{entry.MANUAL_DOWNLOAD_INSTRUCTIONS}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parse(arguments)
    return run_command(lambda: _run(options), "nothing was built")


def _run(options: argparse.Namespace) -> int:
    place = options.dataset, options.data_dir, options.source
    builder = datasets.make_builder(*place)
    if is_built(builder):
        return _already_built(builder, options.source, options.file_format)
    if options.file_format is not None:
        builder = datasets.make_builder(*place, options.file_format)
    start = time.monotonic()
    build(builder, options.source, options.data_dir)
    print(
        f"Built {builder.info.full_name} in {builder.data_dir} ({time.monotonic() - start:.1f} s)"
    )
    print(describe(builder))
    return 0


def _already_built(builder: Any, source: Path | None, file_format: str | None) -> int:
    there = builder.info.file_format.value
    if file_format not in (None, there):
        raise ValueError(
            f"{builder.info.full_name} was built in the file format {there}, not {file_format}: "
            f"choose another --data_dir, or delete {builder.data_dir} first."
        )
    # Only a data set that the user describes can have another description now.
    if source is not None and hasattr(builder, "changed") and builder.changed(source):
        raise ValueError(
            f"{builder.info.full_name} was built from another table than the one in {source}: "
            f"choose another name, or delete {builder.data_dir} first."
        )
    print(f"Already built: {builder.info.full_name} in {builder.data_dir}")
    print(describe(builder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
