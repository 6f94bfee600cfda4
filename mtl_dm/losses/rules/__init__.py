"""How much a coupling term counts, from the labels of a batch: one file a rule."""

from mtl_dm.losses.rules._base import FactorRule
from mtl_dm.losses.rules.apart import Apart
from mtl_dm.losses.rules.first import First
from mtl_dm.registry import Registry

RULES: Registry[type[FactorRule]] = Registry("rule of the factors")
RULES.register("first")(First)
RULES.register("apart")(Apart)

DEFAULT_RULE = "apart"
"""Chosen on inner splits; `Apart` says how."""

__all__ = ["DEFAULT_RULE", "RULES", "Apart", "FactorRule", "First"]
