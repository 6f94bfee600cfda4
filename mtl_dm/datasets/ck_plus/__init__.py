"""CK+: posed expressions from neutral to their height, and who shows them."""

from mtl_dm.datasets.ck_plus.builder import CkPlus

__all__ = ["CkPlus"]
