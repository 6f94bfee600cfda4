"""The rows of the study of heterogeneous tasks on faces, and what they are compared with."""

from __future__ import annotations

from experiments.engine.method import Method
from mtl_dm.reporting import Baselines

ALONE, UNCOUPLED = "ST", "three tasks, no coupling"
PRINTED, UNITS, EVERY = (
    "coupled expression-AU, printed",
    "coupled expression-AU",
    "coupled all",
)

AFFECT = "affect(relation=russell, source=expression, target=valence_arousal)"
"""Class -> valence-arousal by moments: Russell's coordinates, this library's default forms."""

_PRINTED = {"matching_form": "paper", "co_annotation_form": "paper"}
ROWS = {
    ALONE: Method(single_task=True),
    UNCOUPLED: Method(),
    PRINTED: Method({"relatedness": "facs", **_PRINTED}),
    UNITS: Method({"relatedness": "facs"}),
    EVERY: Method({"relatedness": "facs", "couplings": (AFFECT,)}),
}
BASELINES = {EVERY: Baselines(ALONE, UNCOUPLED, (UNITS,))}
PUBLISHED_ROWS = {PRINTED: "FaceBehaviorNet"}
"""FaceBehaviorNet is trained with the printed losses between expressions and action units, and
without any between these and valence-arousal."""
