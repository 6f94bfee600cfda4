"""Pairs of images to verify: do both show the same person?

Lists as databases publish them, and pairs drawn from any data set that knows who is on its images.
A pair belongs to a fold. No person is in two folds, but where the source says otherwise: a
threshold that is chosen on other folds has then seen nobody whom it is tested on.
"""

from mtl_dm.data.pairs.drawn import draw_pairs
from mtl_dm.data.pairs.lists import read_author_pairs, read_lfw_pairs, read_ytf_pairs
from mtl_dm.data.pairs.pairs import Pairs

__all__ = ["Pairs", "draw_pairs", "read_author_pairs", "read_lfw_pairs", "read_ytf_pairs"]
