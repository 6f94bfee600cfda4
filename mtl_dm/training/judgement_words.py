"""What is said in training of a relatedness that labels judge."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtl_dm.models import Coupling
from mtl_dm.relatedness import Observations, Relatedness

BELIEVED, IN_PART = 0.9, 1 / 3
"""Lowest shares of a table that is called believed, and believed in part."""
NOTHING_LEARNED = "the network tells the labelled classes no better than their shares do"


def verdict(share: float | None) -> str:
    """Return what becomes of a table of which labels confirm a share; None: they did not judge."""
    if share is None:
        return "believed as given"
    if share >= BELIEVED:
        return "believed"
    return "learned from labels in part" if share >= IN_PART else "learned from labels instead"


def subject(coupling: Any) -> str:
    """Return what is judged, in words; `coupling` is one of `mtl_dm.models.coupling`."""
    return f"the relatedness of {coupling.source} and {coupling.target}"


def judged(coupling: Coupling, share: float, seen: Observations) -> str:
    """Return the line for a table that has been judged, with the labels it was not judged by."""
    line = f"the labels confirm {share:.0%} of {subject(coupling)}: {verdict(share)}."
    table = coupling.relatedness
    never = [name for k, name in enumerate(table.classes) if not (seen.class_labels == k).any()]
    labels = seen.attribute_labels
    never += [name for i, name in enumerate(table.attributes) if not (labels[:, i] >= 0).any()]
    return line + (
        f" No image is labelled with {', '.join(never)}: judged by the rest." if never else ""
    )


def not_yet(coupling: Coupling) -> str:
    """Return the line for a table that the network cannot judge yet."""
    return f"{subject(coupling)} is not judged yet: {NOTHING_LEARNED}."


def never(coupling: Any, first: int) -> str:
    """Return the line for a relation of which a training has ended before there was an estimate."""
    return (
        f"{subject(coupling)} has taught nothing: labels decide after epoch {first} first, and "
        "the training has ended before they could say anything."
    )


def unjudged(coupling: Any, reason: str) -> str:
    """Return the line for a relation that is not judged."""
    return f"{subject(coupling)} is not judged, but believed as given: {reason}."


def obstacle(seen: Observations, table: Relatedness) -> str | None:
    """Return what stands in the way of judging a table for good; None: nothing."""
    if not np.ptp(table.conditional, axis=0).any():
        return "it says the same of every class"
    if not (seen.class_labels >= 0).any():
        return "no training image is labelled with one of its classes"
    if not (seen.attribute_labels >= 0).any():
        return "no training image is labelled with one of its attributes"
    return None
