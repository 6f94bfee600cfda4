"""What is said on the terminal of a few photos; a file has all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mtl_dm.predicting.cards import summary
from mtl_dm.predicting.rows import Row
from mtl_dm.tasks import Task

MOST = 10
"""Faces, and images without one, of which something is said."""


class Telling:
    """Says of the first lines of a table what they say, in words, and counts the others.

    Args:
        tasks: The model's tasks.
        unseen: By task, labels that no training image was annotated for: nothing is said of them.
    """

    def __init__(self, tasks: Sequence[Task], unseen: Mapping[str, Sequence[str]]) -> None:
        self._tasks, self._unseen = tuple(tasks), unseen
        self._said: list[str] = []
        self._others = 0

    def add(self, row: Row) -> None:
        """Take a face, or an image without one."""
        if len(self._said) < MOST:
            self._said.append(self._told(row))
        else:
            self._others += 1

    def lines(self) -> list[str]:
        """Return what there is to say."""
        return [*self._said, *([f"and {self._others:,} more lines"] if self._others else [])]

    def _told(self, row: Row) -> str:
        where = row.file if row.time is None else f"{row.file} at {row.time:.2f} s"
        if row.prediction is None:
            return f"{where}: {row.reason}"
        return f"{where}, face {row.face}: {'; '.join(self._predicted(row.prediction))}"

    def _predicted(self, prediction: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
        for task in self._tasks:
            hidden = self._unseen.get(task.name, ())
            values = {
                name: value for name, value in prediction[task.name].items() if name not in hidden
            }
            if task.kind != "multiclass":
                yield summary(task, values)
            elif values:
                best = max(values, key=values.__getitem__)
                yield f"{best} {values[best]:.2f}"
