"""Drawn faces with compound expressions as a data set that needs no download."""

from mtl_dm.datasets.synthetic_compounds.builder import (
    SyntheticCompounds,
    SyntheticCompoundsConfig,
)

__all__ = ["SyntheticCompounds", "SyntheticCompoundsConfig"]
