"""What a step tells the gradient gates, on any backend.

A step takes the gradients at the logits on its way to the weights, as a method that sees losses
weighs the terms; where a method sees gradients they are unweighted, and cost a look at the heads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.models import gradient_gate
from mtl_dm.models.gradient_gate import AtLogits, GatedLogits


def learn(model: Any, at: Mapping[str, AtLogits], labels: Mapping[str, Any], taken: Any) -> None:
    """Let a model's gates learn from a step.

    Args:
        model: The model.
        at: What the step says, by task.
        labels: Of the batch: they say which rows are virtual.
        taken: Whether the gradients are finite on every replica.
    """
    if not model.gates:
        return
    real = 1.0 - ops.cast(labels[VIRTUAL], "float32") if VIRTUAL in labels else None
    gradient_gate.learn(model.gates, at, real, taken)


def at_logits(
    features: Mapping[str, Any], gradients: Mapping[str, GatedLogits], scale: Any
) -> dict[str, AtLogits]:
    """Return what a step says of each gated head.

    Args:
        features: By task.
        gradients: At each of the gated logits, times `scale`.
        scale: Of the loss.
    """
    return {
        name: AtLogits(features[name], own / scale, coupled / scale)
        for name, (own, coupled) in gradients.items()
    }
