"""A coupling in its model: from logits, labels and masks to loss terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from mtl_dm.losses.forms import COUPLING_FORMS
from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.models.coupling import AnyCoupling, known_couplings
from mtl_dm.models.form_use import FormUse
from mtl_dm.models.live_moments import Live
from mtl_dm.tasks import Task


class BoundCoupling:
    """A coupling whose labels have been found in the tasks of a model.

    Args:
        coupling: What to couple.
        tasks: The model's tasks by name.
        live: Stands for the relation if the coupling is learned.
        name: Of the coupling in its model.

    Raises:
        ValueError: If a task is unknown or of the wrong kind, or the relation names a label that
            its task does not have.
    """

    def __init__(
        self,
        coupling: AnyCoupling,
        tasks: Mapping[str, Task],
        live: Live | None = None,
        name: str = "",
    ) -> None:
        self.coupling = coupling
        self.name = name
        self.live = live
        self._sides = tuple(
            _Side(side, task, _columns(task, kind, getattr(coupling.relation, side), tasks))
            for (side, kind), task in zip(
                coupling.relation.sides, (coupling.source, coupling.target), strict=True
            )
        )
        self._reduction = tasks[coupling.target].reduction
        self._kinds = {side.name: tasks[side.task].kind for side in self._sides}

    def terms(
        self, logits: Mapping[str, Any], labels: Mapping[str, Any], masks: Mapping[str, Any]
    ) -> dict[str, tuple[Any, Any, Any]]:
        """Return the coupling's loss terms.

        Virtual rows (`mtl_dm.losses.virtual`) are left alone: what relates two tasks holds of
        images, and a blend of two images has the attributes of neither.

        Args:
            logits: By task name, [B, size].
            labels: The same shapes, finite.
            masks: [B] of a multiclass task, else [B, size].

        Returns:
            By name of the term: values, weights (see `mtl_dm.losses.forms`) and its factor.
        """
        relation: Any = self.coupling.relation if self.live is None else self.live.table()
        side_labels = {side.name: side.take(labels[side.task]) for side in self._sides}
        # A mask may weigh images in a task's loss; here only whether there is a label counts.
        known = {side.name: ops.cast(masks[side.task] > 0, "float32") for side in self._sides}
        covered, partial = self._covered(side_labels, known)
        real = 1.0 - ops.cast(labels[VIRTUAL], "float32") if VIRTUAL in labels else None
        seen = covered if real is None else covered * real
        side_masks: dict[str, Any] = {}
        for side in self._sides:
            if self._kinds[side.name] == "multiclass":
                side_masks[side.name] = known[side.name] * seen
            else:
                side_masks[side.name] = side.take(known[side.name])
        if partial or real is not None:
            side_masks["covered"] = seen
        outputs = [side.take(logits[side.task]) for side in self._sides]
        terms: dict[str, tuple[Any, Any, Any]] = {}
        for term, use in self._active():
            form = COUPLING_FORMS.get(use.form)
            values, weights = form.function(
                *outputs, relation, side_labels, side_masks, **use.options
            )
            factor = use.factor
            if factor is None:
                factor = 1.0
                if form.rule is not None:
                    rule_masks = self._rule_masks(known, side_masks, covered, partial)
                    if real is not None:
                        rule_masks["counted"] = real
                    factor = form.rule(
                        use.form.rpartition("/")[2],
                        rule_masks,
                        self._reduction,
                        self.coupling.rule,
                    )
            terms[term] = (values, _where_covered(values, weights, seen), factor)
        return terms

    def _covered(self, labels: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[Any, bool]:
        """Return 0 for images of a class that the relation does not name, and if there may be any.

        Such images are left alone.
        """
        for side in self._sides:
            if self._kinds[side.name] == "multiclass" and side.columns is not None:
                named = ops.sum(ops.cast(labels[side.name], "float32"), axis=-1)
                return 1.0 - known[side.name] * (1.0 - ops.clip(named, 0.0, 1.0)), True
        return 1.0, False

    def _rule_masks(
        self, known: Mapping[str, Any], masks: Mapping[str, Any], covered: Any, partial: bool
    ) -> dict[str, Any]:
        """Return the masks for a rule: those of the sides, by both names, and what it weighs.

        That is "labelled" of the source and "known" of the target.
        """
        source, target = self._sides
        # For the rule, an image that is left alone has nothing missing: no term informs it.
        whole = ops.maximum(masks[target.name], 1.0 - covered[:, None]) if partial else None
        return {
            **masks,
            "source": masks[source.name],
            "target": masks[target.name],
            "labelled": known[source.name],
            "known": masks[target.name] if whole is None else whole,
        }

    def _active(self) -> list[tuple[str, FormUse]]:
        prefix = f"{self.name}_" if self.name else ""
        return [
            (prefix + COUPLING_FORMS.get(use.form).term, use)
            for use in self.coupling.uses
            if use.factor != 0
        ]

    @property
    def term_names(self) -> list[str]:
        """Names of the terms that `terms` returns."""
        return [term for term, _ in self._active()]


class _Side(NamedTuple):
    """One side of a coupling: its name in the relation, its task, where its labels stand there."""

    name: str
    task: str
    columns: np.ndarray | None

    def take(self, array: Any) -> Any:
        return array if self.columns is None else ops.take(array, self.columns, axis=-1)


def _columns(
    name: str, kind: str, labels: tuple[str, ...], tasks: Mapping[str, Task]
) -> np.ndarray | None:
    """Return where `labels` stand in the task's label arrays; None: they are the task's."""
    if name not in tasks:
        raise ValueError(f"The coupling names the unknown task {name!r}. Known: {sorted(tasks)}.")
    task = tasks[name]
    if task.kind != kind:
        raise ValueError(
            f"The coupling needs a {kind} task, {name!r} is {task.kind}. There are: "
            f"{known_couplings()}."
        )
    unknown = [label for label in labels if label not in task.positions]
    if unknown:
        raise ValueError(
            f"The relation names labels that the task {name!r} does not have: {unknown}. "
            f"The task has {list(task.labels)}."
        )
    if labels == task.labels:
        return None
    return np.array([task.positions[label] for label in labels], dtype=np.int32)


def _where_covered(values: Any, weights: Any, covered: Any) -> Any:
    # A value per batch has left them out itself: it has seen masks["covered"].
    return weights * covered if len(values.shape) else weights
