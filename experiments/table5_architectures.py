"""The rows of Table 5 that change the network: here, and nowhere else, architectures are added.

Each is a `Method` on the ResNet of `backbone`, with stages of its own where it trains in phases.
They stand beside ST and NC MT of the same network; two folds give levels, no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.engine.method import Method
from mtl_dm.spec import Spec

NAMES = ("AdaShare", "TR")
"""As the paper's Table 5 has them."""
EPOCHS = 20
FIELDS: Mapping[str, Any] = {
    "augment": True,
    "image_size": 64,
    "batch_size": 50,
    "epochs": EPOCHS,
}
"""Of the demo, without the backbone."""
TASKS = ("category", "attributes")


def backbone(variant: str, tasks: Sequence[str], name: str = "task_routing", **options: Any) -> str:
    """Return a network; without options the ResNet, shared as a whole.

    Args:
        variant: "paper" or "demo".
        tasks: Names of the tasks.
        name: Of the backbone.
        **options: Of the backbone.
    """
    if name == "task_routing" and not options:
        options = {"sigma": 0.0}
    return str(Spec(name, {"variant": variant, "tasks": tuple(tasks), **options}))


def architectures(variant: str, tasks: Sequence[str], epochs: int) -> dict[str, Method]:
    """Return the rows.

    AdaShare: after a warm-up, weights and policy in turn on the same images (the source halves its
    training data for this), all blocks open from the first round, then the sampled network is
    trained anew as long as the other rows train.

    Args:
        variant: "paper" or "demo".
        tasks: Names of the tasks.
        epochs: Of the other rows.
    """
    part = max(1, epochs // 5)
    policy = {"trainable": "backbone/policy", "learning_rate": 0.01}
    phases = [
        Spec("warmup", {"epochs": part}),
        Spec("weights_1", {"epochs": part}),
        Spec("policy_1", {"epochs": part, **policy}),
        Spec("retrain", {"epochs": epochs}),
    ]
    searched = backbone(variant, tasks, "adashare", curriculum=0)
    routed = backbone(variant, tasks, sigma=0.5)
    return {
        "AdaShare": Method({"backbone": searched, "stages": tuple(map(str, phases))}),
        "TR": Method({"backbone": routed, "balancing": "one_task"}),
    }
