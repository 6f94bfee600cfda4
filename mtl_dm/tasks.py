"""What is predicted: named tasks and their labels. No TensorFlow here."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from mtl_dm.spec import repeated

Kind = Literal["multiclass", "multilabel", "regression"]
Reduction = Literal["mean", "sum"]

EXPRESSIONS = ("neutral", "happiness", "sadness", "fear", "anger", "surprise", "disgust")
"""The seven basic expressions, in the order of every label array."""

ACTION_UNITS = tuple(
    f"AU{number}" for number in (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 15, 17, 20, 23, 24, 25, 26)
)
"""The 17 facial action units of Table 1, in the order of every label array."""

DEFAULT_LOSSES: Mapping[str, str] = {
    "multiclass": "cross_entropy",
    "multilabel": "binary_cross_entropy",
    "regression": "squared",
}
"""The loss of each kind of task where none is named."""


@dataclasses.dataclass(frozen=True)
class Task:
    """One task: its name, its labels and how its loss enters the objective.

    Build it with `Task.multiclass`, `Task.multilabel` or `Task.regression`.

    Attributes:
        name: Key of the task in label, mask and logit dictionaries.
        kind: "multiclass" (softmax over K classes), "multilabel" (M sigmoids) or "regression"
            (R real values).
        labels: Names of the classes, attributes or values, in the order of the label arrays.
        weight: Factor on the task's loss, >= 0; the w_i of the paper's general objective.
        label_smoothing: Multiclass only: share of the label mass spread over the classes, in
            [0, 1).
        smoothing_prior: Multiclass only, with label_smoothing > 0: [K, K], how that share is
            spread for each class; None: evenly. Every entry is >= 0 and every row has a sum in
            (0, 1]: a table that was made for more classes may be used without those (Vo et al.
            2020 do), and its rows then smooth less. See `mtl_dm.losses.prior_from_votes`.
        reduction: Multilabel only: an image's loss is the "mean" over its annotated attributes
            (as printed in the paper) or their "sum".
        loss: Name of the task's loss in `mtl_dm.losses.TASK_LOSSES`; empty: the first of its kind,
            "cross_entropy", "binary_cross_entropy" or "squared".
        bounds: Regression only: what every label lies between, both ends included; None: anything
            finite. They check labels; predictions are left as they are.

    Raises:
        ValueError: If an attribute breaks its rule.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    weight: float = 1.0
    label_smoothing: float = 0.0
    reduction: Reduction = "mean"
    loss: str = ""
    smoothing_prior: tuple[tuple[float, ...], ...] | None = None
    bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        if not isinstance(self.name, str) or not self.name or not self.name.isidentifier():
            raise ValueError(f"A task's name must be a Python identifier, got {self.name!r}.")
        if self.kind not in ("multiclass", "multilabel", "regression"):
            raise ValueError(
                f"Task {self.name!r}: kind must be 'multiclass', 'multilabel' or 'regression', "
                f"got {self.kind!r}."
            )
        if not isinstance(self.loss, str):
            raise ValueError(f"Task {self.name!r}: loss must be a name, got {self.loss!r}.")
        object.__setattr__(self, "loss", self.loss or DEFAULT_LOSSES[self.kind])
        self._check_labels()
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise ValueError(
                f"Task {self.name!r}: weight must be finite and >= 0, got {self.weight}."
            )
        if not 0.0 <= self.label_smoothing < 1.0:
            raise ValueError(
                f"Task {self.name!r}: label_smoothing must be in [0, 1), "
                f"got {self.label_smoothing}."
            )
        if self.smoothing_prior is not None:
            self._check_prior(self.smoothing_prior)
        if self.bounds is not None:
            self._check_bounds(self.bounds)
        if self.reduction not in ("mean", "sum"):
            raise ValueError(
                f"Task {self.name!r}: reduction must be 'mean' or 'sum', got {self.reduction!r}."
            )

    @functools.cached_property
    def positions(self) -> Mapping[str, int]:
        """The place of each label: of many, `labels.index` would be slow in a loop over rows."""
        return {label: place for place, label in enumerate(self.labels)}

    def _check_labels(self) -> None:
        least = 2 if self.kind == "multiclass" else 1
        if len(self.labels) < least:
            raise ValueError(
                f"Task {self.name!r}: a {self.kind} task needs at least {least} label(s), "
                f"got {list(self.labels)}."
            )
        bad = [label for label in self.labels if not isinstance(label, str) or not label]
        if bad:
            raise ValueError(f"Task {self.name!r}: labels must be non-empty strings, got {bad}.")
        twice = repeated(self.labels)
        if twice:
            raise ValueError(f"Task {self.name!r}: labels must be unique, repeated: {twice}.")

    def _check_prior(self, prior: Sequence[Sequence[float]]) -> None:
        what = f"Task {self.name!r}: smoothing_prior"
        if self.kind != "multiclass":
            raise ValueError(f"{what} is for multiclass tasks, not for a {self.kind} one.")
        rows = tuple(tuple(map(float, row)) for row in prior)
        if len(rows) != self.size or any(len(row) != self.size for row in rows):
            raise ValueError(
                f"{what} needs {self.size} rows of {self.size} numbers, "
                f"got rows of {[len(row) for row in rows]}."
            )
        for label, row in zip(self.labels, rows, strict=True):
            # Nothing compares with NaN, and the tolerance is for decimals that were rounded.
            if not (all(each >= 0 for each in row) and 0 < sum(row) <= 1 + 1e-6):
                raise ValueError(
                    f"{what}: a row has entries >= 0 and a sum in (0, 1], got {list(row)} for "
                    f"{label!r}."
                )
        if not self.label_smoothing:
            raise ValueError(f"{what} spreads label_smoothing, which must be > 0, got 0.")
        object.__setattr__(self, "smoothing_prior", rows)

    def _check_bounds(self, bounds: Sequence[float]) -> None:
        what = f"Task {self.name!r}: bounds"
        if self.kind != "regression":
            raise ValueError(f"{what} are for regression tasks, not for a {self.kind} one.")
        ends = tuple(map(float, bounds))
        if len(ends) != 2 or not (all(map(math.isfinite, ends)) and ends[0] < ends[1]):
            raise ValueError(f"{what} must be two finite numbers, low < high, got {bounds!r}.")
        object.__setattr__(self, "bounds", ends)

    @classmethod
    def multiclass(
        cls,
        name: str,
        labels: Sequence[str],
        label_smoothing: float = 0.0,
        weight: float = 1.0,
        *,
        loss: str = "",
        smoothing_prior: Sequence[Sequence[float]] | None = None,
    ) -> Task:
        """Return a task with one class out of `labels` per image."""
        return cls(
            name,
            "multiclass",
            tuple(labels),
            weight,
            label_smoothing=label_smoothing,
            loss=loss,
            smoothing_prior=smoothing_prior,  # type: ignore[arg-type]
        )

    @classmethod
    def multilabel(
        cls,
        name: str,
        labels: Sequence[str],
        reduction: Reduction = "mean",
        weight: float = 1.0,
        *,
        loss: str = "",
    ) -> Task:
        """Return a task with any subset of `labels` active per image."""
        return cls(name, "multilabel", tuple(labels), weight, reduction=reduction, loss=loss)

    @classmethod
    def regression(
        cls,
        name: str,
        labels: Sequence[str],
        loss: str = "",
        weight: float = 1.0,
        *,
        bounds: Sequence[float] | None = None,
    ) -> Task:
        """Return a task with one real value per label; `loss` is "squared" or "ccc"."""
        ends: Any = bounds
        return cls(name, "regression", tuple(labels), weight, loss=loss, bounds=ends)

    @property
    def size(self) -> int:
        """Number of labels: K classes, M attributes or R values."""
        return len(self.labels)

    @property
    def mask_shape(self) -> tuple[int, ...]:
        """Shape of one image's mask: () for multiclass, (size,) otherwise."""
        return () if self.kind == "multiclass" else (self.size,)

    def replace(self, **changes: Any) -> Task:
        """Return a copy with the given attributes changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the task as values that JSON can hold."""
        values = {**dataclasses.asdict(self), "labels": list(self.labels)}
        # Left out where there is none, so that those files stay as they were.
        prior, bounds = values.pop("smoothing_prior"), values.pop("bounds")
        values |= {} if prior is None else {"smoothing_prior": [*map(list, prior)]}
        return values if bounds is None else {**values, "bounds": list(bounds)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Task:
        """Return the task that `to_dict` described."""
        return cls(**{**values, "labels": tuple(values["labels"])})


def by_name(tasks: Sequence[Task]) -> dict[str, Task]:
    """Return tasks keyed by name.

    Raises:
        ValueError: If there is no task or a name occurs twice.
    """
    if not tasks:
        raise ValueError("At least one task is needed, got none.")
    names = [task.name for task in tasks]
    twice = repeated(names)
    if twice:
        raise ValueError(f"Task names must be unique, repeated: {twice}.")
    return dict(zip(names, tasks, strict=True))
