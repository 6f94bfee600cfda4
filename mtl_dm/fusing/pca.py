"""Principal components of any number of rows, seen batch by batch.

Shapes: R rows, N numbers, K components.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import linalg


class PrincipalComponents:
    """The directions of the largest variance.

    Exact, unlike incremental singular value decompositions that forget what they cut off: the
    N x N covariance is summed up and then taken apart, so that the memory is that of the
    covariance. Signs are scikit-learn's: of each component the largest number is positive.

    Args:
        batches: Rows [R, N].
        size: K, at most N and at most the number of rows.

    Raises:
        ValueError: If there are fewer rows or numbers than components.
    """

    def __init__(self, batches: Iterable[np.ndarray], size: int) -> None:
        count, total, products = 0, np.zeros(1), np.zeros((1, 1))
        for batch in batches:
            rows = batch.astype(np.float64)
            count += len(rows)
            total, products = total + rows.sum(axis=0), products + rows.T @ rows
        if not 1 <= size <= min(count, len(total)):
            raise ValueError(
                f"size must be 1 to {min(count, len(total))} for {count} rows of {len(total)} "
                f"numbers, got {size}."
            )
        self.size = size
        self.mean: np.ndarray = total / count
        covariance = products / count - np.outer(self.mean, self.mean)
        width = len(covariance)
        _, vectors = linalg.eigh(covariance, subset_by_index=(width - size, width - 1))
        components = vectors[:, ::-1].T
        largest = np.abs(components).argmax(axis=1)
        self.components: np.ndarray = (
            components * np.sign(components[np.arange(size), largest])[:, None]
        )

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """Return the components of rows, float32 [R, K]."""
        return ((rows - self.mean) @ self.components.T).astype(np.float32)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the rows that codes stand for, float32 [R, N]."""
        return (codes @ self.components + self.mean).astype(np.float32)
