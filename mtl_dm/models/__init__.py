"""Backbones, couplings and the model that joins them."""

from mtl_dm.models.backbones import BACKBONES
from mtl_dm.models.coupling import Coupling
from mtl_dm.models.multi_task_model import MultiTaskModel

__all__ = ["BACKBONES", "Coupling", "MultiTaskModel"]
