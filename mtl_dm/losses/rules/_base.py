"""What a rule is: from what is labelled in a batch to how much each coupling term counts."""

from __future__ import annotations

import abc
from typing import Any

from mtl_dm.losses.shares import Labelled


class FactorRule(abc.ABC):
    """How much the two terms between classes and attributes count, as scalars in [0, 1].

    A rule sees masks alone. It gives 0 where every label is there, and never gives a term more
    because a label came in that the term would have informed.
    """

    @abc.abstractmethod
    def matching(self, labelled: Labelled) -> Any:
        """Return how much distribution matching counts."""

    @abc.abstractmethod
    def co_annotation(self, labelled: Labelled) -> Any:
        """Return how much soft co-annotation counts."""
