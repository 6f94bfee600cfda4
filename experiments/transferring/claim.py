"""The claim: the student is at least its teacher on targets whose task no source knows.

A source knows a task that it was trained for on whatever faces. So identity and expression are no
targets of the claim in any preset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.transferring import representations as made
from experiments.transferring import transfers
from experiments.transferring.sources import knowing
from experiments.transferring.tables import QUANTITIES, Columns
from experiments.transferring.targets import LOWER_IS_BETTER, TASK, Target
from mtl_dm.reporting.measured import Summary
from mtl_dm.reporting.tables import Table, shown

MARGIN: Mapping[str, float] = {"accuracy": 0.02, "error_rate": 0.02, "mae": 0.02}
"""How much worse the student may be and still count as no worse, stated before anything was run."""
MARGIN_SAID = "2 points, of a MAE 0.02"
HOLDS, FAILS, OPEN = "holds", "does not hold", "open"


def verdict(gain: Summary, margin: float) -> str:
    """Return whether a gain is above -margin: decided by the interval where there is one.

    Args:
        gain: Student less teacher, positive where the student is better.
        margin: Above 0.
    """
    if gain.mean != gain.mean or gain.half_width != gain.half_width:
        return f"{OPEN} (one seed)"
    if gain.mean - gain.half_width > -margin:
        return HOLDS
    return FAILS if gain.mean + gain.half_width < -margin else OPEN


def gain_of(columns: Columns, target: Target) -> Summary | None:
    """Return student less teacher, positive where the student is better; None: not measured."""
    pair = (transfers.STUDENT_TUNED, made.AE, TASK, target.metric)
    found = columns[target.name].difference(*pair)
    if found is None:
        return None
    sign = -1 if target.metric in LOWER_IS_BETTER else 1
    return found._replace(mean=sign * found.mean)


def claim(columns: Columns, targets: Sequence[Target], sources: Sequence[str]) -> Table:
    """Return a line a target: student less teacher, and what that says of the claim.

    Args:
        columns: Measured.
        targets: The targets.
        sources: Names of the run's sources.
    """
    lines = [["target", "sources that know its task", "student less teacher", "claim"]]
    for target in targets:
        gain = gain_of(columns, target)
        if gain is None:
            continue
        known = ", ".join(knowing(target.label, sources))
        said = "not of this claim" if known else verdict(gain, MARGIN[target.metric])
        quantity = QUANTITIES[target.metric]
        lines.append([target.name, known or "none", shown(gain, quantity, signed=True), said])
    return lines
