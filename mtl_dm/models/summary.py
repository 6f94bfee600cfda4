"""Print every registered backbone with its size and cost, one line a variant.

Example:
    python -m mtl_dm.models.summary --steps=3 --only=compact_cnn,vgg16
"""

from __future__ import annotations

from mtl_dm.models.counting import Macs, Parameters, macs_of, parameters_of

__all__ = ["Macs", "Parameters", "macs_of", "parameters_of"]
