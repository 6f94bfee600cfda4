"""How right a network is under measured conditions; pure functions.

Shapes: N images.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mtl_dm.cards.measures import accuracy

GROUPS = ("lowest quarter", "second quarter", "third quarter", "highest quarter")
ALIKE = 0.05
"""Of the range: images whose middle half spans less are alike, as those of a normalised set."""


def by_quarter(values: np.ndarray, right: np.ndarray) -> list[dict[str, Any]]:
    """Return the accuracy in each quarter of the images, by a measured quantity.

    Args:
        values: The quantity [N]; NaN where it could not be measured, which is a group too.
        right: bool [N].

    Returns:
        A line a group: "group", "from", "to" (of the quantity), "accuracy".
    """
    known = ~np.isnan(values)
    found: list[dict[str, Any]] = []
    if known.any():
        edges = np.quantile(values[known], [0, 0.25, 0.5, 0.75, 1])
        groups = GROUPS
        if edges[3] - edges[1] < ALIKE * (edges[4] - edges[0]):
            groups, edges = ("nearly all are alike",), edges[[0, 4]]
        quarter = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(groups) - 1)
        for place, name in enumerate(groups):
            inside = known & (quarter == place)
            line: dict[str, Any] = {"group": name}
            line |= {"from": float(edges[place]), "to": float(edges[place + 1])}
            found.append(line | {"accuracy": accuracy(right[inside])})
    if not known.all():
        nothing: Mapping[str, Any] = {"group": "not measured", "from": None, "to": None}
        found.append({**nothing, "accuracy": accuracy(right[~known])})
    return found
