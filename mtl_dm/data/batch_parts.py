"""The part of every batch that is made here, where several processes make a batch together."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from mtl_dm.data.deferred import parts_of


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


def even_part(
    source: tf.data.Dataset, batch_size: int, devices: int, first: int, local: int
) -> tf.data.Dataset:
    """Return the part of consecutive batches of a source that some of all devices evaluate.

    Every device gets as many rows of a batch: one that does not divide evenly is filled with copies
    of its last row under zero masks. No other rows than the part's own are decoded.

    Args:
        source: Of (inputs, labels, masks) in a fixed order.
        batch_size: Rows of a batch; the last one may have fewer.
        devices: That evaluate a batch together.
        first: Of the devices that the part is for.
        local: How many these are.
    """
    stored, make = parts_of(source)
    known = int(source.cardinality())
    length = known if known >= 0 else int(stored.reduce(0, lambda count, _: count + 1))

    def of_each(rows: Any) -> Any:
        return (rows + devices - 1) // devices

    def times(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return whether a row is of the part, and how often it fills the part up."""
        place = number % batch_size
        rows = tf.minimum(tf.cast(batch_size, tf.int64), length - number + place)
        low, high = first * of_each(rows), (first + local) * of_each(rows)
        filled = tf.maximum(high, rows) - tf.maximum(low, rows)
        return (low <= place) & (place < high), tf.where(place == rows - 1, filled, 0)

    def wanted(number: tf.Tensor) -> tf.Tensor:
        own, copies = times(number)
        return own | (copies > 0)

    def repeated(number: tf.Tensor, part: Any) -> tf.data.Dataset:
        own, copies = times(number)
        count = tf.cast(own, tf.int64) + copies
        return tf.data.Dataset.range(count).map(lambda place: (own & (place == 0), part))

    def made(own: tf.Tensor, part: Any) -> Any:
        inputs, labels, masks = part if make is None else make(part)
        masks = tf.nest.map_structure(lambda mask: mask * tf.cast(own, mask.dtype), masks)
        return inputs, labels, masks

    chosen = stored.enumerate().filter(lambda number, _: wanted(number))
    rows = chosen.flat_map(repeated).map(made, num_parallel_calls=tf.data.AUTOTUNE)
    return rows.batch(local * of_each(min(batch_size, length)))
