"""How the loss terms of several tasks combine: one file a method."""

from mtl_dm.balancing._base import Balancing, check_balancing
from mtl_dm.balancing._gradients import GradientBalancing
from mtl_dm.balancing._seen import SHARED, Seen
from mtl_dm.balancing.aligned_mtl import AlignedMTL
from mtl_dm.balancing.cagrad import CAGrad
from mtl_dm.balancing.db_mtl import DBMTL
from mtl_dm.balancing.dwa import DWA
from mtl_dm.balancing.dynamic import Dynamic
from mtl_dm.balancing.equal import EqualWeighting
from mtl_dm.balancing.fairgrad import FairGrad
from mtl_dm.balancing.famo import FAMO
from mtl_dm.balancing.gls import GLS
from mtl_dm.balancing.gradnorm import GradNorm
from mtl_dm.balancing.imtl_g import ImpartialGradients
from mtl_dm.balancing.imtl_l import IMTLL
from mtl_dm.balancing.lbtw import LBTW
from mtl_dm.balancing.mgda import MGDA
from mtl_dm.balancing.min_norm import min_norm_weights
from mtl_dm.balancing.naive_dynamic import NaiveDynamic
from mtl_dm.balancing.nash_mtl import NashMTL
from mtl_dm.balancing.one_task import OneTask
from mtl_dm.balancing.pareto_mtl import ParetoMTL
from mtl_dm.balancing.pcgrad import PCGrad
from mtl_dm.balancing.rlw import RLW
from mtl_dm.balancing.static import StaticWeighting
from mtl_dm.balancing.stch import STCH
from mtl_dm.balancing.uncertainty import Uncertainty
from mtl_dm.balancing.upgrad import UPGrad
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
BALANCING.register("dynamic")(Dynamic)
BALANCING.register("naive_dynamic")(NaiveDynamic)
BALANCING.register("mgda")(MGDA)
BALANCING.register("gradnorm")(GradNorm)
BALANCING.register("pcgrad")(PCGrad)
BALANCING.register("cagrad")(CAGrad)
BALANCING.register("nash_mtl")(NashMTL)
BALANCING.register("fairgrad")(FairGrad)
BALANCING.register("upgrad")(UPGrad)
BALANCING.register("imtl_g")(ImpartialGradients)
BALANCING.register("aligned_mtl")(AlignedMTL)
BALANCING.register("db_mtl")(DBMTL)
BALANCING.register("pareto_mtl")(ParetoMTL)
BALANCING.register("one_task")(OneTask)

__all__ = [
    "BALANCING",
    "DBMTL",
    "DWA",
    "FAMO",
    "GLS",
    "IMTLL",
    "LBTW",
    "MGDA",
    "RLW",
    "SHARED",
    "STCH",
    "AlignedMTL",
    "Balancing",
    "CAGrad",
    "Dynamic",
    "EqualWeighting",
    "FairGrad",
    "GradNorm",
    "GradientBalancing",
    "ImpartialGradients",
    "NaiveDynamic",
    "NashMTL",
    "OneTask",
    "PCGrad",
    "ParetoMTL",
    "Seen",
    "StaticWeighting",
    "UPGrad",
    "Uncertainty",
    "check_balancing",
    "min_norm_weights",
]
