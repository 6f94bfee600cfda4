"""A first pass over the labels of a release, before anything is written."""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping

from mtl_dm.datasets.reading.items import BadLine, Item, Row, Skipped
from mtl_dm.datasets.reading.keys import Hashes, Keys, digest, repeated
from mtl_dm.datasets.reading.release import Release
from mtl_dm.datasets.reading.tally import Tally

_BAD_SHOWN = 10


@dataclasses.dataclass(frozen=True)
class Survey:
    """What a pass over all labels found; small, however many rows there are.

    Attributes:
        rows: Split -> number of items: rows, skipped and bad ones.
        skipped: How many items the reader itself skips.
        bad: The first bad lines.
        bad_count: How many lines are bad.
        errors: Files that could not be read to the end, and why.
        repeated: Digests of the rows' identities that occur more than once.
        images: Sorted digests of the rows' paths.
        known: Sorted digests of all items' paths.
        sample: Some rows, drawn evenly.
        tally: How often each label is there.
    """

    rows: Mapping[str, int]
    skipped: int
    bad: tuple[BadLine, ...]
    bad_count: int
    errors: tuple[str, ...]
    repeated: frozenset[int]
    images: Hashes
    known: Hashes
    sample: tuple[Row, ...]
    tally: Tally

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the labels do not allow a build; empty where they do."""
        problems = [*self.errors, *map(str, self.bad)]
        if self.bad_count > len(self.bad):
            problems.append(f"... and {self.bad_count - len(self.bad):,} more bad lines.")
        if not problems and not len(self.images):
            problems.append("The data set is empty: no row has a usable label.")
        return tuple(problems)


def survey(release: Release, sample: int = 0, seed: int = 0) -> Survey:
    """Read all labels once, without opening an image.

    Args:
        release: What to look at.
        sample: How many rows to draw, at most.
        seed: Seed of the draw.
    """
    rows: dict[str, int] = {}
    bad: list[BadLine] = []
    errors: list[str] = []
    skipped = bad_count = 0
    identities, images, known = Keys(), Keys(), Keys()
    drawn: list[tuple[int, int, Row]] = []  # a heap of the smallest digests, salted by the seed
    tally = Tally(release.tasks)
    salt = digest(f"sample {seed}")
    for split, start in release.splits.items():
        rows[split] = 0
        for item in _until_error(start, errors):
            rows[split] += 1
            if isinstance(item, BadLine):
                bad_count += 1
                bad += [item] if bad_count <= _BAD_SHOWN else []
                continue
            path = digest(item.path)
            known.add(path)
            if isinstance(item, Skipped):
                skipped += 1
                continue
            images.add(path)
            tally.add(item.labels)
            identities.add(digest(item.key) if item.key else path)
            entry = (-(path ^ salt), len(images), item)
            if len(drawn) < sample:
                heapq.heappush(drawn, entry)
            elif drawn and entry > drawn[0]:
                heapq.heapreplace(drawn, entry)
    return Survey(
        rows,
        skipped,
        tuple(bad),
        bad_count,
        tuple(errors),
        repeated(identities.sorted()),
        images.sorted(),
        known.sorted(),
        tuple(entry[2] for entry in sorted(drawn, key=lambda entry: entry[1])),
        tally,
    )


def _until_error(start: Callable[[], Iterable[Item]], errors: list[str]) -> Iterator[Item]:
    try:
        yield from start()
    except (OSError, ValueError) as error:
        errors.append(str(error))
