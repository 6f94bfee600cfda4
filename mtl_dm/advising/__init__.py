"""What labels alone say about coupling, before training."""

from mtl_dm.advising.advice import Advice, advise

__all__ = ["Advice", "advise"]
