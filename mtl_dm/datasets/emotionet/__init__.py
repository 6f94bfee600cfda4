"""EmotioNet: facial action units of images found by web search."""

from mtl_dm.datasets.emotionet.builder import EmotioNet

__all__ = ["EmotioNet"]
