"""A term counts by the share of the batch that it informs."""

from __future__ import annotations

from typing import Any

from mtl_dm.losses.rules._base import FactorRule
from mtl_dm.losses.shares import Labelled, attributes_without_class, missing_attributes


class First(FactorRule):
    """Count a term with the share of the labels, or of the images, that it informs.

    Source: this project. Everything that it informs counts the same, also where the rest of the
    batch shows the network itself how classes and attributes go together.
    """

    def matching(self, labelled: Labelled) -> Any:
        """Return the share of attribute labels that are missing."""
        return missing_attributes(labelled)

    def co_annotation(self, labelled: Labelled) -> Any:
        """Return the share of images with attributes and no class."""
        return attributes_without_class(labelled)
