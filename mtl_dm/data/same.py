"""Which examples names of built data sets stand for: whether two are the same, or share some."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtl_dm import datasets
from mtl_dm.data.built import label_arrays, open_built, stored_texts
from mtl_dm.data.outline import chosen_split
from mtl_dm.tasks import Task

Split = tuple[Any, str]
"""The builder of a data set that is built, and a split of it."""

_PATH = "path"
"""Feature that says which file of a release an example was made of."""

Places = dict[str, list[tuple[int, int]]]
"""By file of records, the ranges [first, last) of examples in it."""


def places_of(name: str, *, data_dir: str | Path) -> Places:
    """Return where the examples of a data set are stored.

    Args:
        name: As for `mtl_dm.data.load`; however it is spelt, the same examples have the same
            places.
        data_dir: As for `mtl_dm.data.load`.

    Raises:
        FileNotFoundError: If the data set must be built first.
        ValueError: If a name is unknown.
    """
    return _places(*open_built(name, data_dir))


def _places(builder: Any, split: str) -> Places:
    found: Places = {}
    for part in builder.info.splits[split].file_instructions:
        taken = part.examples_in_shard - part.skip if part.take < 0 else part.take
        found.setdefault(str(part.filename), []).append((part.skip, part.skip + taken))
    return found


def shared_examples(one: Places, other: Places) -> int:
    """Return how many examples are in both."""
    return sum(
        max(0, min(stop, last) - max(start, first))
        for file, ranges in one.items()
        for start, stop in ranges
        for first, last in other.get(file, ())
    )


def sharing(name: str, others: Sequence[str], *, data_dir: str | Path) -> list[str]:
    """Return those of other data sets that share an example with one.

    Of one data set in one configuration, examples are told apart by where they are stored. Two
    configurations of one release, such as whole photos and faces cut out of them, share what they
    store under the same path of the release, which is read for it. Of different data sets, and of
    folders of the user's own, nothing is known: they count as different.

    Args:
        name: As for `mtl_dm.data.load`.
        others: Likewise; of one that is not built in `data_dir`, its name alone is compared.
        data_dir: As for `mtl_dm.data.load`.

    Raises:
        FileNotFoundError: If the data set must be built first.
        ValueError: If `name` is unknown, or a file of records is damaged.
    """
    own = open_built(name, data_dir)
    paths = functools.cache(lambda: frozenset(stored_texts(*own, _PATH)))
    found = []
    for other in others:
        there = _if_built(other, data_dir)
        if other == name if there is None else _share(own, there, paths):
            found.append(other)
    return found


def _if_built(name: str, data_dir: str | Path) -> Split | None:
    base, _, split = name.partition(":")
    try:
        builder = datasets.make_builder(base, data_dir)
        splits = builder.info.splits
        return (builder, chosen_split(base, split, list(splits))) if splits else None
    except (FileNotFoundError, ValueError):
        return None


def _share(one: Split, other: Split, paths: Callable[[], Collection[bytes]]) -> bool:
    builders = one[0], other[0]
    if len({str(each.data_dir) for each in builders}) == 1:
        return shared_examples(_places(*one), _places(*other)) > 0
    if len({each.name for each in builders}) > 1 or not getattr(one[0], "ONE_RELEASE", True):
        return False
    if any(_PATH not in each.info.features for each in builders):
        return False
    return any(path in paths() for path in stored_texts(*other, _PATH))


def require_different(names: Sequence[str], *, data_dir: str | Path) -> None:
    """Check that no two names stand for the same examples.

    Raises:
        FileNotFoundError: If a data set must be built first.
        ValueError: If two do, or one is unknown.
    """
    seen: list[tuple[str, Places]] = []
    for name in names:
        places = places_of(name, data_dir=data_dir)
        for other, there in seen:
            if places == there:
                raise ValueError(f"The same data are named twice: {other!r} and {name!r}.")
        seen.append((name, places))


def labelled_images(name: str, *, data_dir: str | Path, tasks: Sequence[Task]) -> dict[str, int]:
    """Return how many images of a data set are annotated for each task; images stay unread.

    Args:
        name: As for `mtl_dm.data.load`.
        data_dir: As for `mtl_dm.data.load`.
        tasks: To look for; a task that the data set lacks has 0.

    Raises:
        FileNotFoundError: As `label_arrays`.
        ValueError: Likewise.
    """
    arrays = label_arrays(name, data_dir=data_dir, tasks=tasks, one_hot=False)
    counts = dict.fromkeys((task.name for task in tasks), 0)
    for task, (_, mask) in arrays.items():
        counts[task] = int(np.count_nonzero(mask if mask.ndim == 1 else mask.any(axis=1)))
    return counts
