"""Synthetic faces: few expression labels beside many action unit labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from experiments.engine.built import Built
from experiments.engine.problem import Given
from experiments.problems.variants import VARIANTS
from experiments.relatedness import ck_plus
from mtl_dm.relatedness import facs
from mtl_dm.tasks import ACTION_UNITS, Task
from mtl_dm.training.config import TrainConfig

BUILT = "build/datasets"
SUFFIX = "_64px"
STEPS = 100
EPOCHS = 4
CK_PLUS = "counted on CK+"
_VARIED = {f"facs; {name}": name for name in VARIANTS}


class FewExpressions(Built):
    """One seed: its own expression labels, weights and order.

    Args:
        labels: Images with an expression label.
        seed: Picks them, and everything else.
        raw: Folder with the CK+ file, or None.
    """

    def __init__(self, labels: int, seed: int, raw: str | None) -> None:
        config = TrainConfig(
            datasets=(
                f"synthetic_faces/expression_only{SUFFIX}",
                f"synthetic_faces/action_units_only{SUFFIX}",
            ),
            data_dir=BUILT,
            attribute_reduction="sum",
            shares=(1.0, 1.0),
            epochs=EPOCHS,
            steps_per_epoch=STEPS,
            seed=seed,
        )
        annotated = f"synthetic_faces/fully_annotated{SUFFIX}"
        super().__init__(config, f"{annotated}:test", f"{annotated}:validation")
        self._labels = labels
        self._raw = raw
        self.names = {
            "known": "facs",
            "counted": f"inferred:synthetic_faces/co_annotated{SUFFIX}",
            "ck+": CK_PLUS,
            **{name: description for description, name in _VARIED.items()},
        }
        self.record = {**self.record, "expression_labels": labels}

    def sources(self, tasks: Sequence[Task]) -> list[tf.data.Dataset | None]:
        """Return some of the images with an expression label, all with action unit labels.

        Raises:
            ValueError: If there are fewer images than labels wanted.
        """
        expression, units = super().sources(tasks)
        if expression is None:
            return [None, units]
        # Stored in random order; other seeds have other images as long as there are enough.
        images = int(expression.cardinality())
        if self._labels > images:
            raise ValueError(f"{self._labels} expression labels are asked for, {images} are there.")
        start = self.config.seed * self._labels % (images - self._labels + 1)
        return [expression.skip(start).take(self._labels), units]

    def given(self, name: str) -> Given | None:
        """Return CK+'s relatedness, or Table 1 made worse on purpose.

        Raises:
            FileNotFoundError: If CK+ is named and not at hand.
        """
        if name in _VARIED:
            return Given(VARIANTS[_VARIED[name]](facs(), self.config.seed))
        if name != CK_PLUS:
            return None
        if self._raw is None:
            raise FileNotFoundError(f"CK+ needs DATA_DIR/{ck_plus.FILE}.")
        return Given(ck_plus.relatedness(Path(self._raw) / ck_plus.FILE, ACTION_UNITS))
