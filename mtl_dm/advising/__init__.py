"""What labels alone say about coupling, before training."""

from mtl_dm.advising.advice import Advice, advise
from mtl_dm.advising.of_values import ValueAdvice, advise_values

__all__ = ["Advice", "ValueAdvice", "advise", "advise_values"]
