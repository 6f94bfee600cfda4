"""How much of each source a common embedding keeps: the normalised RMSE of Table 5.

Shapes: R rows, N numbers of all sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from mtl_dm.fusing.sources import BATCH, Sources


def normalised_errors(
    pairs: Iterable[tuple[np.ndarray, np.ndarray]], slices: Mapping[str, slice]
) -> dict[str, float]:
    """Return sqrt(sum |reconstructed - h|^2 / sum |h - mean h|^2) of each source.

    The sums are over rows and over the numbers of the source. Vielzeuf et al. 2019 do not define
    their normalised RMSE; with the standard deviation below the fraction, two independent uniform
    draws from one range give sqrt(2), which is their 1.4 of random embeddings.

    Args:
        pairs: Batches of h and of its reconstruction, [R, N] each.
        slices: Where the sources lie in a row.

    Raises:
        ValueError: If there is no row, or a source does not vary.
    """
    count, origin = 0, None
    error = total = squares = np.zeros(1)
    for true, found in pairs:
        # Around the first row, as in `standard_of`.
        origin = true[0].astype(np.float64) if origin is None else origin
        off = true - origin
        count += len(true)
        error = error + ((found.astype(np.float64) - true) ** 2).sum(axis=0)
        total, squares = total + off.sum(axis=0), squares + (off**2).sum(axis=0)
    if not count:
        raise ValueError("There is no row to reconstruct.")
    spread = np.maximum(squares - np.square(total) / count, 0.0)
    found_errors = {}
    for name, part in slices.items():
        if not spread[part].sum() > 0:
            raise ValueError(f"The source {name!r} does not vary over these {count} rows.")
        found_errors[name] = float(np.sqrt(np.sum(error[part]) / spread[part].sum()))
    return found_errors


def reconstructed(
    sources: Sources, places: np.ndarray, through: Callable[[np.ndarray], np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield rows and what they become, for `normalised_errors`."""
    for rows in sources.batches(places):
        yield rows, through(rows)


def random_errors(sources: Sources, places: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Return the errors of embeddings drawn uniformly from the range of each number.

    The row of Table 5's text that any operator must be far below: about 1.4 for numbers that are
    spread evenly, more for those that crowd around a mean.

    Args:
        sources: The embeddings.
        places: Of the rows.
        seed: Of the draws.

    Raises:
        ValueError: As `normalised_errors`.
    """
    low, high = np.inf, -np.inf
    for rows in sources.batches(places):
        low, high = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))
    draws = np.random.default_rng(seed)
    pairs = (
        (rows, draws.uniform(low, high, rows.shape)) for rows in sources.batches(places, BATCH)
    )
    return normalised_errors(pairs, sources.slices)
