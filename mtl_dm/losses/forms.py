"""Coupling forms: what a coupling term is, by name. One function each.

A form is called as
    form(source_outputs, target_outputs, relation, labels, masks, **options) -> (values, weights)
with the outputs of the two coupled tasks, [B, size] each, over the labels that the relation
names, and the relation of a kind that the form takes. `labels` and `masks` are dictionaries by the
two sides' names in that relation, labels finite everywhere. It returns either `values` [B] and
`weights` [B], whose weighted mean over the whole (global) batch is the term, or a scalar for the
batch and a scalar weight. Keyword arguments of a form are its options; a coupling checks that an
option exists.

All forms stand in one registry, `COUPLING_FORMS`, those that can be typed in families of it:
`MATCHING_FORMS` and `CO_ANNOTATION_FORMS` of the paper's two terms, `MOMENT_MATCHING_FORMS` and
`MOMENT_CO_ANNOTATION_FORMS` of classes and values, and `mtl_dm.losses.LINEAR_FORMS` of attributes
and values. Those of the paper's two terms, between classes and attributes, are called
with class_logits [B, K], attribute_logits [B, M], a `Relatedness`, and the sides "classes"
([B, K]; [B]) and "attributes" ([B, M]; [B, M]); `masks` may have "covered" ([B]) too, 0 for images
of a class outside, which only a form with one value for the batch has to leave out itself. A form
that needs only logits and the relatedness, or only a soft label, is one equation in `matching` or
`co_annotation`; any other registers itself here.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import numbers
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from keras import ops

from mtl_dm.losses import co_annotation, matching
from mtl_dm.losses.shares import Labelled
from mtl_dm.losses.weighting import co_annotation_factor, matching_factor
from mtl_dm.options import checked
from mtl_dm.registry import Registry, unknown
from mtl_dm.relatedness import Relatedness
from mtl_dm.spec import Spec, parse

Form = Callable[..., tuple[Any, Any]]
Arrays = Mapping[str, Any]
Rule = Callable[[str, Arrays, str, str], Any]


@dataclasses.dataclass(frozen=True)
class CouplingForm:
    """A form and where it fits.

    Attributes:
        function: As the module says.
        kinds: Kinds of relation that it takes (`mtl_dm.relatedness.RELATIONS`).
        term: The name under which its loss is logged.
        rule: From the form's name, masks, the target's reduction and the name of a rule
            (`mtl_dm.losses.rules`) to its factor where a coupling leaves it open; None: 1. The
            masks are by both names of a side too, "source" and "target", with "labelled" of the
            source and "known" of the target as `mtl_dm.models.bound_coupling` says.
    """

    function: Form
    kinds: tuple[str, ...]
    term: str
    rule: Rule | None = None


COUPLING_FORMS: Registry[CouplingForm] = Registry("coupling form")


def coupling_form(
    name: str, kinds: tuple[str, ...], term: str | None = None, rule: Rule | None = None
) -> Callable[[Form], Form]:
    """Return a decorator that files a form in `COUPLING_FORMS`.

    Args:
        name: What users type.
        kinds: Kinds of relation that it takes.
        term: The name under which its loss is logged; None: `name`.
        rule: Of its factor.
    """

    def decorator(function: Form) -> Form:
        COUPLING_FORMS.register(name)(CouplingForm(function, tuple(kinds), term or name, rule))
        return function

    return decorator


class FormFamily:
    """The forms of one term, by short names, in `COUPLING_FORMS`.

    Args:
        kind: In the words of an error message.
        term: The name under which their loss is logged, and their prefix in `COUPLING_FORMS`.
        rule: Of their factors.
        relation: Kind of relation that they take.
    """

    def __init__(self, kind: str, term: str, rule: Rule, relation: str = "probabilities") -> None:
        self.kind = kind
        self.term = term
        self._rule = rule
        self._relation = relation

    def full(self, name: str) -> str:
        """Return the name in `COUPLING_FORMS`.

        Raises:
            ValueError: If there is no such form; the message lists the known names.
        """
        if name not in self:
            raise ValueError(unknown(self.kind, name, self))
        return f"{self.term}/{name}"

    def register(self, name: str) -> Callable[[Form], Form]:
        """Return a decorator that files a form under a short name.

        Raises:
            ValueError: If the name is taken.
        """

        def decorator(function: Form) -> Form:
            form = CouplingForm(function, (self._relation,), self.term, self._rule)
            COUPLING_FORMS.register(f"{self.term}/{name}")(form)
            return function

        return decorator

    def get(self, name: str) -> Form:
        """Return the function called `name`.

        Raises:
            ValueError: If there is none; the message lists the known names.
        """
        return COUPLING_FORMS.get(self.full(name)).function

    def spec(self, text: str) -> Spec:
        """Return a specification "NAME(option=value, ...)" of a form, checked.

        Raises:
            ValueError: If the form or an option is unknown, or an option breaks its rule.
        """
        spec = parse(text)
        options = checked(f"{self.kind} {spec.name!r}", self.get(spec.name), spec.options)
        check_options(self, spec.name, options)
        return Spec(spec.name, options)

    def canonical(self, name: str) -> str:
        """Return today's name of an old one; no form has been renamed."""
        return name

    def __iter__(self) -> Iterator[str]:
        prefix = f"{self.term}/"
        return (name.removeprefix(prefix) for name in COUPLING_FORMS if name.startswith(prefix))

    def __contains__(self, name: object) -> bool:
        return f"{self.term}/{name}" in COUPLING_FORMS


def matching_rule(name: str, masks: Arrays, reduction: str, rule: str) -> Any:
    """Return the factor of a form that matches what classes say of attributes, or of values."""
    # Of classes those that the relation names: no other image says anything about it.
    labelled = Labelled(masks["source"], masks["known"], masks.get("counted"))
    return matching_factor(name, labelled, reduction, rule)


def co_annotation_rule(name: str, masks: Arrays, reduction: str, rule: str) -> Any:
    """Return the factor of a form that teaches classes by attributes, or by values."""
    del reduction
    attributes = masks["target"]
    if "covered" in masks:  # An image that is left alone is as if it were not there.
        attributes = attributes * masks["covered"][:, None]
    labelled = Labelled(masks["labelled"], attributes, masks.get("counted"))
    return co_annotation_factor(name, labelled, rule)


MATCHING_FORMS = FormFamily("matching form", "distribution_matching", matching_rule)
CO_ANNOTATION_FORMS = FormFamily("co-annotation form", "soft_co_annotation", co_annotation_rule)
MOMENT_MATCHING_FORMS = FormFamily(
    "matching form of values", "moment_matching", matching_rule, "moments"
)
MOMENT_CO_ANNOTATION_FORMS = FormFamily(
    "co-annotation form of values", "moment_co_annotation", co_annotation_rule, "moments"
)


def _on_every_image(equation: Callable[..., Any]) -> Form:
    """Return the matching form that averages `equation` over all images."""

    @functools.wraps(equation)  # the equation's keyword-only arguments are the options
    def form(
        class_logits: Any,
        attribute_logits: Any,
        relatedness: Relatedness,
        labels: Arrays,
        masks: Arrays,
        **options: float,
    ) -> tuple[Any, Any]:
        del labels, masks
        values = equation(class_logits, attribute_logits, relatedness.conditional, **options)
        return values, ops.ones_like(values)

    return form


def _where_attributes_are_labelled(equation: Callable[..., Any]) -> Form:
    """Return the co-annotation form that averages over images with an annotated attribute."""

    @functools.wraps(equation)  # the equation's keyword-only arguments are the options
    def form(
        class_logits: Any,
        attribute_logits: Any,
        relatedness: Relatedness,
        labels: Arrays,
        masks: Arrays,
        **options: float,
    ) -> tuple[Any, Any]:
        del attribute_logits
        soft = co_annotation.soft_labels(
            labels["attributes"], masks["attributes"], relatedness.weights
        )
        weights = ops.max(ops.cast(masks["attributes"], "float32"), axis=-1)
        return equation(class_logits, soft, **options), weights

    return form


# An equation that is registered later, in a user's own file, is a form too.
matching.EQUATIONS.follow(
    lambda name, equation: MATCHING_FORMS.register(name)(_on_every_image(equation))
)
co_annotation.EQUATIONS.follow(
    lambda name, equation: CO_ANNOTATION_FORMS.register(name)(
        _where_attributes_are_labelled(equation)
    )
)


LIMITS: Mapping[str, float] = {
    "clip": 0.5,
    "epsilon": 1.0,
    "images": math.inf,
    "temperature": math.inf,
}
"""Options that must lie strictly between 0 and a number."""


def option_names(form: Form) -> list[str]:
    """Return the names of a form's options: its keyword-only arguments."""
    parameters = inspect.signature(form).parameters.values()
    return [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]


def check_options(forms: FormFamily | Registry[CouplingForm], name: str, options: Any) -> None:
    """Check the options of a form.

    Args:
        forms: `COUPLING_FORMS` or a family of it.
        name: Of the form.
        options: Numbers by name of the option.

    Raises:
        ValueError: If the form is unknown, or an option is unknown or not a number in its range.
    """
    entry = forms.get(name)
    known = option_names(entry.function if isinstance(entry, CouplingForm) else entry)
    if not isinstance(options, Mapping):
        raise ValueError(f"Options of the {forms.kind} {name!r} must be a mapping, got {options}.")
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"The {forms.kind} {name!r} has no option {unknown}. Known: {known}.")
    for option, value in options.items():
        if not isinstance(value, numbers.Real) or not math.isfinite(value):
            raise ValueError(
                f"Option {option!r} of the {forms.kind} {name!r} must be a finite number, "
                f"got {value!r}."
            )
        if option in LIMITS and not 0 < float(value) < LIMITS[option]:
            raise ValueError(
                f"Option {option!r} of the {forms.kind} {name!r} must lie between 0 and "
                f"{LIMITS[option]}, got {value}."
            )
