"""The one place where relative annotations become binary attributes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mtl_dm.datasets.reading import MISSING
from mtl_dm.datasets.shoes_sadd._annotations import FIRST, SECOND, Annotations

RULES = {
    "class_orders": "by type: 1 where the type ranks in the upper half of the types, else 0",
    "pairs": "by comparison: 1 for more wins than losses, 0 for fewer, else missing",
    "pairs_then_orders": "by comparison; by type where that says nothing",
}
"""The ways to choose from; the first one is the default."""


def binarise(annotations: Annotations, rule: str) -> npt.NDArray[np.int8]:
    """Return the attributes of N images: 1 active, 0 not active, -1 unknown.

    The data set has no binary attributes: it ranks the ten types by each attribute, and workers
    compared some pairs of images. The paper (Kollias et al. 2024) uses binary attributes and does
    not say how it made them. Each rule is a guess, so the user chooses:

    - "class_orders": attribute i is active on an image if the rank of its type is above the median
      rank over the types, and not active otherwise, ties with the median included. Every image
      has every attribute, and all images of a type have the same ones.
    - "pairs": attribute i is active on an image that wins more of its comparisons than it loses,
      not active on one that loses more, unknown on the others; "similar" counts for neither.
      Nearly all images are in no comparison.
    - "pairs_then_orders": as "pairs", and as "class_orders" where that is unknown.

    Args:
        annotations: What the release says.
        rule: A key of `RULES`.

    Returns:
        int8 [N, M].

    Raises:
        ValueError: If there is no such rule.
    """
    if rule not in RULES:
        raise ValueError(f"Unknown rule {rule!r}. Known: {', '.join(RULES)}.")
    by_type = _by_orders(annotations)[:, annotations.types].T
    if rule == "class_orders":
        return by_type
    by_pair = _by_pairs(annotations)
    return by_pair if rule == "pairs" else np.where(by_pair == MISSING, by_type, by_pair)


def _by_orders(annotations: Annotations) -> npt.NDArray[np.int8]:
    """Return int8 [M, K]; a type without images has no rank, and no image asks for it."""
    median = np.nanmedian(annotations.orders, axis=1, keepdims=True)
    return (annotations.orders > median).astype(np.int8)


def _by_pairs(annotations: Annotations) -> npt.NDArray[np.int8]:
    balance = np.zeros((len(annotations.names), len(annotations.orders)), dtype=np.int64)
    first, second, attribute, answer = annotations.pairs.T
    # +1 where the first image shows more, -1 where the second does.
    outcome = np.select([answer == FIRST, answer == SECOND], [1, -1], 0)
    np.add.at(balance, (first, attribute), outcome)
    np.add.at(balance, (second, attribute), -outcome)
    return np.select([balance > 0, balance < 0], [1, 0], MISSING).astype(np.int8)
