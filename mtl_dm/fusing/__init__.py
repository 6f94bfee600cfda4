"""The operator G of Vielzeuf et al. 2019: embeddings of several encoders -> one embedding."""

from mtl_dm.fusing.operators import OPERATORS, Fusion, Operator, fuse
from mtl_dm.fusing.reconstruction import normalised_errors, random_errors
from mtl_dm.fusing.sources import Sources

__all__ = [
    "OPERATORS",
    "Fusion",
    "Operator",
    "Sources",
    "fuse",
    "normalised_errors",
    "random_errors",
]
