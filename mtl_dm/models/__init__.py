"""Backbones, couplings, terms and the model that joins them."""

from mtl_dm.models.backbones import BACKBONES
from mtl_dm.models.coupling import Coupling, RelationCoupling
from mtl_dm.models.multi_task_model import MultiTaskModel
from mtl_dm.models.terms import Context, Term, TermProvider

__all__ = [
    "BACKBONES",
    "Context",
    "Coupling",
    "MultiTaskModel",
    "RelationCoupling",
    "Term",
    "TermProvider",
]
