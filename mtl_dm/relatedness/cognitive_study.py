"""Table 1, first column: the cognitive study of Du, Tao and Martinez (2014)."""

from __future__ import annotations

import numpy as np

from mtl_dm.relatedness._published import tabulate
from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS

CITATION = (
    "Du, Tao, Martinez: Compound facial expressions of emotion, PNAS 111(15), 2014; as printed in "
    "Kollias, Sharmanska, Zafeiriou: Distribution Matching for Multi-Task Learning of "
    "Classification Tasks, AAAI 2024, Table 1."
)

# Fraction of annotators that saw the action unit; 1 where it is prototypical.
WEIGHTS = {
    "happiness": {"AU12": 1.0, "AU25": 1.0, "AU6": 0.51},
    "sadness": {"AU4": 1.0, "AU15": 1.0, "AU1": 0.6, "AU6": 0.5, "AU11": 0.26, "AU17": 0.67},
    "fear": {
        "AU1": 1.0, "AU4": 1.0, "AU20": 1.0, "AU25": 1.0, "AU2": 0.57, "AU5": 0.63, "AU26": 0.33,
    },
    "anger": {"AU4": 1.0, "AU7": 1.0, "AU24": 1.0, "AU10": 0.26, "AU17": 0.52, "AU23": 0.29},
    "surprise": {"AU1": 1.0, "AU2": 1.0, "AU25": 1.0, "AU26": 1.0, "AU5": 0.66},
    "disgust": {"AU9": 1.0, "AU10": 1.0, "AU17": 1.0, "AU4": 0.31, "AU24": 0.26},
}  # fmt: skip


def facs() -> Relatedness:
    """Return the relatedness of 7 expressions (neutral first) and 17 action units.

    `conditional` is 1 where an action unit is prototypical or observational, else 0 (as under
    eq. 2); `weights` is 1 where prototypical and the printed w where observational (eq. 4).
    """
    weights = tabulate(WEIGHTS, EXPRESSIONS, ACTION_UNITS)
    conditional = (weights > 0).astype(np.float32)
    return Relatedness(EXPRESSIONS, ACTION_UNITS, conditional, weights, CITATION)
