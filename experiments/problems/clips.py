"""Drawn clips: Table 2's and Table 3's problem for a network that sees clips."""

from __future__ import annotations

from typing import Protocol

from experiments.engine.built import Built
from mtl_dm.training.config import TrainConfig

DATASET = "synthetic_clips (synthetic)"
UNSEEN = "action_units_unseen"
BACKBONE = "tmif_fea(variant=demo)"


class Size(Protocol):
    """How large a run is: side of the images as trained on (None: as built), epochs, steps."""

    @property
    def image_size(self) -> int | None:
        """Pixels along a side; None: as built."""

    @property
    def epochs(self) -> int:
        """Epochs."""

    @property
    def steps_per_epoch(self) -> int:
        """Steps of each."""


def problem(size: Size, data_dir: str, test: str, seed: int, fold: int | None) -> Built:
    """Return the clips of a preset, with TMIF-FEA.

    Args:
        size: The preset.
        data_dir: Folder of built data sets; the clips are built in it where they are not there.
        test: Split of the fully annotated clips to test on.
        seed: Of weights and data order.
        fold: Not used.
    """
    del fold
    config = TrainConfig(
        datasets=("synthetic_clips/expression_only", "synthetic_clips/action_units_only"),
        data_dir=data_dir,
        backbone=BACKBONE,
        image_size=size.image_size,
        shares=(1.0, 1.0),
        batch_size=64,
        epochs=size.epochs,
        steps_per_epoch=size.steps_per_epoch,
        seed=seed,
    )
    annotated = "synthetic_clips/fully_annotated"
    thresholds_from = f"{annotated}:validation" if test != "validation" else None
    found = Built(config, f"{annotated}:{test}", thresholds_from, {"action_units": UNSEEN})
    found.names = {"counted": "inferred:synthetic_clips/co_annotated"}
    return found
