"""The claim: the student is at least its teacher on targets whose task no source knows.

A source knows a task that it was trained for on whatever faces. So identity and expression are no
targets of the claim in any preset, nor is what follows from them (`sources.LABELS`).

The paper compares the fine-tuned student with an MLP on AE's embedding. These differ in more than
the network: the student learns from all training rows, shifted, mirrored and relit, AE's MLP from
four fifths of them as they are. So the frozen student stands beside it, with AE's rows and head.
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
COMPARED = {
    transfers.STUDENT_TUNED: "fine-tuned, as in the paper",
    made.STUDENT: "with AE's rows and head",
}
"""The rows that are compared with AE, and what differs beside the network."""


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


def gain_of(columns: Columns, target: Target, row: str) -> Summary | None:
    """Return a student less its teacher, positive where it is better; None: not measured.

    Args:
        columns: Measured.
        target: The target.
        row: One of `COMPARED`.
    """
    found = columns[target.name].difference(row, made.AE, TASK, target.metric)
    if found is None:
        return None
    sign = -1 if target.metric in LOWER_IS_BETTER else 1
    return found._replace(mean=sign * found.mean)


def claim(columns: Columns, targets: Sequence[Target], sources: Sequence[str]) -> Table:
    """Return two lines a target: student less teacher, and what that says of the claim.

    Args:
        columns: Measured.
        targets: The targets.
        sources: Names of the run's sources.
    """
    lines = [["target", "student", f"less {made.AE}", "claim", "sources that know its task"]]
    for target in targets:
        known = ", ".join(knowing(target.label, sources))
        for row, how in COMPARED.items():
            gain = gain_of(columns, target, row)
            if gain is None:
                continue
            said = "not of this claim" if known else verdict(gain, MARGIN[target.metric])
            less = shown(gain, QUANTITIES[target.metric], signed=True)
            lines.append([target.name, how, less, said, known or "none"])
    return lines
