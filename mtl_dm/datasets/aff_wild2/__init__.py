"""Aff-Wild2: video frames with expression, action units, and valence and arousal."""

from mtl_dm.datasets.aff_wild2.builder import AffWild2

__all__ = ["AffWild2"]
