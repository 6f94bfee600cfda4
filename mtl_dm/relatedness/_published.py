"""From the sparse form in which papers print a table to a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def tabulate(
    table: Mapping[str, Mapping[str, float]], classes: Sequence[str], attributes: Sequence[str]
) -> np.ndarray:
    """Return [K, M] float32 with `table[class][attribute]`, 0 where nothing is printed."""
    return np.array(
        [[table.get(name, {}).get(attribute, 0.0) for attribute in attributes] for name in classes],
        dtype=np.float32,
    )
