"""The check that all databases share."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mtl_dm.datasets._check import Report, count_warnings
from mtl_dm.datasets.reading.comparison import compare
from mtl_dm.datasets.reading.duplicates import Duplicates
from mtl_dm.datasets.reading.images import large_images, load_jpeg
from mtl_dm.datasets.reading.items import Item, Skipped
from mtl_dm.datasets.reading.paths import clean, inside
from mtl_dm.datasets.reading.release import Release
from mtl_dm.datasets.reading.survey import Survey, survey
from mtl_dm.files import printable
from mtl_dm.progress import counted, progress

SAMPLE = 64
_SHOWN = 5


def check_release(
    source: Path, read: Callable[[Path], Release], size: tuple[int, int] | None = None
) -> Report:
    """Report what is there, what is missing, and whether to go on.

    Label files are read to the end; image files are looked up in listings of their folders, and
    a sample of them is opened. A build opens all.

    Args:
        source: The folder that a build would be given.
        read: Finds the release in it.
        size: (width, height) that images must have, or None.
    """
    try:
        release = read(source)
    except (OSError, ValueError) as error:
        return Report(errors=tuple(str(error).splitlines()))
    with progress("rows read", release.expected) as done:
        found = survey(_counting(release, done), SAMPLE)
    facts = [*release.facts, *(f"{split}: {rows:,} rows." for split, rows in found.rows.items())]
    facts += found.tally.lines
    if found.skipped:
        facts.append(f"{found.skipped:,} rows have no label for this data set, to be skipped.")
    warnings = [*release.warnings, *found.tally.warnings]
    for split, rows in found.rows.items():
        if split in release.published:
            warnings += count_warnings(f"rows in {split}", rows, release.published[split])
    if found.problems:
        return Report(found.problems, tuple(warnings), tuple(facts))
    compared = compare(release, found)
    warnings += [*_duplicates(release, found), *compared.warnings]
    if compared.missing == len(found.images):
        where = ", ".join(str(release.root / folder) for folder in release.listed)
        error = f"None of the {compared.missing:,} images that the labels name is under {where}."
        return Report((error,), tuple(warnings), tuple(facts))
    with large_images():
        bad = _sample(release, found, size)
    facts.append(f"Opened {len(found.sample)} images drawn evenly; {len(bad)} cannot be used.")
    warnings += [f"{printable(path)}: {reason}" for path, reason in bad[:_SHOWN]]
    return Report((), tuple(warnings), tuple(facts))


def _counting(release: Release, done: Callable[[int], object]) -> Release:
    """Return the release with passes that count their items."""

    def items(start: Callable[[], Iterable[Item]]) -> Iterator[Item]:
        for item in start():
            yield item
            done(1)

    splits = {name: functools.partial(items, start) for name, start in release.splits.items()}
    return dataclasses.replace(release, splits=splits)


def _duplicates(release: Release, found: Survey) -> list[str]:
    if not found.repeated:
        return []
    count = 0
    examples: list[str] = []
    duplicates = Duplicates(found.repeated)
    with progress("rows compared", sum(found.rows.values())) as done:
        for start in _counting(release, done).splits.values():
            for item in duplicates.without(start()):
                if isinstance(item, Skipped) and "duplicate" in item.reason:
                    count += 1
                    line = f"{printable(item.path)}: {item.reason}"
                    examples += [line] if count <= _SHOWN else []
    return [f"{count:,} duplicate row(s), to be skipped:", *examples]


def _sample(release: Release, found: Survey, size: tuple[int, int] | None) -> list[Skipped]:
    bad = []
    for row in counted(found.sample, "images opened", len(found.sample)):
        try:
            load_jpeg(inside(release.root, clean(row.path)), row.box, size)
        except ValueError as error:
            bad.append(Skipped(row.path, str(error)))
    return bad
