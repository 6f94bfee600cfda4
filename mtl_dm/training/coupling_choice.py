"""A coupling as a user asks for it: names only, before any data are read."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from mtl_dm.losses.families import ANY_CO_ANNOTATION_FORM, ANY_MATCHING_FORM
from mtl_dm.losses.rules import DEFAULT_RULE, RULES
from mtl_dm.models.form_use import OLDER, FormUse, by_rule, protects, without_older
from mtl_dm.options import checked
from mtl_dm.spec import Spec, parse

LEARNED = "learned"


@dataclasses.dataclass(frozen=True)
class CouplingChoice:
    """Which tasks are coupled, through what and how; `NAME(relation=facs, ...)` as text.

    Attributes:
        name: Of the coupling; None for the only one that the flat fields describe.
        relation: As the field `relatedness` of `TrainConfig`.
        source: The task whose labels relate; None: the first that fits.
        target: The task that they say something of; None: the first that fits.
        matching: Factor of distribution matching; None: by the rule.
        co_annotation: Factor of soft co-annotation, likewise.
        matching_form: Specification of a form of a family of `ANY_MATCHING_FORM`; whether it is
            of the relation's is known once that is.
        co_annotation_form: Likewise of `ANY_CO_ANNOTATION_FORM`.
        trust: As of `mtl_dm.models.Coupling`.
        gate: Likewise.
        rule: Specification of one of `mtl_dm.losses.rules.RULES`: what gives factors left open.

    Raises:
        ValueError: If a name is unknown, a factor is negative, both are 0, or labels are to judge a
            relation that is learned.
    """

    name: str | None
    _: dataclasses.KW_ONLY
    relation: str
    source: str | None = None
    target: str | None = None
    matching: float | None = None
    co_annotation: float | None = None
    matching_form: str = "conditional"
    co_annotation_form: str = "posterior"
    trust: bool | None = None
    gate: bool | None = None
    rule: str = DEFAULT_RULE

    def __post_init__(self) -> None:
        for registry, field in (
            (ANY_MATCHING_FORM, "matching_form"),
            (ANY_CO_ANNOTATION_FORM, "co_annotation_form"),
            (RULES, "rule"),
        ):
            object.__setattr__(self, field, str(registry.spec(getattr(self, field))))
        for field in ("matching", "co_annotation"):
            factor = getattr(self, field)
            if factor is not None and not (math.isfinite(factor) and factor >= 0):
                raise ValueError(f"{field} must be finite and >= 0, got {factor}.")
        if self.matching == self.co_annotation == 0:
            raise ValueError(
                f"relatedness {self.relation!r} couples nothing with matching 0 and "
                "co_annotation 0; leave it out to train without coupling."
            )
        if self.trust and self.learned:
            raise ValueError(
                f"trust has labels judge a relatedness that is given; {self.relation!r} is "
                "learned anyway. Leave trust out."
            )

    @property
    def learned(self) -> bool:
        """Whether training learns the relation."""
        return self.relation.partition(":")[0] == LEARNED

    @property
    def trusts(self) -> bool:
        """Whether labels judge the relation."""
        return not self.learned and protects(self._uses, self.trust)

    @property
    def meant(self) -> dict[str, Any]:
        """The fields that older versions had not, as what they come to, by name."""
        return {
            "trust": self.trusts,
            "gate": protects(self._uses, self.gate),
            "rule": self.rule if by_rule(self._uses) else OLDER["rule"],
        }

    @property
    def _uses(self) -> tuple[FormUse, ...]:
        matching, co_annotation = parse(self.matching_form), parse(self.co_annotation_form)
        return (
            FormUse(ANY_MATCHING_FORM.full(matching.name), self.matching, {}),
            FormUse(ANY_CO_ANNOTATION_FORM.full(co_annotation.name), self.co_annotation, {}),
        )


def parse_coupling(text: str) -> CouplingChoice:
    """Return the coupling that a specification describes.

    Raises:
        ValueError: If the text is none; the message names the coupling.
    """
    spec = parse(text)
    if not spec.name.isidentifier():
        raise ValueError(f"The name of a coupling must be an identifier, got {spec.name!r}.")
    options = checked(f"coupling {spec.name!r}", CouplingChoice, spec.options)
    try:
        return CouplingChoice(spec.name, **options)
    except ValueError as error:
        raise ValueError(f"Coupling {spec.name!r}: {error}") from error


def canonical_coupling(text: str) -> str:
    """Return the one spelling of a coupling's specification.

    Raises:
        ValueError: As `parse_coupling`.
    """
    choice, given = parse_coupling(text), parse(text)
    return str(Spec(given.name, {name: getattr(choice, name) for name in given.options}))


def recorded_coupling(text: str) -> str:
    """Return a specification that says what its newer fields come to, as far as they say anything.

    So it is the same as an older version's where it means the same.

    Raises:
        ValueError: As `parse_coupling`.
    """
    given = parse(canonical_coupling(text))
    options = {name: value for name, value in given.options.items() if name not in OLDER}
    return str(Spec(given.name, {**options, **without_older(parse_coupling(text).meant)}))
