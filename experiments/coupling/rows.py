"""The rows of the study: what is coupled, how, and by what relatedness."""

from __future__ import annotations

from typing import Any

from experiments.engine.method import Method
from mtl_dm.reporting import Baselines


def _coupled(
    matching_form: str = "conditional",
    co_annotation_form: str = "posterior",
    relatedness: str = "known",
    **changes: Any,
) -> Method:
    return Method(
        {
            "relatedness": relatedness,
            "matching_form": matching_form,
            "co_annotation_form": co_annotation_form,
            **changes,
        }
    )


def gated(method: Method) -> Method:
    """Return a row whose coupling terms are judged by the held-out images."""
    return method.but(validation_gate=True, validation="held out")


def meant(method: Method) -> Method:
    """Return a row whose attribute loss is the mean over an image's attributes, not their sum."""
    return method.but(attribute_reduction="mean")


_PRINTED = _coupled("paper", "paper")
_DEFAULT = _coupled()
_WRONG = _coupled(relatedness="wrong")
_FEW = _coupled(relatedness="10%")
_SINGLE, _UNCOUPLED = Method(single_task=True), Method()

TABLES = {
    "known": "known",
    "10% co-annotated": "10%",
    "noisy": "noisy",
    "permuted": "wrong",
    "adversarial": "adversarial",
    "another database's": "elsewhere",
    "learned": "learned",
}
"""What the preset protection couples through, and what problems call it."""

UNPROTECTED: dict[str, Any] = {"trust": False, "gate": False}
FIRST_RULE = "known table, unprotected, first rule"
"""The default of earlier versions: where it harmed, the later rule is judged beside it."""


def protection_row(table: str, protected: bool) -> str:
    """Return the name of the row that couples through a table of `TABLES`."""
    return f"{table} table, {'protected' if protected else 'unprotected'}"


PROTECTION = {
    protection_row(table, protected): _coupled(
        relatedness=relatedness, **({} if protected else UNPROTECTED)
    )
    for table, relatedness in TABLES.items()
    for protected in (True, False)
}

TUNED = "fixed factors, tuned"
"""Forms and factors as screened for the regime; a column brings its own plan for this row."""

ROWS = {
    "ST": _SINGLE,
    "ST (mean)": meant(_SINGLE),
    "NC MT (sum)": _UNCOUPLED,
    "NC MT (mean)": meant(_UNCOUPLED),
    "printed (mean)": meant(_PRINTED),
    "printed (sum)": _PRINTED,
    "printed (sum), gated": gated(_PRINTED),
    "printed SCA alone": _PRINTED.but(matching=0.0),
    "posterior SCA alone": _DEFAULT.but(matching=0.0, co_annotation=0.3),
    "js + posterior": _coupled("js", matching=1.0, co_annotation=0.3),
    "batch + posterior": _coupled("batch", matching=1.0, co_annotation=0.3),
    TUNED: _DEFAULT,
    "default": _DEFAULT,
    "default, gated": gated(_DEFAULT),
    "default (mean)": meant(_DEFAULT),
    "default, 10% co-annotated": _FEW,
    "default, 10% co-annotated, gated": gated(_FEW),
    "default, 10% co-annotated, T fitted": _coupled(relatedness="10%, T"),
    "default, learned relatedness": _coupled(relatedness="learned"),
    "default, CK+ relatedness": _coupled(relatedness="ck+"),
    "default, counted relatedness": _coupled(relatedness="counted"),
    "default, noisy relatedness": _coupled(relatedness="noisy"),
    "default, wrong relatedness": _WRONG,
    "default, wrong relatedness, gated": gated(_WRONG),
    "default, shifted prior": _coupled(relatedness="shifted prior"),
    **PROTECTION,
    FIRST_RULE: _coupled(**UNPROTECTED, rule="first"),
}
"""By name. Factors 1 and 0.3 are those with which the forms before the default were tried first."""

BASELINES = {"sum": ("ST", "NC MT (sum)"), "mean": ("ST (mean)", "NC MT (mean)")}
"""The rows that one with the same reduction of the attribute loss is compared with."""


def baselines(row: str) -> Baselines:
    """Return what a row is compared with: rows of the same reduction of the attribute loss."""
    single, uncoupled = BASELINES[ROWS[row].changes.get("attribute_reduction", "sum")]
    if row == single:
        return Baselines()
    return Baselines(single) if row == uncoupled else Baselines(single, uncoupled)


ROBUSTNESS = (
    "default, noisy relatedness",
    "default, wrong relatedness",
    "default, wrong relatedness, gated",
    "default, shifted prior",
    "default, 10% co-annotated, gated",
    "printed (sum), gated",
    "default, gated",
)
EVERYWHERE = (
    "ST",
    "ST (mean)",
    "NC MT (sum)",
    "NC MT (mean)",
    "printed (mean)",
    "printed (sum)",
    "printed SCA alone",
    "posterior SCA alone",
    "js + posterior",
    "batch + posterior",
    TUNED,
    "default",
    "default, 10% co-annotated",
    "default, 10% co-annotated, T fitted",
    "default, learned relatedness",
)
CORE = (
    "ST",
    "NC MT (sum)",
    "printed (sum)",
    "posterior SCA alone",
    "default",
    "default, learned relatedness",
)
"""The rows that the verdict on the default needs; they are computed first."""

FEW = ("ST", "NC MT (sum)", "printed (sum)", "default", "default, learned relatedness")
