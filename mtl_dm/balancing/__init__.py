"""How the loss terms of several tasks combine: one file a method."""

from mtl_dm.balancing._base import Balancing, Seen, check_balancing
from mtl_dm.balancing._gradients import GradientBalancing
from mtl_dm.balancing.equal import EqualWeighting
from mtl_dm.balancing.gradnorm import GradNorm
from mtl_dm.balancing.mgda import MGDA
from mtl_dm.balancing.min_norm import min_norm_weights
from mtl_dm.balancing.one_task import OneTask
from mtl_dm.balancing.static import StaticWeighting
from mtl_dm.balancing.uncertainty import Uncertainty
from mtl_dm.registry import Registry

BALANCING: Registry[type[Balancing]] = Registry("balancing method")
BALANCING.register("equal")(EqualWeighting)
BALANCING.alias("total", "equal")
BALANCING.register("static")(StaticWeighting)
BALANCING.register("uncertainty")(Uncertainty)
BALANCING.register("mgda")(MGDA)
BALANCING.register("gradnorm")(GradNorm)
BALANCING.register("one_task")(OneTask)

__all__ = [
    "BALANCING",
    "MGDA",
    "Balancing",
    "EqualWeighting",
    "GradNorm",
    "GradientBalancing",
    "OneTask",
    "Seen",
    "StaticWeighting",
    "Uncertainty",
    "check_balancing",
    "min_norm_weights",
]
