"""What relates two tasks: published tables and tables counted on annotations."""

from mtl_dm.registry import Registry
from mtl_dm.relatedness._relatedness import NothingSharedError, Relatedness
from mtl_dm.relatedness.aff_wild2_evidence import aff_wild2
from mtl_dm.relatedness.annotations import Tally, count, from_annotations
from mtl_dm.relatedness.best_known import Origin, best_known
from mtl_dm.relatedness.checks import Checked, check, counted_on
from mtl_dm.relatedness.circumplex import russell
from mtl_dm.relatedness.cognitive_study import facs
from mtl_dm.relatedness.compounds import COMPONENTS, COMPOUND_EXPRESSIONS, components_of
from mtl_dm.relatedness.contradictions import (
    Contradiction,
    Frequency,
    contradictions,
    implied_frequencies,
)
from mtl_dm.relatedness.counted_moments import (
    explained_values,
    learn_moments,
    moments_from_annotations,
    overall_moments,
)
from mtl_dm.relatedness.du_compounds import compound_du
from mtl_dm.relatedness.emotionet_compounds import compound_emotionet
from mtl_dm.relatedness.expectation_maximisation import (
    Estimator,
    drifted,
    explained,
    learn,
    marginal,
)
from mtl_dm.relatedness.implied import implied_conditional
from mtl_dm.relatedness.information import (
    Accuracy,
    Information,
    assumed_information,
    confidence,
    mutual_information,
    posterior_accuracy,
    prior_of,
)
from mtl_dm.relatedness.judging import Judged, confirmed_share, has_learned, learn_judged
from mtl_dm.relatedness.linear import Linear, linear_from_annotations
from mtl_dm.relatedness.moments import Moments
from mtl_dm.relatedness.observations import Observations
from mtl_dm.relatedness.relations import RELATIONS, relation_from_json
from mtl_dm.relatedness.shrinkage import estimate, shrink
from mtl_dm.relatedness.temperature import best_temperature

PUBLISHED: Registry = Registry("relatedness")
PUBLISHED.register("facs")(facs)
PUBLISHED.register("aff_wild2")(aff_wild2)
PUBLISHED.register("compound_emotionet")(compound_emotionet)
PUBLISHED.register("compound_du")(compound_du)
PUBLISHED.register("russell")(russell)

__all__ = [
    "COMPONENTS",
    "COMPOUND_EXPRESSIONS",
    "PUBLISHED",
    "RELATIONS",
    "Accuracy",
    "Checked",
    "Contradiction",
    "Estimator",
    "Frequency",
    "Information",
    "Judged",
    "Linear",
    "Moments",
    "NothingSharedError",
    "Observations",
    "Origin",
    "Relatedness",
    "Tally",
    "aff_wild2",
    "assumed_information",
    "best_known",
    "best_temperature",
    "check",
    "components_of",
    "compound_du",
    "compound_emotionet",
    "confidence",
    "confirmed_share",
    "contradictions",
    "count",
    "counted_on",
    "drifted",
    "estimate",
    "explained",
    "explained_values",
    "facs",
    "from_annotations",
    "has_learned",
    "implied_conditional",
    "implied_frequencies",
    "learn",
    "learn_judged",
    "learn_moments",
    "linear_from_annotations",
    "marginal",
    "moments_from_annotations",
    "mutual_information",
    "overall_moments",
    "posterior_accuracy",
    "prior_of",
    "relation_from_json",
    "russell",
    "shrink",
]
