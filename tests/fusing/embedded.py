"""Embeddings of two sources on disk that share what they know, as `cached` leaves them."""

import itertools

import numpy as np

from mtl_dm.encoders import Embeddings
from mtl_dm.fusing import Sources

WIDTHS = {"one": 48, "other": 24}


def written(folder, name, array, rows=37):
    """Return float16 embeddings in shards."""
    folder.mkdir(parents=True, exist_ok=True)
    starts = [*range(0, len(array), rows), len(array)]
    paths = []
    for start, end in itertools.pairwise(starts):
        paths.append(folder / f"{start}.npy")
        np.save(paths[-1], array[start:end].astype(np.float16))
    return Embeddings(name, tuple(paths), tuple(starts), array.shape[1])


def sources_in(folder, count=200):
    """Return two sources that are mixtures of three factors, the second one of another scale."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(count, 3))
    parts = [
        written(folder / name, name, scale * (factors @ rng.normal(size=(3, width))) + 3.0)
        for (name, width), scale in zip(WIDTHS.items(), (1.0, 20.0), strict=True)
    ]
    return Sources(tuple(parts))
