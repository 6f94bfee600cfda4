"""Which tasks teach each other, through what relation, by which loss forms."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

from mtl_dm.losses.forms import (
    CO_ANNOTATION_FORMS,
    COUPLING_FORMS,
    MATCHING_FORMS,
    check_options,
)
from mtl_dm.losses.rules import DEFAULT_RULE, RULES
from mtl_dm.models.form_use import OLDER, FormUse, check_asked, protects, without_older
from mtl_dm.relatedness import RELATIONS, Moments, Relatedness, facs
from mtl_dm.spec import repeated

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
            the labels (`rule`) for the default form, 1.0 for the printed one.
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
        trust: Whether labels judge the relatedness once the network can tell classes: as far as
            they do not confirm it, it is learned from them instead
            (`mtl_dm.relatedness.confirmed_share`). None: unless a printed form is in use. It takes
            two epochs at least (`mtl_dm.models.judging`).
        gate: Whether heads get the coupling's gradient by what other labelled images say of it
            (`mtl_dm.models.gradient_gate`); None: unless a form in use is a printed one.
        rule: Name in `mtl_dm.losses.rules.RULES`: how the labels give the factors that are None.

    Raises:
        ValueError: If a factor is negative or not finite, a form, an option or the rule is
            unknown, an option is out of its range, or labels are to judge a relatedness that is
            learned.
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
    trust: bool | None = None
    gate: bool | None = None
    rule: str = DEFAULT_RULE

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
        check_asked("trust", self.trust)
        check_asked("gate", self.gate)
        if self.trust and self.learned:
            raise ValueError(
                "Coupling trust=True has labels judge a relatedness that is given; with "
                "learned=True training replaces it anyway. Leave one of the two out."
            )
        object.__setattr__(self, "rule", str(RULES.spec(self.rule)))

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
    def trusts(self) -> bool:
        """Whether labels judge the relatedness."""
        return not self.learned and protects(self.uses, self.trust)

    @property
    def gated(self) -> bool:
        """Whether its gradient goes through the gradient gate."""
        return protects(self.uses, self.gate)

    def to_dict(self) -> dict[str, Any]:
        """Return the coupling as values that JSON can hold; what `OLDER` says is left out."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            **without_older(values),
            "relatedness": self.relatedness.to_dict(),
            "matching_options": dict(self.matching_options),
            "co_annotation_options": dict(self.co_annotation_options),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Coupling:
        """Return the coupling that `to_dict` described."""
        values = {**OLDER, **values}
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
        rule: As for `Coupling`.
        learned: The relation, `Moments`, is a start, which training replaces by what it learns.

    Raises:
        ValueError: If the relation is of no known kind or cannot be learned, a form does not take
            it or is unknown, the rule is unknown, or a factor or an option breaks its rule.
    """

    name: str
    source: str
    target: str
    relation: Any
    forms: Mapping[str, float | None]
    options: Mapping[str, Options] = dataclasses.field(default_factory=dict)
    gate: bool | None = None
    rule: str = DEFAULT_RULE
    learned: bool = False
    trusts: bool = dataclasses.field(default=False, init=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        kind = str(getattr(self.relation, "kind", ""))
        if kind not in RELATIONS or not isinstance(self.relation, RELATIONS.get(kind)):
            raise ValueError(
                f"Coupling {self.name!r}: the relation must be of one of the kinds "
                f"{', '.join(RELATIONS)}, got {type(self.relation).__name__}."
            )
        if self.learned and not isinstance(self.relation, Moments):
            raise ValueError(
                f"Coupling {self.name!r}: learned=True is for moments, and for the table of a "
                f"Coupling; the relation is of the kind {kind}."
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
                    f"{' or '.join(kinds)}, got {kind}. There are: {known_couplings()}."
                )
        unused = sorted(set(self.options) - set(self.forms))
        if unused:
            raise ValueError(f"Coupling {self.name!r} has options of forms it lacks: {unused}.")
        check_asked("gate", self.gate)
        object.__setattr__(self, "rule", str(RULES.spec(self.rule)))

    @property
    def uses(self) -> tuple[FormUse, ...]:
        """The forms, those that are off too."""
        return tuple(
            FormUse(form, factor, self.options.get(form, {})) for form, factor in self.forms.items()
        )

    @property
    def gated(self) -> bool:
        """Whether its gradient goes through the gradient gate."""
        return protects(self.uses, self.gate)

    def to_dict(self) -> dict[str, Any]:
        """Return the coupling as values that JSON can hold; what `OLDER` says is left out."""
        return {
            **without_older({"gate": self.gate, "rule": self.rule}),
            **({"learned": True} if self.learned else {}),
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
        values = {"gate": OLDER["gate"], "rule": OLDER["rule"], **values}
        relation = RELATIONS.get(values.pop("kind")).from_dict(values.pop("relation"))
        return cls(relation=relation, **values)


AnyCoupling = Coupling | RelationCoupling


def known_couplings() -> str:
    """Return which kinds of tasks can be coupled, and by what, for a message."""
    found = []
    for kind in RELATIONS:
        (_, source), (_, target) = RELATIONS.get(kind).sides
        forms = [name for name in COUPLING_FORMS if kind in COUPLING_FORMS.get(name).kinds]
        if forms:
            found.append(f"{source} -> {target} by {kind} ({', '.join(forms)})")
    return "; ".join(found)


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
    twice = repeated(names)
    if twice:
        raise ValueError(f"Couplings must have different names, repeated: {twice}. Give `name`.")
    return names


def _check_factor(what: str, factor: Any) -> None:
    if factor is not None and not (
        isinstance(factor, numbers.Real) and math.isfinite(factor) and float(factor) >= 0
    ):
        raise ValueError(f"Coupling {what} must be None or finite and >= 0, got {factor!r}.")


def _check_name(name: str) -> None:
    if name and not (isinstance(name, str) and name.isidentifier()):
        raise ValueError(f"A coupling's name must be a Python identifier, got {name!r}.")
