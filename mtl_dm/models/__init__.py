"""Backbones, couplings, terms and the model that joins them."""

from mtl_dm.models.backbones import BACKBONES
from mtl_dm.models.centre_loss import CentreLoss
from mtl_dm.models.coupling import Coupling, RelationCoupling
from mtl_dm.models.multi_task_model import MultiTaskModel
from mtl_dm.models.terms import Context, Term, TermProvider
from mtl_dm.registry import Registry

TERMS: Registry[type[TermProvider]] = Registry("loss term")
TERMS.register("centre_loss")(CentreLoss)

__all__ = [
    "BACKBONES",
    "TERMS",
    "CentreLoss",
    "Context",
    "Coupling",
    "MultiTaskModel",
    "RelationCoupling",
    "Term",
    "TermProvider",
]
