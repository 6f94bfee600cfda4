"""Everything that decides the result of a training, as one value."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal

Precision = Literal["float32", "float16", "bfloat16"]


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """One training run. Every field is a flag of `python -m mtl_dm.train`, explained there.

    Raises:
        ValueError: If a value breaks its rule or two values contradict each other.
    """

    datasets: tuple[str, ...]
    validation: str | None = None
    tasks: tuple[str, ...] = ("expression", "action_units")
    data_dir: str = "build/datasets"
    image_size: int | None = None
    backbone: str = "compact_cnn"
    relatedness: str | None = None
    matching: float | None = None
    co_annotation: float | None = None
    matching_form: str = "conditional"
    co_annotation_form: str = "posterior"
    brake: bool = False
    task_weights: Mapping[str, float] = dataclasses.field(default_factory=dict)
    attribute_reduction: str = "mean"
    label_smoothing: float = 0.0
    balancing: str = "total"
    batch_size: int = 64
    shares: tuple[float, ...] | None = None
    epochs: int = 10
    steps_per_epoch: int | None = None
    learning_rate: float = 1e-3
    augment: bool = True
    mixed_precision: Precision = "float32"
    jit: bool = False
    strategy: str = "none"
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.datasets:
            raise ValueError("datasets must name at least one data set, got none.")
        if not self.tasks:
            raise ValueError("tasks must name at least one task, got none.")
        for field in ("batch_size", "epochs", "steps_per_epoch", "image_size"):
            value = getattr(self, field)
            if value is not None and value < 1:
                raise ValueError(f"{field} must be at least 1, got {value}.")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(f"learning_rate must be finite and > 0, got {self.learning_rate}.")
        unknown = sorted(set(self.task_weights) - set(self.tasks))
        if unknown:
            raise ValueError(f"task_weights name {unknown}, but tasks are {list(self.tasks)}.")
        if self.shares is not None and len(self.shares) != len(self.datasets):
            raise ValueError(
                f"shares needs one number per data set, {len(self.datasets)}, "
                f"got {len(self.shares)}."
            )
        if self.relatedness is not None and len(self.tasks) < 2:
            raise ValueError(
                f"relatedness couples two tasks, but tasks are {list(self.tasks)} only."
            )
        if self.relatedness is not None and self.matching == self.co_annotation == 0:
            raise ValueError(
                f"relatedness {self.relatedness!r} couples nothing with matching 0 and "
                "co_annotation 0; leave it out to train without coupling."
            )
        if str(self.relatedness).partition(":")[0] == "learned" and self.epochs < 2:
            raise ValueError(
                "A relatedness is learned between epochs: it needs at least 2, got epochs "
                f"{self.epochs}."
            )
        if self.brake and (self.relatedness is None or self.validation is None):
            raise ValueError(
                "brake judges a coupling on validation data: it needs relatedness and validation, "
                f"got {self.relatedness} and {self.validation}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return what decides the result as values that JSON can hold: all but `data_dir`."""
        values = dataclasses.asdict(self)
        del values["data_dir"]
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in values.items()
        }

    def replace(self, **changes: Any) -> TrainConfig:
        """Return a copy with the given fields changed."""
        return dataclasses.replace(self, **changes)
