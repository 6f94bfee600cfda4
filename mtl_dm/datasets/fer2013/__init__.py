"""FER2013, the facial expressions of the ICML 2013 challenge."""

from mtl_dm.datasets.fer2013.builder import Fer2013

__all__ = ["Fer2013"]
