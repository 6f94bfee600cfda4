"""The paper's objective: the sum of all terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from mtl_dm.balancing._base import LossBalancing


@keras.saving.register_keras_serializable("mtl_dm")
class Total(LossBalancing):
    """L_MT = L_Exp + L_AU + L_DM + L_SCA (Kollias et al. 2024, eq. 1)."""

    def combine(self, losses: Mapping[str, Any]) -> Any:
        """Return the sum of the terms."""
        return sum(losses.values())
