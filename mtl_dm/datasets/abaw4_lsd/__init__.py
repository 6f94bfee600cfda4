"""The synthetic faces of the fourth ABAW competition."""

from mtl_dm.datasets.abaw4_lsd.builder import Abaw4Lsd

__all__ = ["Abaw4Lsd"]
