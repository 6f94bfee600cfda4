"""Oulu-CASIA: posed expressions in three lights, seen and near-infrared, and who shows them."""

from mtl_dm.datasets.oulu_casia.builder import OuluCasia

__all__ = ["OuluCasia"]
