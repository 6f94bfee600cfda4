"""The rows of the study: what is coupled, how, and by what relatedness."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Row:
    """One way to train.

    Attributes:
        reduction: Of an image's attribute loss.
        single_task: One network a task.
        coupled: Whether there is a coupling.
        matching_form: As in `mtl_dm.Coupling`.
        co_annotation_form: Likewise.
        matching: Factor; None: by the rule.
        co_annotation: Likewise.
        relatedness: Which one, a name that the problem knows ("known", "10%", "learned", ...).
        brake: Whether `mtl_dm.training.validation_gate` judges the terms, by the held-out images.
    """

    reduction: str = "sum"
    single_task: bool = False
    coupled: bool = True
    matching_form: str = "conditional"
    co_annotation_form: str = "posterior"
    matching: float | None = None
    co_annotation: float | None = None
    relatedness: str = "known"
    brake: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return dataclasses.asdict(self)


_UNCOUPLED = Row(coupled=False)
_PRINTED = Row(matching_form="paper", co_annotation_form="paper")
_WRONG = Row(relatedness="wrong")
_FEW = Row(relatedness="10%")

TUNED = "fixed factors, tuned"
"""Forms and factors as screened for the regime; a column brings its own plan for this row."""

ROWS = {
    "ST": Row(single_task=True, coupled=False),
    "ST (mean)": Row("mean", single_task=True, coupled=False),
    "NC MT (sum)": _UNCOUPLED,
    "NC MT (mean)": dataclasses.replace(_UNCOUPLED, reduction="mean"),
    "printed (mean)": dataclasses.replace(_PRINTED, reduction="mean"),
    "printed (sum)": _PRINTED,
    "printed (sum), braked": dataclasses.replace(_PRINTED, brake=True),
    "printed SCA alone": dataclasses.replace(_PRINTED, matching=0.0),
    "posterior SCA alone": Row(matching=0.0, co_annotation=0.3),
    "js + posterior": Row(matching_form="js", matching=1.0, co_annotation=0.3),
    "batch + posterior": Row(matching_form="batch", matching=1.0, co_annotation=0.3),
    TUNED: Row(),
    "default": Row(),
    "default, braked": Row(brake=True),
    "default (mean)": Row("mean"),
    "default, 10% co-annotated": _FEW,
    "default, 10% co-annotated, braked": dataclasses.replace(_FEW, brake=True),
    "default, 10% co-annotated, T fitted": Row(relatedness="10%, T"),
    "default, learned relatedness": Row(relatedness="learned"),
    "default, CK+ relatedness": Row(relatedness="ck+"),
    "default, counted relatedness": Row(relatedness="counted"),
    "default, noisy relatedness": Row(relatedness="noisy"),
    "default, wrong relatedness": _WRONG,
    "default, wrong relatedness, braked": dataclasses.replace(_WRONG, brake=True),
    "default, shifted prior": Row(relatedness="shifted prior"),
}
"""By name. Factors 1 and 0.3 of the forms before the default are those of the issue's leads."""

BASELINES = {"sum": ("ST", "NC MT (sum)"), "mean": ("ST (mean)", "NC MT (mean)")}
"""The rows that one with the same reduction is compared with."""

ROBUSTNESS = (
    "default, noisy relatedness",
    "default, wrong relatedness",
    "default, wrong relatedness, braked",
    "default, shifted prior",
    "default, 10% co-annotated, braked",
    "printed (sum), braked",
    "default, braked",
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
