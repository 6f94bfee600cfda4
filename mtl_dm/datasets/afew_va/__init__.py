"""AFEW-VA: valence and arousal of every frame of clips from films."""

from mtl_dm.datasets.afew_va.builder import AfewVa

__all__ = ["AfewVa"]
