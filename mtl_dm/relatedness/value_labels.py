"""Labels of real values, and of what stands beside them, as arrays to count on.

Shapes: N images, K classes, M attributes, R values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mtl_dm.labels import check_absence, check_class_ids, refuse


def value_table(value_labels: Any, values: Sequence[str], rows: int) -> np.ndarray:
    """Return labels of values as float64 [N, R], NaN where they are missing.

    Args:
        value_labels: [N, R], finite or NaN.
        values: R names.
        rows: N.

    Raises:
        ValueError: If the shape is another one or a label is infinite.
    """
    table = np.asarray(value_labels, dtype=np.float64)
    if table.shape != (rows, len(values)):
        raise ValueError(f"value_labels must be {(rows, len(values))}, got {table.shape}.")
    refuse("value_labels", "be finite, or NaN where they are missing", table, np.isinf(table))
    return table


def class_table(class_labels: Any, classes: Sequence[str]) -> np.ndarray:
    """Return class ids as int64 [N], -1 where they are missing.

    Args:
        class_labels: int [N].
        classes: K names.

    Raises:
        ValueError: If they are no such integers.
    """
    ids = np.asarray(class_labels)
    if ids.ndim != 1 or not np.issubdtype(ids.dtype, np.integer):
        raise ValueError(
            f"class_labels must be integers of shape [N], got {ids.dtype} {ids.shape}."
        )
    check_class_ids("class_labels", ids, len(classes))
    return ids.astype(np.int64)


def attribute_table(attribute_labels: Any, attributes: Sequence[str]) -> np.ndarray:
    """Return labels of attributes as float64 [N, M], NaN where they are missing.

    Args:
        attribute_labels: [N, M], 1 active, 0 not; negative or NaN where it is missing.
        attributes: M names.

    Raises:
        ValueError: If the shape is another one or a label is neither 0 nor 1.
    """
    table = np.asarray(attribute_labels, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(attributes):
        raise ValueError(f"attribute_labels must be [N, {len(attributes)}], got {table.shape}.")
    check_absence("attribute_labels", table)
    known = table >= 0  # False for NaN
    hint = " One that is missing is -1 or NaN."
    refuse("attribute_labels", "be 0 or 1", table, known & ~np.isin(table, (0.0, 1.0)), 0, hint)
    return np.where(known, table, np.nan)
