"""A row of a table: how its networks are trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

OF_THE_PROBLEM = ("datasets", "data_dir", "image_size", "seed", "tasks")
"""Fields of the configuration that say what the data are."""


@dataclasses.dataclass(frozen=True)
class Method:
    """What a row changes.

    Attributes:
        changes: Fields of the problem's configuration and their values here.
        single_task: Train one network a task instead of one for all.
        teachers: A row of single-task networks. They label, softly, what the sources lack; the
            cell waits for that row's cell of the same column, seed and fold.
        starts_from: A row whose network, of the same tasks and backbone, gives the weights of the
            backbone to start from; the cell waits likewise.
        pretraining: Train on the problem's pretraining instead, one network for all of its tasks.
            A row that starts from this one takes over what `Problem.start` says.

    Raises:
        ValueError: If it changes what belongs to the problem.
    """

    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    single_task: bool = False
    teachers: str | None = None
    starts_from: str | None = None
    pretraining: bool = False

    def __post_init__(self) -> None:
        fixed = sorted(set(self.changes) & set(OF_THE_PROBLEM))
        if fixed:
            raise ValueError(
                f"A row changes how networks are trained; {fixed} belong to the problem of a "
                "column, the same for all of its rows."
            )

    @property
    def needs(self) -> tuple[str, ...]:
        """Rows whose networks it uses."""
        return tuple(row for row in (self.teachers, self.starts_from) if row is not None)

    def but(self, **changes: Any) -> Method:
        """Return the method with further changes in the configuration."""
        return dataclasses.replace(self, changes={**self.changes, **changes})

    def record(self) -> dict[str, Any]:
        """Return what the configuration does not say, as JSON values; what is off is left out."""
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if value and name != "changes"}
