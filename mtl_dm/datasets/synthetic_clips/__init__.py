"""Drawn clips as a data set that needs no download."""

from mtl_dm.datasets.synthetic_clips.builder import SyntheticClips, SyntheticClipsConfig

__all__ = ["SyntheticClips", "SyntheticClipsConfig"]
