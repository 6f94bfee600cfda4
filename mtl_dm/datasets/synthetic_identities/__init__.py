"""Drawn people, many with few images each: identities and expressions of the same faces."""

from mtl_dm.datasets.synthetic_identities.builder import SyntheticIdentities

__all__ = ["SyntheticIdentities"]
