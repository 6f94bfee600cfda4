"""What relates two tasks: published tables and tables counted on annotations."""

from mtl_dm.registry import Registry
from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.relatedness.aff_wild2_evidence import aff_wild2
from mtl_dm.relatedness.annotations import from_annotations
from mtl_dm.relatedness.cognitive_study import facs
from mtl_dm.relatedness.expectation_maximisation import (
    Estimator,
    Observations,
    drifted,
    explained,
    learn,
    marginal,
)
from mtl_dm.relatedness.implied import implied_conditional
from mtl_dm.relatedness.shrinkage import estimate, shrink
from mtl_dm.relatedness.temperature import best_temperature

PUBLISHED: Registry = Registry("relatedness")
PUBLISHED.register("facs")(facs)
PUBLISHED.register("aff_wild2")(aff_wild2)

__all__ = [
    "PUBLISHED",
    "Estimator",
    "Observations",
    "Relatedness",
    "aff_wild2",
    "best_temperature",
    "drifted",
    "estimate",
    "explained",
    "facs",
    "from_annotations",
    "implied_conditional",
    "learn",
    "marginal",
    "shrink",
]
