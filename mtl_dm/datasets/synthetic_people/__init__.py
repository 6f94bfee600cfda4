"""Drawn people, each in many images, as a data set that needs no download."""

from mtl_dm.datasets.synthetic_people.builder import SyntheticPeople

__all__ = ["SyntheticPeople"]
