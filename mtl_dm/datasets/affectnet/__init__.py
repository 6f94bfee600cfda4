"""AffectNet: expressions, valence and arousal of faces found by web search."""

from mtl_dm.datasets.affectnet.builder import AffectNet

__all__ = ["AffectNet"]
