"""Whether the names that a table chose can stand: of classes, attributes, values and tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mtl_dm.datasets.csv_folder._schema import KINDS, KNOWN, Schema
from mtl_dm.datasets.reading import names

_WORDS = {kind: word for word, kind in KINDS.items()}


def errors(schema: Schema, classes: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return why names cannot stand: they mark missing values, or are one in two spellings.

    Args:
        schema: What the header says.
        classes: Class -> number of rows, for tasks whose classes are not fixed.
    """
    return [line for what, own in _groups(schema, classes) for line in names.errors(what, own)]


def require_two(classes: Mapping[str, Mapping[str, int]]) -> None:
    """Check that there is something to tell apart.

    Raises:
        ValueError: If a task has fewer than two classes.
    """
    for task, own in classes.items():
        if not own:
            raise ValueError(f"the column 'class:{task}' is empty in every row.")
        if len(own) < 2:
            raise ValueError(
                f"the column 'class:{task}' names {len(own)} class(es), expected at least 2; it "
                f"names {names.listed(own, own)}."
            )


def doubts(schema: Schema, classes: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return warnings about names that can stand."""
    found = [line for what, own in _groups(schema, classes) for line in names.warnings(what, own)]
    tasks: dict[str, None] = dict.fromkeys((*schema.kinds, *KNOWN))
    return found + [
        line
        for line in names.spelt_twice("the header and the list of known tasks", tasks)
        if any(repr(task) in line for task in schema.kinds)
    ]


def _groups(
    schema: Schema, classes: Mapping[str, Mapping[str, int]]
) -> Iterator[tuple[str, names.Names]]:
    for task, own in classes.items():
        yield f"the column 'class:{task}'", own
    for task, kind in schema.kinds.items():
        if task not in KNOWN and kind != "multiclass":
            yield f"the header, for {_WORDS[kind]}:{task},", dict.fromkeys(schema.labels[task])
