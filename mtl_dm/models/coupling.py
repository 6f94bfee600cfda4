"""Which tasks teach each other, through what relatedness, by which loss forms."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops

from mtl_dm.losses.forms import CO_ANNOTATION_FORMS, MATCHING_FORMS, check_options
from mtl_dm.losses.weighting import co_annotation_factor, matching_factor
from mtl_dm.models.live_relatedness import LiveRelatedness
from mtl_dm.relatedness import Relatedness, facs
from mtl_dm.tasks import Task

Options = Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Coupling:
    """Couples a multiclass task and a multilabel task by distribution matching and co-annotation.

    Attributes:
        classes: Name of the multiclass task.
        attributes: Name of the multilabel task.
        relatedness: P(attribute | class) and the weights w. It may name a subset of the tasks'
            labels, in any order; the coupling then leaves the other labels alone.
        matching: Factor on the distribution matching term; 0.0 switches it off, None leaves it to
            the labels (`mtl_dm.losses.weighting`): the share of labels that are missing for the
            default form, 1.0 for the printed one.
        co_annotation: Factor on the soft co-annotation term, likewise.
        matching_form: Name in `mtl_dm.losses.MATCHING_FORMS`. The default is the form that did
            best in experiments/coupling_study.py; "paper" is the printed one.
        co_annotation_form: Name in `mtl_dm.losses.CO_ANNOTATION_FORMS`, likewise.
        matching_options: Options of the matching form.
        co_annotation_options: Options of the co-annotation form.
        learned: The relatedness is a start, which training replaces by what it learns
            (`mtl_dm.training.learning.LearnRelatedness`).

    Raises:
        ValueError: If a factor is negative or not finite, a form or an option is unknown, or an
            option is out of its range.
    """

    classes: str = "expression"
    attributes: str = "action_units"
    relatedness: Relatedness = dataclasses.field(default_factory=facs)
    matching: float | None = None
    co_annotation: float | None = None
    matching_form: str = "conditional"
    co_annotation_form: str = "posterior"
    matching_options: Options = dataclasses.field(default_factory=dict)
    co_annotation_options: Options = dataclasses.field(default_factory=dict)
    learned: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.relatedness, Relatedness):
            raise ValueError(
                "Coupling relatedness must be a mtl_dm.Relatedness (mtl_dm.relatedness.facs(), "
                f"for example), got {type(self.relatedness).__name__}."
            )
        for field in ("matching", "co_annotation"):
            factor = getattr(self, field)
            if factor is not None and not (
                isinstance(factor, numbers.Real) and math.isfinite(factor) and float(factor) >= 0
            ):
                raise ValueError(
                    f"Coupling {field} must be None or finite and >= 0, got {factor!r}."
                )
        check_options(MATCHING_FORMS, self.matching_form, self.matching_options)
        check_options(CO_ANNOTATION_FORMS, self.co_annotation_form, self.co_annotation_options)

    def to_dict(self) -> dict[str, Any]:
        """Return the coupling as values that JSON can hold."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            **values,
            "relatedness": self.relatedness.to_dict(),
            "matching_options": dict(self.matching_options),
            "co_annotation_options": dict(self.co_annotation_options),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Coupling:
        """Return the coupling that `to_dict` described."""
        return cls(**{**values, "relatedness": Relatedness.from_dict(values["relatedness"])})


class BoundCoupling:
    """A coupling whose labels have been found in the tasks of a model.

    Args:
        coupling: What to couple.
        tasks: The model's tasks by name.
        live: Stands for the relatedness if the coupling is learned.

    Raises:
        ValueError: If a task is unknown or of the wrong kind, or the relatedness names a label
            that its task does not have.
    """

    def __init__(
        self, coupling: Coupling, tasks: Mapping[str, Task], live: LiveRelatedness | None = None
    ) -> None:
        self.coupling = coupling
        self.live = live
        relatedness = coupling.relatedness
        self._classes = _columns(coupling.classes, "multiclass", relatedness.classes, tasks)
        self._attributes = _columns(
            coupling.attributes, "multilabel", relatedness.attributes, tasks
        )
        self._reduction = tasks[coupling.attributes].reduction

    def terms(
        self, logits: Mapping[str, Any], labels: Mapping[str, Any], masks: Mapping[str, Any]
    ) -> dict[str, tuple[Any, Any, Any]]:
        """Return the coupling's loss terms.

        Args:
            logits: By task name: [B, K] of the classes, [B, M] of the attributes.
            labels: The same shapes, finite.
            masks: [B] of the classes, [B, M] of the attributes.

        Returns:
            By name of the term: values, weights (see `mtl_dm.losses.forms`) and its factor.
        """
        coupling = self.coupling
        class_labels = _take(labels[coupling.classes], self._classes)
        # A mask may weigh images in a task's loss; here only whether there is a label counts.
        class_mask, attribute_mask = (
            ops.cast(masks[name] > 0, "float32") for name in (coupling.classes, coupling.attributes)
        )
        covered: Any = 1.0
        if self._classes is not None:
            # An image labelled with a class that the relatedness does not know is left alone.
            named = ops.sum(ops.cast(class_labels, "float32"), axis=-1)
            covered = 1.0 - class_mask * (1.0 - ops.clip(named, 0.0, 1.0))
        pair = {
            "class_logits": _take(logits[coupling.classes], self._classes),
            "attribute_logits": _take(logits[coupling.attributes], self._attributes),
            "relatedness": coupling.relatedness if self.live is None else self.live.table(),
            "labels": {
                "classes": class_labels,
                "attributes": _take(labels[coupling.attributes], self._attributes),
            },
            "masks": {
                "classes": class_mask * covered,
                "attributes": _take(attribute_mask, self._attributes),
            },
        }
        if self._classes is not None:
            pair["masks"]["covered"] = covered
        known = pair["masks"]["attributes"]
        if self._classes is not None:
            # For the rule, an image that is left alone has nothing missing: no term informs it.
            known = ops.maximum(known, 1.0 - covered[:, None])
        terms: dict[str, tuple[Any, Any, Any]] = {}
        if coupling.matching != 0:
            form = MATCHING_FORMS.get(coupling.matching_form)
            values, weights = form(**pair, **coupling.matching_options)
            weights = _where_covered(values, weights, covered)
            factor = coupling.matching
            if factor is None:
                factor = matching_factor(coupling.matching_form, known, self._reduction)
            terms["distribution_matching"] = (values, weights, factor)
        if coupling.co_annotation != 0:
            form = CO_ANNOTATION_FORMS.get(coupling.co_annotation_form)
            values, weights = form(**pair, **coupling.co_annotation_options)
            weights = _where_covered(values, weights, covered)
            factor = coupling.co_annotation
            if factor is None:
                factor = co_annotation_factor(
                    coupling.co_annotation_form, class_mask, pair["masks"]["attributes"]
                )
            terms["soft_co_annotation"] = (values, weights, factor)
        return terms

    @property
    def term_names(self) -> list[str]:
        """Names of the terms that `terms` returns."""
        coupling = self.coupling
        names = {
            "distribution_matching": coupling.matching,
            "soft_co_annotation": coupling.co_annotation,
        }
        return [name for name, factor in names.items() if factor != 0]


def _columns(
    name: str, kind: str, labels: tuple[str, ...], tasks: Mapping[str, Task]
) -> np.ndarray | None:
    """Return where `labels` stand in the task's label arrays; None: they are the task's."""
    if name not in tasks:
        raise ValueError(f"The coupling names the unknown task {name!r}. Known: {sorted(tasks)}.")
    task = tasks[name]
    if task.kind != kind:
        raise ValueError(f"The coupling needs a {kind} task, {name!r} is {task.kind}.")
    unknown = [label for label in labels if label not in task.labels]
    if unknown:
        raise ValueError(
            f"The relatedness names labels that the task {name!r} does not have: {unknown}. "
            f"The task has {list(task.labels)}."
        )
    if labels == task.labels:
        return None
    return np.array([task.labels.index(label) for label in labels], dtype=np.int32)


def _where_covered(values: Any, weights: Any, covered: Any) -> Any:
    # A value per batch has left them out itself: it has seen masks["covered"].
    return weights * covered if len(values.shape) else weights


def _take(array: Any, columns: np.ndarray | None) -> Any:
    return array if columns is None else ops.take(array, columns, axis=-1)
