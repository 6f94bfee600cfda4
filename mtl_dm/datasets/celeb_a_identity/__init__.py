"""CelebA with identities: who a face is, and 40 attributes."""

from mtl_dm.datasets.celeb_a_identity.builder import CelebAIdentity

__all__ = ["CelebAIdentity"]
