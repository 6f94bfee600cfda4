"""Synthetic faces: few expression labels beside many action unit labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from experiments.coupling.variants import VARIANTS
from experiments.relatedness import ck_plus
from mtl_dm import data
from mtl_dm.relatedness import Relatedness, facs
from mtl_dm.synthetic.face_sets import EMOTIONET_UNITS
from mtl_dm.tasks import ACTION_UNITS, Task
from mtl_dm.training import assembly
from mtl_dm.training.config import TrainConfig

BUILT = "build/datasets"
SUFFIX = "_64px"
STEPS = 100
EPOCHS = 4


class Faces:
    """One seed: its own expression labels, weights and order.

    Args:
        labels: Images with an expression label.
        seed: Picks them, and everything else.
        raw: Folder with the CK+ file, or None.
    """

    def __init__(self, labels: int, seed: int, raw: Path | None) -> None:
        self._labels = labels
        self._seed = seed
        self._raw = raw
        self._names = tuple(
            f"synthetic_faces/{name}{SUFFIX}" for name in ("expression_only", "action_units_only")
        )
        self.config = TrainConfig(
            datasets=self._names,
            data_dir=BUILT,
            shares=(1.0, 1.0),
            epochs=EPOCHS,
            steps_per_epoch=STEPS,
            seed=seed,
        )
        first, second = assembly.tasks_of(self.config)
        self.tasks: tuple[Task, Task] = (first, second)

    def sources(self, tasks: Sequence[Task]) -> list[tf.data.Dataset]:
        """Return the sources of `tasks`: some expression labels, all action unit labels.

        Raises:
            ValueError: If there are fewer images than labels wanted.
        """
        expression, units = (
            data.load(name, data_dir=BUILT, tasks=[task])
            for name, task in zip(self._names, self.tasks, strict=True)
        )
        # Stored in random order; other seeds have other images as long as there are enough.
        images = int(expression.cardinality())
        if self._labels > images:
            raise ValueError(f"{self._labels} expression labels are asked for, {images} are there.")
        start = self._seed * self._labels % (images - self._labels + 1)
        both = (expression.skip(start).take(self._labels), units)
        wanted = {task.name for task in tasks}
        return [
            source for source, task in zip(both, self.tasks, strict=True) if task.name in wanted
        ]

    def held_out(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the validation split."""
        return data.load(_split("validation"), data_dir=BUILT, tasks=tasks)

    def test(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the test split."""
        return data.load(_split("test"), data_dir=BUILT, tasks=tasks)

    def options(self, name: str) -> Mapping[str, float]:
        """Return no options."""
        del name
        return {}

    def columns(self) -> Mapping[str, np.ndarray] | None:
        """Return the action units that training images are labelled for."""
        seen = np.array([name in EMOTIONET_UNITS for name in ACTION_UNITS], np.float64)
        return {"action_units": seen}

    def relatedness(self, name: str) -> Relatedness:
        """Return the relatedness that a row names; "known" is the published Table 1.

        Raises:
            FileNotFoundError: If CK+ is named and not at hand.
        """
        if name == "ck+":
            if self._raw is None:
                raise FileNotFoundError(f"CK+ needs DATA_DIR/{ck_plus.FILE}.")
            return ck_plus.relatedness(self._raw / ck_plus.FILE, ACTION_UNITS)
        counted = f"{assembly.INFERRED}synthetic_faces/co_annotated{SUFFIX}"
        if name == "counted":
            return assembly.relatedness_of(counted, self.tasks, BUILT)
        if name == "learned":
            coupling = assembly.coupling_of(self.config.replace(relatedness="learned"), self.tasks)
            if coupling is None:
                raise ValueError("A learned relatedness makes a coupling.")
            return coupling.relatedness
        known = facs()
        return VARIANTS[name](known, self._seed) if name in VARIANTS else known


def _split(name: str) -> str:
    return f"synthetic_faces/fully_annotated{SUFFIX}:{name}"
