"""CUB-200-2011: birds, their species and 312 attributes."""

from mtl_dm.datasets.cub_200_2011.builder import Cub2002011

__all__ = ["Cub2002011"]
