"""Aff-Wild: valence and arousal of every frame of videos of people."""

from mtl_dm.datasets.aff_wild.builder import AffWild

__all__ = ["AffWild"]
