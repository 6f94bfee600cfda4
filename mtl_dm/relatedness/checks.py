"""What annotations say of a table, and of one that was given beside it.

Shapes: N images, K classes, M attributes.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.relatedness.annotations import Tally, count
from mtl_dm.relatedness.contradictions import (
    Contradiction,
    Frequency,
    contradictions,
    implied_frequencies,
)
from mtl_dm.relatedness.information import (
    Accuracy,
    Information,
    assumed_information,
    confidence,
    mutual_information,
    posterior_accuracy,
)
from mtl_dm.relatedness.temperature import best_temperature


@dataclasses.dataclass(frozen=True)
class Checked:
    """What annotations say of two tables: one to use, and one that was given.

    Attributes:
        tally: The counts.
        information: Mutual information on images with both labels; None where there are none.
        assumed: [M], bits that the table claims.
        by_given: Accuracy of the given table's posterior; None without table or such images.
        own: Accuracy of a table counted on these images, each left out in its turn.
        contradictions: Pairs whose counted share is not what the given table says.
        frequencies: Of attributes, implied by the given table and observed, where no image has
            both labels.
        temperature: T that suits the table; None without images with both labels.
        confidence: Mean probability of the likeliest class that the table gives images with
            attributes; NaN where none has any.
    """

    tally: Tally
    information: Information | None
    assumed: np.ndarray
    by_given: Accuracy | None
    own: Accuracy | None
    contradictions: tuple[Contradiction, ...]
    frequencies: tuple[Frequency, ...]
    temperature: float | None
    confidence: float

    @property
    def bits(self) -> np.ndarray:
        """Information of each attribute, [M], counted where it can be, else as assumed."""
        return self.assumed if self.information is None else self.information.bits


def check(
    class_labels: Any,
    attribute_labels: Any,
    attribute_mask: Any,
    table: Relatedness,
    given: Relatedness | None = None,
    *,
    counted: bool = False,
) -> Checked:
    """Return what annotations say of a table.

    Args:
        class_labels: int [N], -1 where it is missing, in the order of the table.
        attribute_labels: [N, M], anything under a zero mask.
        attribute_mask: [N, M], 1 annotated, 0 not.
        table: The table to use.
        given: One over the same labels to hold against it.
        counted: The table was counted on these very images.

    Raises:
        ValueError: As `count`.
    """
    arrays = class_labels, attribute_labels, attribute_mask
    tally = count(*arrays, table.classes, table.attributes)
    both = tally.co_annotated > 0
    judged = given if both else None
    return Checked(
        tally=tally,
        information=mutual_information(tally) if both else None,
        assumed=assumed_information(table),
        by_given=posterior_accuracy(*arrays, judged, leave_one_out=counted_on(judged, tally))
        if judged
        else None,
        own=posterior_accuracy(*arrays, table, leave_one_out=True) if counted else None,
        contradictions=tuple(contradictions(judged, tally)) if judged else (),
        frequencies=_frequencies(*arrays, given) if given and not both else (),
        temperature=best_temperature(*arrays, table, leave_one_out=counted) if both else None,
        confidence=confidence(attribute_labels, attribute_mask, table),
    )


def counted_on(table: Relatedness, tally: Tally) -> bool:
    """Return whether a table was counted on these very images, which then need leaving out."""
    return table.counts is not None and (
        np.allclose(table.counts, tally.annotated)
        and np.allclose(table.counts * table.conditional, tally.active, rtol=1e-4, atol=1e-2)
    )


def _frequencies(
    class_labels: Any, attribute_labels: Any, attribute_mask: Any, given: Relatedness
) -> tuple[Frequency, ...]:
    mask, classes = np.asarray(attribute_mask) > 0, np.asarray(class_labels)
    active = np.where(mask, attribute_labels, 0.0).sum(axis=0)
    images = np.bincount(classes[classes >= 0], minlength=len(given.classes))
    if given.prior is not None or not images.any():
        return tuple(implied_frequencies(given, active, mask.sum(axis=0)))
    shares = images / images.sum()
    return tuple(implied_frequencies(given, active, mask.sum(axis=0), shares, images.sum()))
