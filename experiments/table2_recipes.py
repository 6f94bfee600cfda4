"""How the sources of Table 2's networks train them, as far as they say and as a run here can.

Table 2 itself trains with Adam at 1e-3 (the paper, "Training Implementation Details"); the preset
paper-recipes takes these instead. A recipe that is empty has a silent source: Adam at 1e-3 stays.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The training of one network.

    Attributes:
        stages: Of the configuration; none where the source is silent.
        said: What the source says of it.
        ours: What it is silent on, or what cannot be followed here, and what stands for it.
        changes: Further fields of the configuration. Those of the batch hold for all stages, for a
            network of one task reads a part of it.
    """

    stages: tuple[str, ...]
    said: str
    ours: str
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)


RECIPES = {
    "emoaffnet": Recipe(
        (),
        "nothing on training in the published code, which holds the network alone",
        "optimizer, rate and epochs as Table 2; it started from VGGFace2, here from nothing",
    ),
    "effnet_b2": Recipe(
        (
            "head(epochs=3, learning_rate=0.001, trainable=heads)",
            "all(epochs=6, learning_rate=3e-05)",
        ),
        "Adam at 3e-5, the head first and then all, label smoothing 0.1, batches of 32 to 64",
        "the epochs of both stages and the head's rate; without its sharpness-aware optimizer and "
        "class weights; it started from VGGFace2 identities, here from nothing, for which a frozen "
        "random backbone and 3e-5 are little",
        {"label_smoothing": 0.1, "batch_size": 64},
    ),
    "psr": Recipe(
        (
            "one_cycle(epochs=30, schedule=cosine(warmup=7.5), learning_rate=0.001)",
            "sgd(epochs=20, optimizer=sgd(momentum=0.9), learning_rate=0.001)",
        ),
        "Adam by one cycle for 30 epochs, then SGD with momentum 0.9 for 20, batches of 32",
        "one rate for its three groups (1e-5, 5e-3, 1e-3), a cosine with a quarter of warm-up for "
        "the cycle, the rate of SGD; no flag gives its prior of confused classes (0.2 of a label's "
        "mass), which is left out; it started from FER+ weights, here from nothing",
        {"batch_size": 32},
    ),
    "vggface": Recipe(
        (),
        "no code, and no details of training at hand",
        "all as Table 2",
    ),
    "mter_kdtd": Recipe(
        (),
        "an abstract alone, silent on training",
        "all as Table 2",
    ),
    "hse_nn": Recipe(
        ("fine_tuning(epochs=8, learning_rate=3e-05)",),
        "Adam at 3e-5, 8 epochs on LSD in batches of 64",
        "without its sharpness-aware optimizer, class weights and enhanced training images; it "
        "started from VGGFace2 and AffectNet, here from nothing",
        {"batch_size": 64},
    ),
    "tmif_fea": Recipe(
        (
            "all(epochs=20, learning_rate=0.002, schedule=cosine(final=0.005), "
            "optimizer=sgd(momentum=0.9, weight_decay=0.0001))",
        ),
        "SGD at 0.002 with momentum 0.9 and weight decay 1e-4, cosine down to 1e-5, batches of 100",
        "the epochs, one cosine without restarts, weight decay apart from the gradient; without "
        "its weights of classes and of action units",
        {"batch_size": 100},
    ),
}
