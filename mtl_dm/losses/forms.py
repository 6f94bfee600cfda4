"""Coupling forms: what a coupling term is, by name. One function each.

A form is called as
    form(class_logits, attribute_logits, relatedness, labels, masks, **options) -> (values, weights)
with class_logits [B, K] and attribute_logits [B, M] of the labels that the coupling covers,
`relatedness` restricted to them, `labels` and `masks` dictionaries with the keys "classes"
([B, K]; [B]) and "attributes" ([B, M]; [B, M]), labels finite everywhere; `masks` may have
"covered" ([B]) too, 0 for images of a class outside, which only a form with one value for the
batch has to leave out itself. It returns either
`values` [B] and `weights` [B], whose weighted mean over the whole (global) batch is the term, or
a scalar for the batch and a scalar weight. Keyword arguments of a form are its options; a
coupling checks that an option exists. A form that needs only logits and the relatedness, or only a
soft label, is one equation in `matching` or `co_annotation`; any other registers itself here.
"""

from __future__ import annotations

import functools
import inspect
import math
import numbers
from collections.abc import Callable, Mapping
from typing import Any

from keras import ops

from mtl_dm.losses import co_annotation, matching
from mtl_dm.registry import Registry
from mtl_dm.relatedness import Relatedness

Form = Callable[..., tuple[Any, Any]]
Arrays = Mapping[str, Any]

MATCHING_FORMS: Registry[Form] = Registry("matching form")
CO_ANNOTATION_FORMS: Registry[Form] = Registry("co-annotation form")


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


for _name in matching.EQUATIONS:
    MATCHING_FORMS.register(_name)(_on_every_image(matching.EQUATIONS.get(_name)))
for _name in co_annotation.EQUATIONS:
    CO_ANNOTATION_FORMS.register(_name)(
        _where_attributes_are_labelled(co_annotation.EQUATIONS.get(_name))
    )


LIMITS: Mapping[str, float] = {"clip": 0.5, "epsilon": 1.0, "temperature": math.inf}
"""Options that must lie strictly between 0 and a number."""


def option_names(form: Form) -> list[str]:
    """Return the names of a form's options: its keyword-only arguments."""
    parameters = inspect.signature(form).parameters.values()
    return [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]


def check_options(forms: Registry[Form], name: str, options: Any) -> None:
    """Check the options of a form.

    Args:
        forms: `MATCHING_FORMS` or `CO_ANNOTATION_FORMS`.
        name: Of the form.
        options: Numbers by name of the option.

    Raises:
        ValueError: If the form is unknown, or an option is unknown or not a number in its range.
    """
    known = option_names(forms.get(name))
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
