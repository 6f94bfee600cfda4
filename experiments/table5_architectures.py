"""The rows of Table 5 that change the network: here, and nowhere else, architectures are added.

Each is a `Method` on `BACKBONE`, with stages of its own where it trains in phases. They stand
beside ST and NC MT of the same network; two folds give levels, no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.engine.method import Method

BACKBONE = "resnet50(variant=demo)"
FIELDS: Mapping[str, Any] = {
    "backbone": BACKBONE,
    "augment": True,
    "image_size": 64,
    "batch_size": 50,
    "epochs": 20,
}
ARCHITECTURES: Mapping[str, Method] = {}
"""By row, as the paper's Table 5 names it: AdaShare, TR."""
