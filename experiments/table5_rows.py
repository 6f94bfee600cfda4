"""The rows of Table 5 on clothing features: what each tries before it is tested.

Every row has six trials, the single-task and the coupled ones too: a method that is tuned must not
win against one that is not. What a method leaves to its user is tried at two learning rates, a
method that leaves nothing at six.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from experiments.engine.method import Method
from mtl_dm.balancing import BALANCING
from mtl_dm.spec import Spec

TRIALS = 6
RATES = (3e-4, 5e-4, 1e-3, 2e-3, 3e-3, 5e-3)
TWO_RATES = (1e-3, 3e-3)

SINGLE = "ST"
UNCOUPLED = "NC MT"
STATIC = "static"
COUPLED = "default"
ON_BEST = "default on the best method"
MATCHED = "dense_trunk(width=130)"
"""Of each single-task network: two have together as many weights as a trunk of 256 for both."""


class Setting(NamedTuple):
    """What a row trains with.

    Attributes:
        balancing: Specification of the method.
        learning_rate: Of the optimizer.
    """

    balancing: str
    learning_rate: float

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.balancing} at {self.learning_rate:g}"


def _rates(balancing: str) -> tuple[Setting, ...]:
    return tuple(Setting(balancing, rate) for rate in RATES)


def _grid(*balancing: str) -> tuple[Setting, ...]:
    return tuple(Setting(each, rate) for each in balancing for rate in TWO_RATES)


SETTINGS: Mapping[str, tuple[Setting, ...]] = {
    SINGLE: _rates("equal"),
    UNCOUPLED: _rates("equal"),
    STATIC: _grid("static(category=3)", "static(attributes=3)", "static(attributes=10)"),
    "uncertainty": _rates("uncertainty"),
    "dwa": _grid("dwa(temperature=1)", "dwa(temperature=2)", "dwa(temperature=5)"),
    "lbtw": _grid("lbtw(alpha=0.25)", "lbtw(alpha=0.5)", "lbtw(alpha=1)"),
    "rlw": _rates("rlw"),
    "imtl_l": _rates("imtl_l"),
    "famo": _grid(*(f"famo(learning_rate={rate})" for rate in (0.005, 0.025, 0.1))),
    "stch": _grid("stch(mu=0.1)", "stch(mu=1)", "stch(mu=10)"),
    "gls": _rates("gls"),
    # Those that look at features are MGDA-UB of the paper's Table 5.
    "mgda": _grid("mgda", "mgda(normalization=loss+)", "mgda(scope=features)"),
    "gradnorm": _grid("gradnorm(alpha=0.5)", "gradnorm(alpha=1.5)", "gradnorm(alpha=3)"),
    "pcgrad": _rates("pcgrad"),
    "cagrad": _grid("cagrad(c=0.2)", "cagrad(c=0.5)", "cagrad(c=0.8)"),
    "nash_mtl": _rates("nash_mtl"),
    "fairgrad": _grid("fairgrad(alpha=0.5)", "fairgrad(alpha=1)", "fairgrad(alpha=2)"),
    "upgrad": _rates("upgrad"),
    "imtl_g": _rates("imtl_g"),
    "aligned_mtl": _grid(*(f"aligned_mtl(scale={scale})" for scale in ("min", "median", "rmse"))),
    "db_mtl": _rates("db_mtl"),
    "pareto_mtl": _rates("pareto_mtl"),
    COUPLED: _rates("equal"),
}
"""By row, what it tries; a row of a method has the method's name."""

BALANCED = tuple(row for row in SETTINGS if row not in (SINGLE, UNCOUPLED, COUPLED))
"""Rows of a method; the best of them is coupled too."""
ROWS = (*SETTINGS, ON_BEST)


def method_of(row: str, setting: Setting) -> Method:
    """Return a row as it trains.

    Args:
        row: Of `ROWS`.
        setting: Its own; of the best method for the row that couples it.
    """
    method = Method({"balancing": setting.balancing, "learning_rate": setting.learning_rate})
    if row == SINGLE:
        return Method({**method.changes, "backbone": MATCHED}, single_task=True)
    if row == COUPLED:
        return method.but(relatedness="counted")
    if row == ON_BEST:
        return method.but(relatedness="counted", balancing=of_tasks(setting.balancing))
    return method


def of_tasks(balancing: str) -> str:
    """Return a method that weighs the tasks alone, as it was tuned to, whatever couples them."""
    spec = BALANCING.spec(balancing)
    return str(Spec(spec.name, {**spec.options, "balances": "tasks"}))
