"""Tables 1 to 4 of Ming et al. beside this study's, and what the moving weights did."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from experiments.dynamic_history import Course, larger
from experiments.dynamic_rows import EQUAL, PUBLISHED_ROWS, ROWS, WEIGHED
from experiments.problems.face_verification import EXPRESSION, VERIFICATION
from mtl_dm.reporting import Cell, published
from mtl_dm.reporting.measured import Measured, Summary
from mtl_dm.reporting.quantities import FRACTION
from mtl_dm.reporting.tables import ABSENT, Table, shown

PARTS = ("pretraining", "train", "test")
EXPRESSIONS = (
    "neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise", "contempt",
)  # fmt: skip
"""In the order of Table 1."""
SHORT = {"anger": "angry", "happiness": "happy", "sadness": "sad"}
"""What CMU's images call an expression."""
PRINTED = {
    "CK+": (123, (327, 135, 177, 75, 147, 84, 249, 54)),
    "Oulu-CASIA": (560, (560, 240, 240, 240, 240, 240, 240, None)),
}
"""People and images of each expression, as Table 1 prints them. Oulu-CASIA has 80 people; 560 is
its number of neutral images."""
TITLES = {
    VERIFICATION: "Table 2: accuracy of verification (%)",
    EXPRESSION: "Tables 3 and 4: accuracy of expressions (%)",
}
Courses = Mapping[str, Mapping[str, Course]]
"""By column and row."""


def data_table(cells: Sequence[Cell], columns: Sequence[str]) -> Table:
    """Return people and images of every column, as its cells record them, and the paper's.

    Args:
        cells: Of the study.
        columns: Of the study.
    """
    heads = [f"{part}: people / images" for part in PARTS]
    lines = [["data", *heads, "pairs", *(f"{name}, train" for name in EXPRESSIONS)]]
    places = {column: place for place, column in enumerate(columns)}
    seen: dict[str, list[str]] = {}
    for cell in sorted(cells, key=lambda cell: (places[cell.column], cell.fold or 0)):
        config = cell.record["config"]
        name = group_of(cell.column) + ("" if cell.fold is None else f", fold {cell.fold}")
        numbers = [f"{config['people'][p]:,} / {config['images'][p]:,}" for p in PARTS]
        counts = config["expressions"]
        each = [_count(counts.get(name, counts.get(SHORT.get(name)))) for name in EXPRESSIONS]
        # Columns of a group have the same people.
        seen[name] = [*numbers, f"{config['pairs']:,}", *each]
    lines += [[name, *found] for name, found in seen.items()]
    for name, (people, counts) in PRINTED.items():
        every = [ABSENT, str(people), ABSENT, ABSENT, *map(_count, counts)]
        lines.append([f"{name}, printed", *every])
    return lines


def _count(value: int | None) -> str:
    return ABSENT if value is None else f"{value:,}"


def group_of(column: str) -> str:
    """Return what stands before " /" in a column's name: columns of a group have the same data."""
    return column.partition(" /")[0]


def grouped(measured: Mapping[str, Measured]) -> dict[str, list[Measured]]:
    """Return columns by group."""
    groups: dict[str, list[Measured]] = {}
    for column, each in measured.items():
        groups.setdefault(group_of(column), []).append(each)
    return groups


def results(measured: Mapping[str, Measured]) -> Iterator[tuple[str, Table]]:
    """Yield title and lines of Table 2, and of Tables 3 and 4: measured here, then printed.

    Args:
        measured: By column; those of a group stand in one place.
    """
    groups = grouped(measured)
    printed = published("dynamic")
    for task, title in TITLES.items():
        yield title, _beside(groups, task, printed[printed["task"] == task])


def _beside(groups: Mapping[str, Sequence[Measured]], task: str, printed: pd.DataFrame) -> Table:
    databases = list(dict.fromkeys(printed["column"]))
    numbers = printed[["row", "column", "value"]].to_numpy()
    theirs = {(row, database): value for row, database, value in numbers}

    def cells(name: str) -> list[str]:
        return [_percent(theirs.get((name, database))) for database in databases]

    lines = [["row", *groups, *(f"{name}, printed" for name in databases)]]
    for row in ROWS:
        found = [_summary(own, row, task) for own in groups.values()]
        if any(found):
            ours = [shown(each, FRACTION) for each in found]
            lines.append([row, *ours, *cells(PUBLISHED_ROWS.get(row, ""))])
    named = {PUBLISHED_ROWS.get(line[0]) for line in lines}
    for name in (row for row in dict.fromkeys(printed["row"]) if row not in named):
        lines.append([f"{name}, printed", *[ABSENT] * len(groups), *cells(name)])
    return lines


def _summary(measured: Sequence[Measured], row: str, task: str) -> Summary | None:
    """Return the accuracy of a row in the first of some columns that has it."""
    found = (each.summary(row, task, "accuracy") for each in measured)
    return next((each for each in found if each is not None), None)


def _percent(value: float | None) -> str:
    return ABSENT if value is None else f"{100 * value:.2f}"


def weights_table(courses: Courses, measured: Mapping[str, Measured]) -> Table:
    """Return which task got the larger weight, and what that did to both; the head alone if none.

    Args:
        courses: Of the trainings.
        measured: By column.
    """
    lines = [
        [
            "column and row",
            "identity: mean",
            "at the end",
            "harder task ahead (%)",
            "verification",
            "expression",
        ]
    ]
    for column, rows in courses.items():
        for row in (row for row in WEIGHED if row in rows):
            found = larger(rows[row])
            if found is None:
                continue
            share = ABSENT if math.isnan(found.to_harder) else f"{100 * found.to_harder:.0f}"
            gaps = [
                measured[column].difference(row, EQUAL, task, "accuracy")
                for task in (VERIFICATION, EXPRESSION)
            ]
            lines.append(
                [
                    f"{group_of(column)}: {row}",
                    f"{found.identity:.2f}",
                    f"{found.identity_last:.2f}",
                    share,
                    *(shown(gap, FRACTION, signed=True) for gap in gaps),
                ]
            )
    return lines
