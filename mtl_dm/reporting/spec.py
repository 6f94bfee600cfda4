"""What a report shows: the plan of one study, in plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mtl_dm.reporting.baselines import Baselines
from mtl_dm.reporting.quantities import Quantity, quantity_of
from mtl_dm.runs.schema import Repeat

Pair = tuple[str, str]
"""(task, metric)."""

BALANCED = "average_accuracy"
"""The metric that counts every class the same."""


@dataclass(frozen=True)
class ReportSpec:
    """The plan of a report.

    Nothing has a meaning by its place: tasks are of any number and kind.

    Args:
        title: Heading.
        table: The study, "table2"; cells of another one are refused.
        intro: What is compared and why; Markdown.
        main_metrics: Task -> metrics of the main table.
        rows: Methods, in order.
        columns: Databases and networks, in order; each gets its own section.
        command: The exact command that makes this report.
        baseline_row: The single-task row of every row that `baselines` does not name.
        uncoupled_row: The multi-task row without coupling of every row that `baselines` does not
            name.
        baselines: Row -> what it is compared with, where that differs from the two above. These
            two themselves are compared with nothing, and with `baseline_row`, unless named.
        headline: Task -> the metric that speaks for it in the sentence at the top and is plotted;
            None takes the first of `change_metrics`. A task left out does neither.
        watched: (task, metric) pairs watched for collapse; None: all of the main table.
        change_metrics: Task -> metrics in Δm; None takes `main_metrics`.
        column_metrics: Column -> its own main_metrics, where columns have different tasks.
        column_rows: Column -> the rows planned for it; a column not named has all of them.
        repeats: Column -> the (seed, fold) pairs that were planned; where a column is not named,
            the pairs found in any of its cells count as planned.
        test_train_ratio: Size of the test fold over the training folds, for cells with a fold.
        published_table: Table of the paper to show beside, or None.
        published_columns: Our column -> the paper's columns shown beside it.
        published_rows: Our row -> the paper's row; a row not named keeps its name.
        published_tasks: Our task -> the paper's name of it; one not named keeps its name.
        quantities: Metric -> what its numbers are, where its name does not say it
            (`mtl_dm.reporting.quantities`).
        across: What the columns are samples of, "networks": verdicts are then also paired over
            columns, where three or more share rows. Empty: they are no samples of anything.
        across_without: Columns that do not count there: of other data, for example.
        levels: Columns that give levels alone: too few repeats for verdicts, or too few steps.
        notes: Findings that the study computes itself; Markdown.
        per_label: (task, metric) pairs shown label by label.

    Raises:
        ValueError: If there is nothing to show, a name is given twice, or a mapping names an
            unknown column, row, task or metric.
    """

    title: str
    table: str
    intro: str
    main_metrics: Mapping[str, Sequence[str]]
    rows: Sequence[str]
    columns: Sequence[str]
    command: str
    baseline_row: str = "ST"
    uncoupled_row: str = "NC MT"
    baselines: Mapping[str, Baselines] = field(default_factory=dict)
    headline: Mapping[str, str] | None = None
    watched: Sequence[Pair] | None = None
    change_metrics: Mapping[str, Sequence[str]] | None = None
    column_metrics: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    column_rows: Mapping[str, Sequence[str]] = field(default_factory=dict)
    repeats: Mapping[str, Sequence[Repeat]] = field(default_factory=dict)
    test_train_ratio: float = 1.0
    published_table: str | None = None
    published_columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    published_rows: Mapping[str, str] = field(default_factory=dict)
    published_tasks: Mapping[str, str] = field(default_factory=dict)
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    across: str = ""
    across_without: Sequence[str] = ()
    levels: Sequence[str] = ()
    notes: Sequence[str] = ()
    per_label: Sequence[Pair] = ()

    def __post_init__(self) -> None:
        if not self.main_metrics or not all(self.main_metrics.values()):
            raise ValueError(f"main_metrics must give metrics for tasks, got {self.main_metrics}.")
        for name, values in (("rows", self.rows), ("columns", self.columns)):
            if not values or len(set(values)) != len(values):
                raise ValueError(f"{name} must be distinct and not empty, got {list(values)}.")
        tables = (self.main_metrics, *self.column_metrics.values())
        tasks = list(dict.fromkeys(task for metrics in tables for task in metrics))
        against = [row for each in self.baselines.values() for row in each.all]
        known = {
            "column_metrics": (self.column_metrics, self.columns),
            "column_rows": (self.column_rows, self.columns),
            "repeats": (self.repeats, self.columns),
            "across_without": (self.across_without, self.columns),
            "levels": (self.levels, self.columns),
            "published_columns": (self.published_columns, self.columns),
            "published_rows": (self.published_rows, self.rows),
            "published_tasks": (self.published_tasks, tasks),
            "baselines": ([*self.baselines, *against], self.rows),
            "change_metrics": (self.change_metrics or {}, tasks),
            "headline": (self.headline or {}, tasks),
            "watched": ([task for task, _ in self.watched or ()], tasks),
        }
        for name, (given, names) in known.items():
            unknown = sorted(set(given) - set(names))
            if unknown:
                raise ValueError(f"{name} names {unknown}. Known: {list(names)}.")
        for row, each in self.baselines.items():
            if row in each.all:
                raise ValueError(f"baselines compares {row!r} with itself.")

    def for_column(self, column: str) -> ReportSpec:
        """Return the plan with the rows, tasks and metrics of one column alone."""
        rows, metrics = self.rows_of(column), self.column_metrics.get(column, self.main_metrics)
        return replace(
            self,
            rows=rows,
            columns=(column,),
            main_metrics=metrics,
            column_metrics={},
            column_rows={},
            repeats=_only(self.repeats, (column,)),
            baselines={row: self.baselines_of(row).within(rows) for row in rows},
            headline=None if self.headline is None else _only(self.headline, metrics),
            watched=None if self.watched is None else [p for p in self.watched if p[0] in metrics],
            change_metrics=_only(self.change_metrics or {}, metrics) or None,
            across_without=[name for name in self.across_without if name == column],
            levels=[name for name in self.levels if name == column],
            published_columns=_only(self.published_columns, (column,)),
            published_rows=_only(self.published_rows, rows),
            published_tasks=_only(self.published_tasks, metrics),
        )

    def rows_of(self, column: str) -> Sequence[str]:
        """Return the rows planned for a column."""
        return self.column_rows.get(column, self.rows)

    def baselines_of(self, row: str) -> Baselines:
        """Return what a row is compared with."""
        if row in self.baselines:
            return self.baselines[row]
        if row == self.baseline_row:
            return Baselines()
        return Baselines(
            self.baseline_row, None if row == self.uncoupled_row else self.uncoupled_row
        )

    def quantity(self, metric: str) -> Quantity:
        """Return what the numbers of a metric are, of one label too."""
        return self.quantities.get(metric.partition("/")[0]) or quantity_of(metric)

    @property
    def pairs(self) -> list[Pair]:
        """(task, metric) of the main table, in order."""
        return [(task, metric) for task, names in self.main_metrics.items() for metric in names]

    @property
    def changes(self) -> Mapping[str, Sequence[str]]:
        """Task -> metrics in Δm."""
        return self.change_metrics or self.main_metrics

    @property
    def headlines(self) -> list[Pair]:
        """(task, metric) that speak for their tasks, in order."""
        if self.headline is not None:
            return list(self.headline.items())
        return [(task, names[0]) for task, names in self.changes.items() if names]

    @property
    def judged(self) -> list[Pair]:
        """(task, metric) that a verdict looks at: the headlines, and what they hide, in order.

        Where a task's accuracy speaks for it, and its average accuracy over classes is shown too, a
        verdict looks at both: accuracy alone does not see what happens to rare classes.
        """
        found = []
        for task, metric in self.headlines:
            found.append((task, metric))
            if metric == "accuracy" and BALANCED in self.main_metrics.get(task, ()):
                found.append((task, BALANCED))
        return found

    @property
    def single_task_rows(self) -> list[str]:
        """The rows that Δm is measured against, in order."""
        found = (self.baselines_of(row).single_task for row in self.rows)
        return list(dict.fromkeys(row for row in found if row is not None))

    @property
    def compared(self) -> list[str]:
        """Every row that another one is compared with, in order."""
        return list(dict.fromkeys(o for row in self.rows for o in self.baselines_of(row).all))


def _only(mapping: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name in set(names)}
