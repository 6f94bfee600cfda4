"""Synthetic faces as a data set that needs no download."""

from mtl_dm.datasets.synthetic_faces.builder import SyntheticFaces, SyntheticFacesConfig

__all__ = ["SyntheticFaces", "SyntheticFacesConfig"]
