"""A term counts by the share of the batch that it informs, and by how far apart the labels are."""

from __future__ import annotations

from typing import Any

from mtl_dm.losses.rules._base import FactorRule
from mtl_dm.losses.shares import (
    Labelled,
    attributes_beside_class,
    attributes_without_class,
    class_beside_attributes,
    missing_attributes,
)

POWER = 2
"""Of the share of labels that stand alone."""


class Apart(FactorRule):
    """Count a term as `First` does, times a power of the share of labels that stand alone.

    Source: this project. A coupling tells the network of one task what the labels of the other
    say. Images with both labels tell it that themselves, and rightly; the fewer they are, the more
    the coupling has to say:

        matching:       (1 - m) (1 - m_c)^2
        co-annotation:  u (1 - c_a)^2

    with m the share of attribute labels that are there and m_c that among images with a class, u
    the share of images with attributes and no class and c_a the share of images with a class among
    those with attributes. Where no image has both labels, m_c = c_a = 0 and it is `First`.
    """

    def matching(self, labelled: Labelled) -> Any:
        """Return the share of attribute labels that are missing, times a power."""
        alone = 1.0 - attributes_beside_class(labelled)
        return missing_attributes(labelled) * alone**POWER

    def co_annotation(self, labelled: Labelled) -> Any:
        """Return the share of images with attributes and no class, times a power."""
        alone = 1.0 - class_beside_attributes(labelled)
        return attributes_without_class(labelled) * alone**POWER
