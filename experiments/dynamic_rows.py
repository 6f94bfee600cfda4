"""The rows of the study of dynamic weights, and which of them each column has."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.engine.method import Method
from experiments.problems.face_verification import EXPRESSION, IDENTITY
from mtl_dm.reporting import Baselines

PRETRAINED, TUNED = "ST, pretrained", "ST, fine-tuned"
EQUAL, NAIVE, DYNAMIC = "equal weights", "naive dynamic", "dynamic"
AUTHOR, PRINTED = "dynamic, author's code", "dynamic, as printed"
RANDOM = "dynamic, random start"
"""From 0 the unit of the paper is a switch; from small random weights it moves smoothly."""
UNCERTAINTY, DWA, GRADNORM = "uncertainty", "dwa", "gradnorm"

FULL = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Weights w1 of identity with every seed; expression has 1 - w1."""
ONCE = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Those with one seed."""


def static(weight: float) -> str:
    """Return the row of a static weight."""
    return f"static, w1 = {weight:g}"


TRANSFERRED = ("transfer",)
"""The one stage of a training: it begins with a copy of the identity branch in the other one."""


def _method(balancing: str, single_task: bool = False) -> Method:
    changes = {
        "balancing": balancing,
        # Constant weights need no log.
        "log_weights": not balancing.startswith(("equal", "static")),
        # A network with one branch has nothing to copy: it starts from the identity branch itself.
        "stages": () if single_task else TRANSFERRED,
    }
    return Method(changes, single_task=single_task, starts_from=PRETRAINED)


def _static(weight: float) -> Method:
    return _method(f"static({IDENTITY}={weight:g}, {EXPRESSION}={1 - weight:g})")


ROWS = {
    PRETRAINED: Method(pretraining=True),
    TUNED: _method("equal", single_task=True),
    EQUAL: _method("equal"),
    **{static(weight): _static(weight) for weight in sorted((*FULL, *ONCE))},
    NAIVE: _method("naive_dynamic"),
    DYNAMIC: _method("dynamic"),
    AUTHOR: _method("dynamic(variant=author)"),
    PRINTED: _method("dynamic(variant=printed)"),
    RANDOM: _method("dynamic(start=normal)"),
    UNCERTAINTY: _method("uncertainty"),
    DWA: _method("dwa"),
    # Its usual scope, the last kernel, is that of one branch, which the other task's loss never
    # reaches: weights would not move.
    GRADNORM: _method("gradnorm(scope=shared)"),
}
SWEPT = tuple(static(weight) for weight in FULL)
SWEPT_ONCE = tuple(static(weight) for weight in ONCE)
WHOLE = tuple(row for row in ROWS if row not in SWEPT_ONCE)
"""Rows of the drawn people, every seed."""
FURTHER = (PRETRAINED, *SWEPT_ONCE)
"""Rows of one seed."""
ON_PHOTOS = (PRETRAINED, TUNED, EQUAL, NAIVE, DYNAMIC, AUTHOR, UNCERTAINTY)
"""The seven rows of Labeled Faces in the Wild, and of CMU's faces."""
WEIGHED = (NAIVE, DYNAMIC, AUTHOR, PRINTED, RANDOM, UNCERTAINTY, DWA, GRADNORM)
"""Rows whose weights move."""

BASELINES = {
    PRETRAINED: Baselines(),
    TUNED: Baselines(None, None, (PRETRAINED,)),
    **{
        row: Baselines(TUNED, None if row == EQUAL else EQUAL, (NAIVE,) if row == DYNAMIC else ())
        for row in ROWS
        if row not in (PRETRAINED, TUNED)
    },
}
PUBLISHED_ROWS = {
    PRETRAINED: "Single-task (pretrained)",
    TUNED: "Single-task (fine-tuning)",
    EQUAL: "Static MTL",
    NAIVE: "Naive dynamic MTL",
    DYNAMIC: "Proposed dynamic MTL",
}


def published_rows(rows: Sequence[str]) -> dict[str, str]:
    """Return what the paper calls some of the rows."""
    return {row: name for row, name in PUBLISHED_ROWS.items() if row in rows}
