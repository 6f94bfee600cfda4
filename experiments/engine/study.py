"""A study in plain data: columns, rows, and what its report shows."""

from __future__ import annotations

import dataclasses
import graphlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.engine.cell import StudyCell, make, problem_of
from experiments.engine.fingerprint import revision
from experiments.engine.method import Method
from experiments.engine.networks import configuration
from experiments.engine.problem import Problem
from mtl_dm.reporting import ReportSpec
from mtl_dm.runs.cells import CellPlan, file_safe

Repeat = tuple[int, int | None]


@dataclasses.dataclass(frozen=True)
class Column:
    """One problem with one network: data, regime, backbone.

    Attributes:
        name: As the report has it; what stands before " /" names a group of columns.
        dataset: Data with their kind in parentheses, "synthetic_faces (synthetic)".
        problem: Makes the problem from seed and fold; a function of a module, or a partial of one.
        repeats: (seed, fold) of its cells.
        rows: The rows of the study that it has; None: all.
        changes: What it changes in the problem's configuration: the backbone, for example.
        methods: Rows that are another method here than in the study.
    """

    name: str
    dataset: str
    problem: Callable[[int, int | None], Problem]
    repeats: Sequence[Repeat]
    rows: Sequence[str] | None = None
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    methods: Mapping[str, Method] = dataclasses.field(default_factory=dict)

    @property
    def group(self) -> str:
        """What stands before " /" in its name."""
        return self.name.partition(" /")[0]


@dataclasses.dataclass(frozen=True)
class Study:
    """A table.

    Attributes:
        table: Its name; that of its output folder and of its records.
        preset: How large it is, for the record.
        columns: Its columns, in order.
        rows: Its rows, in order.
        report: Fields of `mtl_dm.reporting.ReportSpec`, without those that the study itself gives.
        first: Rows that are computed before all others.
        detailed: Keep values label by label, and evidence for the page.
        recorded: Take up finished cells from the records of experiments/results.
        pages: Writes further files into the folder whenever the report is written.
        seconds: What a cell takes, about, with as many beside it as there are cores, to say it
            before the first one begins; 0: not known.

    Raises:
        ValueError: If a column, or another row, needs a row that is not there, rows need each
            other, or two rows or columns would share their files.
    """

    table: str
    preset: str
    columns: Sequence[Column]
    rows: Mapping[str, Method]
    report: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    first: Sequence[str] = ()
    detailed: bool = True
    recorded: bool = False
    pages: Callable[[Path], Any] | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        _require_files_of_their_own("rows", list(self.rows))
        _require_files_of_their_own("columns", [column.name for column in self.columns])
        for column in self.columns:
            there = self.rows_of(column)
            unknown = [row for row in there if row not in self.rows]
            if unknown:
                raise ValueError(
                    f"Column {column.name!r} has unknown rows {unknown}. Known: {list(self.rows)}."
                )
            for row in there:
                missing = [name for name in self.method(column, row).needs if name not in there]
                if missing:
                    raise ValueError(
                        f"Row {row!r} needs {missing}, which column {column.name!r} does not have."
                    )
            _require_no_circle({row: self.method(column, row).needs for row in there})

    def rows_of(self, column: Column) -> tuple[str, ...]:
        """Return the rows of a column."""
        return tuple(self.rows if column.rows is None else column.rows)

    def method(self, column: Column, row: str) -> Method:
        """Return what a row is in a column."""
        return column.methods.get(row, self.rows[row])

    def names(self) -> list[str]:
        """Return what `only` may name: rows, columns, groups of columns."""
        columns = [name for column in self.columns for name in (column.group, column.name)]
        return list(dict.fromkeys([*self.rows, *columns]))

    def selected(self, column: Column, only: str) -> tuple[str, ...]:
        """Return the rows of a column that `only` leaves, and those that they need.

        Args:
            column: The column.
            only: A row, a column, a group of columns, or nothing.
        """
        if only in ("", column.name, column.group):
            return self.rows_of(column)
        chosen = {only} & set(self.rows_of(column))
        while (
            needed := {name for row in chosen for name in self.method(column, row).needs} - chosen
        ):
            chosen |= needed
        return tuple(row for row in self.rows_of(column) if row in chosen)

    def cells(self, folder: Path, command: str, only: str = "") -> list[StudyCell]:
        """Return the cells in an order that is balanced wherever a study is stopped.

        First the rows of `first`, then the others; of these the first repeat of every column,
        then the second ones.

        Args:
            folder: Folder of the study.
            command: What the user typed.
            only: As for `selected`.
        """
        cells = list(self._cells(folder, command, only))
        return [
            *(cell for cell in cells if cell.plan.row in self.first),
            *(cell for cell in cells if cell.plan.row not in self.first),
        ]

    def _cells(self, folder: Path, command: str, only: str) -> Iterator[StudyCell]:
        longest = max((len(column.repeats) for column in self.columns), default=0)
        for place in range(longest):
            for column in self.columns:
                rows = self.selected(column, only) if place < len(column.repeats) else ()
                if rows:
                    seed, fold = column.repeats[place]
                    problem = make(column.problem, column.changes, seed, fold)
                    for row in rows:
                        yield self._cell(column, row, (seed, fold), problem, folder, command)

    def _cell(
        self,
        column: Column,
        row: str,
        repeat: Repeat,
        problem: Problem,
        folder: Path,
        command: str,
    ) -> StudyCell:
        method = self.method(column, row)
        problem = problem_of(problem, method)
        config = {
            **configuration(problem, method).to_dict(),
            **method.record(),
            **problem.record,
            **revision(),
        }
        plan = CellPlan(self.table, column.name, row, *repeat, self.preset, column.dataset, config)
        every = [self.method(column, name) for name in self.rows_of(column)]
        return StudyCell(
            plan,
            column.problem,
            column.changes,
            {name: self.method(column, name) for name in (row, *method.needs)},
            any(row in other.needs for other in every),
            self.detailed,
            folder,
            command,
        )

    def specification(self, command: str, notes: Sequence[str] = ()) -> ReportSpec:
        """Return what the report shows.

        Args:
            command: What the user typed.
            notes: Lines beside those of the study.
        """
        report = dict(self.report)
        baselines = report.pop("baselines", {})
        return ReportSpec(
            table=self.table,
            rows=tuple(self.rows),
            columns=[column.name for column in self.columns],
            column_rows={column.name: self.rows_of(column) for column in self.columns},
            repeats={column.name: tuple(column.repeats) for column in self.columns},
            command=command,
            notes=[*report.pop("notes", ()), *notes],
            baselines={
                row: baselines[row].within(self.rows) for row in self.rows if row in baselines
            },
            **report,
        )


def _require_files_of_their_own(what: str, names: Sequence[str]) -> None:
    files: dict[str, str] = {}
    for name in names:
        file = file_safe(name)
        if file in files:
            raise ValueError(
                f"The {what} {files[file]!r} and {name!r} would share the files of {file!r}; "
                "names must differ in letters, digits, dots or hyphens."
            )
        files[file] = name


def _require_no_circle(needs: Mapping[str, Sequence[str]]) -> None:
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        # From what is needed to what needs it.
        circle = " needs ".join(repr(row) for row in reversed(error.args[1]))
        raise ValueError(f"Rows must not need each other: {circle}.") from None
