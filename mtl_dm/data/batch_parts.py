"""The part of every batch that is made here, where several processes make a batch together."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Part:
    """Consecutive rows of every batch.

    Attributes:
        first: The first one.
        rows: How many, >= 1.
        whole: Rows of the batch.
    """

    first: int
    rows: int
    whole: int

    def __post_init__(self) -> None:
        if not (self.first >= 0 and self.rows >= 1 and self.first + self.rows <= self.whole):
            raise ValueError(
                f"A part needs at least one row, all of them among the {self.whole} of a batch, "
                f"got {self.rows} from row {self.first} on."
            )

    def of(self, values: Any) -> Any:
        """Return its rows of something that has one row for each of the batch."""
        return values[self.first : self.first + self.rows]


def drawn(draw: Any, rows: tf.Tensor, part: Part | None) -> tf.Tensor:
    """Return what chance gives the rows at hand: of a part, what the whole batch would give them.

    Args:
        draw: Returns draws [N, ...] for a number of rows N.
        rows: Those at hand.
        part: Which of a batch they are; None: they are the batch.
    """
    return draw(rows) if part is None else part.of(draw(part.whole))
