"""How the loss terms of several tasks combine: one file a method."""

from mtl_dm.balancing._base import LossBalancing
from mtl_dm.balancing.total import Total
from mtl_dm.balancing.uncertainty import Uncertainty
from mtl_dm.registry import Registry

BALANCING: Registry[type[LossBalancing]] = Registry("balancing method")
BALANCING.register("equal")(Total)
BALANCING.alias("total", "equal")
BALANCING.register("uncertainty")(Uncertainty)

__all__ = ["BALANCING", "LossBalancing", "Total", "Uncertainty"]
