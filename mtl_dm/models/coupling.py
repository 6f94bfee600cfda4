"""Which tasks teach each other, through what relation, by which loss forms."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from mtl_dm.losses.forms import (
    CO_ANNOTATION_FORMS,
    COUPLING_FORMS,
    MATCHING_FORMS,
    check_options,
)
from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.models.live_relatedness import LiveRelatedness
from mtl_dm.relatedness import RELATIONS, Relatedness, facs
from mtl_dm.tasks import Task

Options = Mapping[str, float]

PRINTED = "/paper"
"""End of the name of a form as the paper prints it."""
NEWER = {"gate": None}
"""Fields of couplings that are left out where they have their default."""


class FormUse(NamedTuple):
    """One form of a coupling.

    Attributes:
        form: Name in `mtl_dm.losses.COUPLING_FORMS`.
        factor: On its term; None leaves it to the form's rule, 1 where it has none; 0 is off.
        options: Of the form.
    """

    form: str
    factor: float | None
    options: Options


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
        name: Of the coupling, put before the names of its terms. Empty: the first of a model needs
            none; another one is called after its tasks.
        gate: Whether heads get the coupling's gradient as far as other labelled images confirm it
            (`mtl_dm.models.gradient_gate`); None: unless a form in use is a printed one.

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
    name: str = ""
    gate: bool | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.relatedness, Relatedness):
            raise ValueError(
                "Coupling relatedness must be a mtl_dm.Relatedness (mtl_dm.relatedness.facs(), "
                f"for example), got {type(self.relatedness).__name__}."
            )
        for field in ("matching", "co_annotation"):
            _check_factor(field, getattr(self, field))
        check_options(MATCHING_FORMS, self.matching_form, self.matching_options)
        check_options(CO_ANNOTATION_FORMS, self.co_annotation_form, self.co_annotation_options)
        _check_name(self.name)

    @property
    def source(self) -> str:
        """Name of the task whose labels the relation starts from."""
        return self.classes

    @property
    def target(self) -> str:
        """Name of the task whose labels it speaks about."""
        return self.attributes

    @property
    def relation(self) -> Relatedness:
        """What relates them."""
        return self.relatedness

    @property
    def uses(self) -> tuple[FormUse, ...]:
        """The forms, those that are off too."""
        return (
            FormUse(MATCHING_FORMS.full(self.matching_form), self.matching, self.matching_options),
            FormUse(
                CO_ANNOTATION_FORMS.full(self.co_annotation_form),
                self.co_annotation,
                self.co_annotation_options,
            ),
        )

    @property
    def gated(self) -> bool:
        """Whether its gradient goes through the gradient gate."""
        return _is_gated(self.gate, self.uses)

    def to_dict(self) -> dict[str, Any]:
        """Return the coupling as values that JSON can hold."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            **_without_defaults(values),
            "relatedness": self.relatedness.to_dict(),
            "matching_options": dict(self.matching_options),
            "co_annotation_options": dict(self.co_annotation_options),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Coupling:
        """Return the coupling that `to_dict` described."""
        return cls(**{**values, "relatedness": Relatedness.from_dict(values["relatedness"])})


@dataclasses.dataclass(frozen=True)
class RelationCoupling:
    """Couples any two tasks by a relation of any kind; `Coupling` is its short form for two terms.

    Attributes:
        name: Of the coupling, put before the names of its terms.
        source: Name of the task whose labels the relation starts from.
        target: Name of the task whose labels it speaks about.
        relation: Of a kind in `mtl_dm.relatedness.RELATIONS`; it may name a subset of the tasks'
            labels, in any order.
        forms: Factor by name of the form (`mtl_dm.losses.COUPLING_FORMS`); None: the form's rule.
        options: Options by name of the form.
        gate: As for `Coupling`.

    Raises:
        ValueError: If the relation is of no known kind, a form does not take it or is unknown, or
            a factor or an option breaks its rule.
    """

    name: str
    source: str
    target: str
    relation: Any
    forms: Mapping[str, float | None]
    options: Mapping[str, Options] = dataclasses.field(default_factory=dict)
    gate: bool | None = None
    learned: bool = dataclasses.field(default=False, init=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        kind = str(getattr(self.relation, "kind", ""))
        if kind not in RELATIONS or not isinstance(self.relation, RELATIONS.get(kind)):
            raise ValueError(
                f"Coupling {self.name!r}: the relation must be of one of the kinds "
                f"{', '.join(RELATIONS)}, got {type(self.relation).__name__}."
            )
        if not self.forms:
            raise ValueError(f"Coupling {self.name!r} needs at least one form, got none.")
        for form, factor in self.forms.items():
            check_options(COUPLING_FORMS, form, self.options.get(form, {}))
            _check_factor(form, factor)
            kinds = COUPLING_FORMS.get(form).kinds
            if kind not in kinds:
                raise ValueError(
                    f"Coupling {self.name!r}: the form {form!r} takes relations of the kind "
                    f"{' or '.join(kinds)}, got {kind}."
                )
        unused = sorted(set(self.options) - set(self.forms))
        if unused:
            raise ValueError(f"Coupling {self.name!r} has options of forms it lacks: {unused}.")

    @property
    def uses(self) -> tuple[FormUse, ...]:
        """The forms, those that are off too."""
        return tuple(
            FormUse(form, factor, self.options.get(form, {})) for form, factor in self.forms.items()
        )

    @property
    def gated(self) -> bool:
        """Whether its gradient goes through the gradient gate."""
        return _is_gated(self.gate, self.uses)

    def to_dict(self) -> dict[str, Any]:
        """Return the coupling as values that JSON can hold."""
        return {
            **_without_defaults({"gate": self.gate}),
            "name": self.name,
            "source": self.source,
            "target": self.target,
            "kind": self.relation.kind,
            "relation": self.relation.to_dict(),
            "forms": dict(self.forms),
            "options": {form: dict(options) for form, options in self.options.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RelationCoupling:
        """Return the coupling that `to_dict` described."""
        values = dict(values)
        relation = RELATIONS.get(values.pop("kind")).from_dict(values.pop("relation"))
        return cls(relation=relation, **values)


AnyCoupling = Coupling | RelationCoupling


def coupling_from_dict(values: Mapping[str, Any]) -> AnyCoupling:
    """Return the coupling of either class that its `to_dict` described."""
    return (RelationCoupling if "kind" in values else Coupling).from_dict(values)


def coupling_names(couplings: Sequence[AnyCoupling]) -> list[str]:
    """Return the name of each coupling of a model; the first one's may be empty.

    Raises:
        ValueError: If two have the same name.
    """
    names = [
        coupling.name or (f"{coupling.source}_{coupling.target}" if place else "")
        for place, coupling in enumerate(couplings)
    ]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"Couplings must have different names, repeated: {repeated}. Give `name`.")
    return names


def _is_gated(gate: bool | None, uses: Sequence[FormUse]) -> bool:
    """Return whether a coupling is gated: as it says, else unless a form in use is printed."""
    if gate is not None:
        return gate
    return not any(use.form.endswith(PRINTED) for use in uses if use.factor != 0)


def _without_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a coupling without newer ones that have their default.

    What was written before there were any reads the same.
    """
    return {name: value for name, value in values.items() if (name, value) not in NEWER.items()}


def _check_factor(what: str, factor: Any) -> None:
    if factor is not None and not (
        isinstance(factor, numbers.Real) and math.isfinite(factor) and float(factor) >= 0
    ):
        raise ValueError(f"Coupling {what} must be None or finite and >= 0, got {factor!r}.")


def _check_name(name: str) -> None:
    if name and not (isinstance(name, str) and name.isidentifier()):
        raise ValueError(f"A coupling's name must be a Python identifier, got {name!r}.")


class BoundCoupling:
    """A coupling whose labels have been found in the tasks of a model.

    Args:
        coupling: What to couple.
        tasks: The model's tasks by name.
        live: Stands for the relatedness if the coupling is learned.
        name: Of the coupling in its model.

    Raises:
        ValueError: If a task is unknown or of the wrong kind, or the relation names a label that
            its task does not have.
    """

    def __init__(
        self,
        coupling: AnyCoupling,
        tasks: Mapping[str, Task],
        live: LiveRelatedness | None = None,
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
        relation = self.coupling.relation if self.live is None else self.live.table()
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
                    factor = form.rule(use.form.rpartition("/")[2], rule_masks, self._reduction)
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
        """Return the masks for a rule: "labelled" of the source, "known" of the target."""
        source, target = self._sides
        # For the rule, an image that is left alone has nothing missing: no term informs it.
        whole = ops.maximum(masks[target.name], 1.0 - covered[:, None]) if partial else None
        return {
            **masks,
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
        raise ValueError(f"The coupling needs a {kind} task, {name!r} is {task.kind}.")
    unknown = [label for label in labels if label not in task.labels]
    if unknown:
        raise ValueError(
            f"The relation names labels that the task {name!r} does not have: {unknown}. "
            f"The task has {list(task.labels)}."
        )
    if labels == task.labels:
        return None
    return np.array([task.labels.index(label) for label in labels], dtype=np.int32)


def _where_covered(values: Any, weights: Any, covered: Any) -> Any:
    # A value per batch has left them out itself: it has seen masks["covered"].
    return weights * covered if len(values.shape) else weights
