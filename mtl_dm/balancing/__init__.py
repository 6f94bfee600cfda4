"""How the loss terms of several tasks combine: one file a method."""

from mtl_dm.balancing._base import Balancing, Seen, check_balancing
from mtl_dm.balancing._gradients import GradientBalancing
from mtl_dm.balancing.dwa import DWA
from mtl_dm.balancing.equal import EqualWeighting
from mtl_dm.balancing.famo import FAMO
from mtl_dm.balancing.gls import GLS
from mtl_dm.balancing.gradnorm import GradNorm
from mtl_dm.balancing.imtl_l import IMTLL
from mtl_dm.balancing.lbtw import LBTW
from mtl_dm.balancing.mgda import MGDA
from mtl_dm.balancing.min_norm import min_norm_weights
from mtl_dm.balancing.rlw import RLW
from mtl_dm.balancing.static import StaticWeighting
from mtl_dm.balancing.stch import STCH
from mtl_dm.balancing.uncertainty import Uncertainty
from mtl_dm.registry import Registry

BALANCING: Registry[type[Balancing]] = Registry("balancing method")
BALANCING.register("equal")(EqualWeighting)
BALANCING.alias("total", "equal")
BALANCING.register("static")(StaticWeighting)
BALANCING.register("uncertainty")(Uncertainty)
BALANCING.register("dwa")(DWA)
BALANCING.register("lbtw")(LBTW)
BALANCING.register("rlw")(RLW)
BALANCING.register("imtl_l")(IMTLL)
BALANCING.register("famo")(FAMO)
BALANCING.register("stch")(STCH)
BALANCING.register("gls")(GLS)
BALANCING.register("mgda")(MGDA)
BALANCING.register("gradnorm")(GradNorm)

__all__ = [
    "BALANCING",
    "DWA",
    "FAMO",
    "GLS",
    "IMTLL",
    "LBTW",
    "MGDA",
    "RLW",
    "STCH",
    "Balancing",
    "EqualWeighting",
    "GradNorm",
    "GradientBalancing",
    "Seen",
    "StaticWeighting",
    "Uncertainty",
    "check_balancing",
    "min_norm_weights",
]
