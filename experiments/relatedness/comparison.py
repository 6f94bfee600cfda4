"""Counted relatedness beside a printed or an exact one, number by number.

Shapes: K classes, M attributes of the counted table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.relatedness.counted import FACES, Counted
from mtl_dm.relatedness import Relatedness, aff_wild2, facs
from mtl_dm.reporting import wilson_interval
from mtl_dm.synthetic import true_conditional


@dataclasses.dataclass(frozen=True)
class Reference:
    """What a counted table stands beside.

    Attributes:
        name: As a heading has it.
        published: Whether the paper prints it; else it is the exact law of the data.
        values: float [K, M], 0 where the reference names class and attribute and prints nothing
            for the pair, NaN where it does not name one of them.
        printed: bool [K, M], where it gives a number.
    """

    name: str
    published: bool
    values: np.ndarray
    printed: np.ndarray


class Contradiction(NamedTuple):
    """A pair whose reference lies outside the interval of what was counted."""

    expression: str
    unit: str
    active: int
    images: int
    counted: float
    low: float
    high: float
    reference: float
    printed: bool


def references(counted: Counted) -> list[Reference]:
    """Return what a column stands beside: both printed columns, for drawn faces also their law."""
    found = [
        _reference("Cognitive study, Table 1", True, facs(), counted),
        _reference("Aff-Wild2, Table 1", True, aff_wild2(), counted),
    ]
    if counted.column == FACES:
        found.append(_reference("The law of the faces", False, true_conditional(0), counted))
    return found


def _reference(name: str, published: bool, table: Relatedness, counted: Counted) -> Reference:
    attributes = counted.relatedness.attributes
    values = np.full((len(table.classes), len(attributes)), np.nan)
    for column, attribute in enumerate(attributes):
        if attribute in table.attributes:
            values[:, column] = table.weights[:, table.attributes.index(attribute)]
    # Table 1 has no line for neutral; that is no statement about neutral faces.
    values[~table.weights.any(axis=1)] = np.nan
    return Reference(name, published, values, values > 0)


def mean_gap(counted: Counted, reference: Reference, where: np.ndarray) -> float:
    """Return the mean of |counted - reference| over some of the pairs that both have; NaN: none."""
    gaps = np.abs(counted.conditional - reference.values)[where]
    gaps = gaps[np.isfinite(gaps)]
    return float(gaps.mean()) if gaps.size else float("nan")


def intervals(counted: Counted) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95% Wilson intervals of P, [K, M] twice, NaN where nothing was counted."""
    low, high = np.full((2, *counted.counts.shape), np.nan)
    for place in np.argwhere(counted.counts > 0):
        at = tuple(place)
        low[at], high[at] = wilson_interval(int(counted.active[at]), int(counted.counts[at]))
    return low, high


def contradictions(counted: Counted, reference: Reference, limit: int) -> list[Contradiction]:
    """Return the pairs whose reference is outside the 95% interval, the farthest apart first."""
    low, high = intervals(counted)
    gaps = np.abs(counted.conditional - reference.values)
    outside = (reference.values < low) | (reference.values > high)  # False for NaN
    gaps = np.where(outside, gaps, -1.0)
    found = []
    for flat in np.argsort(-gaps, axis=None, kind="stable")[:limit]:
        k, i = map(int, np.unravel_index(flat, gaps.shape))
        if gaps[k, i] < 0:
            break
        found.append(
            Contradiction(
                counted.relatedness.classes[k],
                counted.relatedness.attributes[i],
                int(counted.active[k, i]),
                int(counted.counts[k, i]),
                float(counted.conditional[k, i]),
                float(low[k, i]),
                float(high[k, i]),
                float(reference.values[k, i]),
                bool(reference.printed[k, i]),
            )
        )
    return found


def covered(counted: Counted, reference: Reference) -> tuple[int, int]:
    """Return how many pairs have the reference inside their interval, and how many pairs there are.

    Where the reference is the law that the data were drawn from, about 95% should.
    """
    low, high = intervals(counted)
    both = np.isfinite(low) & np.isfinite(reference.values)
    inside = both & (low <= reference.values) & (reference.values <= high)
    return int(inside.sum()), int(both.sum())


def shown_counts(counted: Counted) -> list[Sequence[str]]:
    """Return expression, images, and the images a unit was annotated on, "all" or a range."""
    lines: list[Sequence[str]] = []
    for name, images, row in zip(
        counted.relatedness.classes, counted.images, counted.counts, strict=True
    ):
        few, many = int(row.min()), int(row.max())
        per_unit = "all" if few == images else f"{few:,} to {many:,}"
        lines.append((name, f"{images:,}", per_unit if images else "none"))
    return lines
