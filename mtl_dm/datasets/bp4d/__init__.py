"""BP4D and BP4D+: action units of people at tasks that move them."""

from mtl_dm.datasets.bp4d.builder import Bp4d

__all__ = ["Bp4d"]
