"""What a report shows: the plan of one study, in plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mtl_dm.runs.schema import Repeat


@dataclass(frozen=True)
class ReportSpec:
    """The plan of a report.

    Args:
        title: Heading.
        table: The study, "table2"; cells of another one are refused.
        intro: What is compared and why; Markdown.
        main_metrics: Task -> metrics of the main table. The first task is the one of classes, the
            second the one of attributes; the first metric of each is plotted.
        rows: Methods, in order.
        columns: Databases and networks, in order; each gets its own section.
        column_metrics: Column -> its own main_metrics, where columns have different tasks.
        column_rows: Column -> the rows planned for it; a column not named has all of them.
        command: The exact command that makes this report.
        baseline_row: The single-task row that changes are measured against.
        uncoupled_row: The multi-task row without coupling, the second baseline.
        attribute_metric: Attribute metric that is watched for collapse.
        change_metrics: Task -> metrics in delta_m; None takes `main_metrics`.
        repeats: Column -> the (seed, fold) pairs that were planned; where a column is not named,
            the pairs found in any of its cells count as planned.
        test_train_ratio: Size of the test fold over the training folds, for cells with a fold.
        published_table: Table of the paper to show beside, or None.
        published_columns: Our column -> the paper's columns shown beside it.
        published_rows: Our row -> the paper's row; a row not named keeps its name.
        notes: Findings that the study computes itself; Markdown.
        per_label: (task, metric) pairs shown label by label.

    Raises:
        ValueError: If there is nothing to show, a name is given twice, or a mapping names an
            unknown column, row or task.
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
    attribute_metric: str = "f1"
    change_metrics: Mapping[str, Sequence[str]] | None = None
    column_metrics: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    column_rows: Mapping[str, Sequence[str]] = field(default_factory=dict)
    repeats: Mapping[str, Sequence[Repeat]] = field(default_factory=dict)
    test_train_ratio: float = 1.0
    published_table: str | None = None
    published_columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    published_rows: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    per_label: Sequence[tuple[str, str]] = ()

    def __post_init__(self) -> None:
        if not self.main_metrics or not all(self.main_metrics.values()):
            raise ValueError(f"main_metrics must give metrics for tasks, got {self.main_metrics}.")
        for name, values in (("rows", self.rows), ("columns", self.columns)):
            if not values or len(set(values)) != len(values):
                raise ValueError(f"{name} must be distinct and not empty, got {list(values)}.")
        known = {
            "column_metrics": (self.column_metrics, self.columns),
            "column_rows": (self.column_rows, self.columns),
            "repeats": (self.repeats, self.columns),
            "published_columns": (self.published_columns, self.columns),
            "published_rows": (self.published_rows, self.rows),
            "change_metrics": (self.change_metrics or {}, self.main_metrics),
        }
        for name, (mapping, names) in known.items():
            unknown = sorted(set(mapping) - set(names))
            if unknown:
                raise ValueError(f"{name} names {unknown}. Known: {list(names)}.")

    def for_column(self, column: str) -> ReportSpec:
        """Return the plan with the rows and the metrics of one column."""
        rows = self.rows_of(column)
        published = {row: name for row, name in self.published_rows.items() if row in rows}
        metrics = self.column_metrics.get(column, self.main_metrics)
        return replace(self, rows=rows, main_metrics=metrics, published_rows=published)

    def rows_of(self, column: str) -> Sequence[str]:
        """Return the rows planned for a column."""
        return self.column_rows.get(column, self.rows)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(task, metric) of the main table, in order."""
        return [(task, metric) for task, names in self.main_metrics.items() for metric in names]

    @property
    def attribute_task(self) -> str | None:
        """The second task of `main_metrics`, or None."""
        return list(self.main_metrics)[1] if len(self.main_metrics) > 1 else None

    def known_column(self, column: str | None) -> str:
        """Return `column`, or the first one for None.

        Raises:
            ValueError: If the column is unknown.
        """
        if column is not None and column not in self.columns:
            raise ValueError(f"Unknown column {column!r}. Known: {list(self.columns)}.")
        return column or self.columns[0]
