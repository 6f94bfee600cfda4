"""Table 1, second column: frequencies counted on the Aff-Wild2 training set."""

from __future__ import annotations

import numpy as np

from mtl_dm.relatedness._published import tabulate
from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS

CITATION = (
    "Empirical evidence from the Aff-Wild2 training set; Kollias, Sharmanska, Zafeiriou: "
    "Distribution Matching for Multi-Task Learning of Classification Tasks, AAAI 2024, Table 1."
)

# Share of the expression's images in which the action unit was active.
SHARES = {
    "happiness": {"AU12": 0.82, "AU25": 0.7, "AU6": 0.57, "AU7": 0.83, "AU10": 0.63},
    "sadness": {"AU4": 0.53, "AU15": 0.42, "AU1": 0.31, "AU7": 0.13},
    "fear": {"AU1": 0.52, "AU4": 0.4, "AU25": 0.85, "AU7": 0.57, "AU10": 0.57},
    "anger": {"AU4": 0.65, "AU7": 0.45, "AU25": 0.4, "AU10": 0.33},
    "surprise": {"AU1": 0.38, "AU2": 0.37, "AU25": 0.85, "AU26": 0.3, "AU5": 0.5, "AU7": 0.2},
    "disgust": {"AU10": 0.85, "AU4": 0.6, "AU7": 0.75, "AU25": 0.8},
}


def aff_wild2(binarize: bool = False) -> Relatedness:
    """Return the relatedness of 7 expressions and the 11 action units that the column names.

    What Aff-Wild2 never annotates is unknown, not 0: the other six action units are left out, so
    a coupling leaves them alone.

    Args:
        binarize: Give `conditional` the value 1 wherever a share is printed (the reading of
            eq. 2 for the cognitive study) instead of the share itself.
    """
    named = {unit for shares in SHARES.values() for unit in shares}
    attributes = tuple(unit for unit in ACTION_UNITS if unit in named)
    weights = tabulate(SHARES, EXPRESSIONS, attributes)
    conditional = (weights > 0).astype(np.float32) if binarize else weights
    return Relatedness(EXPRESSIONS, attributes, conditional, weights, CITATION)
