"""What is known of a data set before it is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mtl_dm import datasets
from mtl_dm.tasks import Task


class Outline(NamedTuple):
    """A data set, built or not.

    Attributes:
        name: Without the split.
        built: Whether it is.
        tasks: That it has features for.
        labelled: Names of those that any image can be annotated for.
        side: Of its images; None: they differ in size.
        size: Images of the split; None: not known before it is built.
        by_itself: It is drawn on first use, from no download.
        inputs: Shapes of what a network sees, by name; None: the image alone.
    """

    name: str
    built: bool
    tasks: tuple[Task, ...]
    labelled: tuple[str, ...]
    side: int | None
    size: int | None
    by_itself: bool
    inputs: Mapping[str, tuple[int | None, ...]] | None


def outline(name: str, *, data_dir: str | Path) -> Outline:
    """Return what is known of a data set; nothing is built.

    Args:
        name: As for `mtl_dm.data.load`.
        data_dir: As for `mtl_dm.data.load`.

    Raises:
        ValueError: If there is no such data set, or it is known which splits it has and the one
            named is none of them.
        FileNotFoundError: If only its build can say what is in it.
    """
    base, _, split = name.partition(":")
    builder = datasets.make_builder(base, data_dir)
    tasks = datasets.tasks_of(builder.info)
    splits = builder.info.splits or {}
    seen = datasets.inputs_of(builder.info)
    counts = {each: info.num_examples for each, info in splits.items()}
    known = counts or dict(getattr(builder, "announced", {}))
    if known:
        split = chosen_split(base, split, list(known))
    size = known.get(split)
    if size is None and split.partition("[")[0] in counts:  # A part of a split.
        size = splits[split].num_examples
    return Outline(
        base,
        bool(splits),
        tasks,
        getattr(builder, "labelled", tuple(task.name for task in tasks)),
        builder.info.features["image"].shape[0],
        size,
        not builder.MANUAL_DOWNLOAD_INSTRUCTIONS,
        None if seen is None else {each: tuple(builder.info.features[each].shape) for each in seen},
    )


def chosen_split(name: str, split: str, splits: Sequence[str]) -> str:
    """Return the split that is meant: the only one where none is named.

    Args:
        name: Of the data set, for the message.
        split: As named; a part of it, "train[:70%]", counts as it does.
        splits: That the data set has.

    Raises:
        ValueError: If it is none of them, or none is named and there are several.
    """
    if not split and len(splits) == 1:
        return splits[0]
    # A part of a split, "train[:70%]": TFDS stores records in an order that a hash draws.
    if split.partition("[")[0] not in splits:
        raise ValueError(f"The data set {name!r} has the splits {list(splits)}, got {split!r}.")
    return split


def how_to_build(name: str, data_dir: str | Path) -> str:
    """Return the command that builds a data set from a download.

    Args:
        name: "name[/config]".
        data_dir: Where built data sets live.
    """
    return f"python -m data_prep.build --dataset={name} --source=DIR --data_dir={data_dir}"
