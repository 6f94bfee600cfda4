"""What a model's tasks say of compound expressions; what they cannot say is an error.

Shapes: N images, K compounds, M action units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mtl_dm.relatedness import Relatedness, components_of
from mtl_dm.tasks import EXPRESSIONS, Task

VALENCE = "valence"


class Evidence:
    """The predictions that scores of compounds are made of.

    Args:
        tasks: Of the model or the models.
        outputs: By task name, what is predicted of N images: probabilities [N, size] of classes
            and attributes, values of a regression.
        table: P(action unit | compound), its K classes the compounds in the order of the scores.

    Attributes:
        table: As given.
    """

    def __init__(
        self, tasks: Sequence[Task], outputs: Mapping[str, np.ndarray], table: Relatedness
    ) -> None:
        self._tasks = tuple(tasks)
        self._outputs = outputs
        self.table = table

    @property
    def units(self) -> np.ndarray:
        """Probabilities [N, M] of the table's action units.

        Raises:
            ValueError: If no task has them all; the message says which compounds miss which.
        """
        task = self._task("multilabel", self.table.attributes, "an action unit of the compounds")
        missing = [unit for unit in self.table.attributes if unit not in task.positions]
        if missing:
            raise ValueError(
                f"The task {task.name!r} lacks action units of compounds: "
                f"{_by_compound(self.table, missing)}. Leave these compounds or these units out "
                "of the table (Relatedness.restrict)."
            )
        return self._columns(task, self.table.attributes)

    @property
    def components(self) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities [N, K] of each compound's first and second basic expression.

        Raises:
            ValueError: If a compound's name says no components or no task has one of them.
        """
        pairs = [components_of(name) for name in self.table.classes]
        task = self._task("multiclass", EXPRESSIONS, "a basic expression")
        missing = {
            name: [each for each in pair if each not in task.positions]
            for name, pair in zip(self.table.classes, pairs, strict=True)
        }
        lacking = [f"{name} ({', '.join(each)})" for name, each in missing.items() if each]
        if lacking:
            raise ValueError(
                f"The task {task.name!r} lacks components of compounds: {'; '.join(lacking)}. It "
                f"has {', '.join(task.labels)}."
            )
        first, second = zip(*pairs, strict=True)
        return self._columns(task, first), self._columns(task, second)

    @property
    def valence(self) -> np.ndarray:
        """Predicted valence [N].

        Raises:
            ValueError: If no regression task has it.
        """
        instead = " The score zero_shot(valence=False) does without."
        task = self._task("regression", (VALENCE,), "valence", instead)
        return self._columns(task, (VALENCE,))[:, 0]

    def _task(self, kind: str, labels: Sequence[str], what: str, instead: str = "") -> Task:
        for task in self._tasks:
            if task.kind == kind and set(labels) & set(task.labels):
                return task
        listed = {task.name: task.kind for task in self._tasks}
        raise ValueError(
            f"The model has no {kind} task with {what}; its tasks are {listed}.{instead}"
        )

    def _columns(self, task: Task, labels: Sequence[str]) -> np.ndarray:
        return self._outputs[task.name][:, [task.positions[label] for label in labels]]


def compounds_of(table: Relatedness, names: Sequence[str]) -> Relatedness:
    """Return the rows of a table of compounds for the classes of a task, in their order.

    Action units that none of them has are left out.

    Raises:
        ValueError: If a name is no compound of the table, or one has no action unit there.
    """
    rows = table.restrict(classes=names)
    empty = [name for name, row in zip(names, rows.weights, strict=True) if not row.any()]
    if empty:
        raise ValueError(f"The table gives no action unit for the compounds {empty}.")
    return rows.restrict(
        attributes=[
            unit
            for unit, column in zip(rows.attributes, rows.weights.T, strict=True)
            if column.any()
        ]
    )


def _by_compound(table: Relatedness, missing: Sequence[str]) -> str:
    places = {unit: place for place, unit in enumerate(table.attributes)}
    columns = [places[unit] for unit in missing]
    found = []
    for name, row in zip(table.classes, table.weights, strict=True):
        own = [unit for unit, column in zip(missing, columns, strict=True) if row[column]]
        if own:
            found.append(f"{name} ({', '.join(own)})")
    return "; ".join(found)
