"""Frozen networks that turn a face into an embedding, whoever trained them and in what format.

Several of them are the sources of multi-source transfer (Vielzeuf et al. 2019).
"""

from mtl_dm.encoders.cache import Embeddings, cached
from mtl_dm.encoders.encoder import Encoder
from mtl_dm.encoders.images import ImageArray, ImageFolder, Images
from mtl_dm.encoders.named import ENCODERS, encoders_of

__all__ = [
    "ENCODERS",
    "Embeddings",
    "Encoder",
    "ImageArray",
    "ImageFolder",
    "Images",
    "cached",
    "encoders_of",
]
