"""The Clothing Attribute Dataset (CAD) of Chen, Gallagher and Girod, ECCV 2012."""

from mtl_dm.datasets.clothing_attributes._check import check
from mtl_dm.datasets.clothing_attributes._labels import Labels, read_labels
from mtl_dm.datasets.clothing_attributes._schema import ATTRIBUTES, CATEGORIES, TASKS
from mtl_dm.datasets.clothing_attributes.builder import ClothingAttributes

__all__ = [
    "ATTRIBUTES",
    "CATEGORIES",
    "TASKS",
    "ClothingAttributes",
    "Labels",
    "check",
    "read_labels",
]
