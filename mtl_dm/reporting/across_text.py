"""Verdicts over columns in words: what holds, what does not, and what is not decided."""

from __future__ import annotations

from collections.abc import Sequence

from mtl_dm.reporting.across import Across, probability
from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.reporting.tables import Table, shown


def sentences(found: Sequence[Across], spec: ReportSpec) -> list[str]:
    """Return what holds and what does not, a sentence each; Markdown.

    Args:
        found: Of `across`.
        spec: The plan of the report.
    """
    said = []
    for row in spec.rows:
        for other in spec.baselines_of(row).all:
            group = [each for each in found if (each.row, each.other) == (row, other)]
            if group:
                said.append(_sentence(group, spec) + _repair(group, found, spec))
    return said


def over_heading(found: Sequence[Across], spec: ReportSpec) -> str:
    """Return the heading of the table, "Over 7 networks"."""
    counts = sorted({each.difference.n for each in found})
    return f"Over {' to '.join(map(str, {counts[0]: 0, counts[-1]: 0}))} {spec.across}"


def across_table(found: Sequence[Across]) -> Table:
    """Return a line a comparison; empty if there is none."""
    if not found:
        return []
    head = ["row minus row", "metric", "difference", "columns better", "p (t)", "p (signed rank)"]
    return [
        head,
        *(
            [
                f"{each.row} minus {each.other}",
                " ".join(each.pair),
                shown(each.difference, each.quantity, signed=True) + (" *" if each.decided else ""),
                f"{each.better} of {each.difference.n}",
                probability(each.t_test),
                probability(each.signed_rank),
            ]
            for each in found
        ),
    ]


def note(spec: ReportSpec) -> str:
    """Return what the table's numbers are; Markdown."""
    groups = dict.fromkeys(
        name.partition(" /")[0] for name in spec.columns if name not in spec.across_without
    )
    shared = (
        f"The columns share their data: the verdict is about other {spec.across} on these data, "
        "not about other data."
        if len(groups) == 1
        else f"The columns differ in data too ({', '.join(groups)}), and some share theirs: "
        f"{spec.across} and data are not told apart."
    )
    left = ", ".join(f"`{name}`" for name in spec.across_without)
    return (
        f"Each of the {spec.across} gives one number, its difference paired by repeat and "
        "averaged over repeats. Mean and half width of Student's 95% interval over columns, in "
        "points where the metric is a fraction; * marks an interval that excludes 0. p: paired t "
        "test and Wilcoxon's signed-rank test, both over columns and two-sided, without correction "
        f"for the number of comparisons. {shared}" + (f" Not counted: {left}." if left else "")
    )


def _sentence(group: Sequence[Across], spec: ReportSpec) -> str:
    row, other = group[0].row, group[0].other
    lower, higher, open_ones = _sorted(group)
    if row == spec.uncoupled_row and other == spec.baseline_row:
        clauses = ("yes in", lower), ("no, a gain, in", higher), ("not decided in", open_ones)
        return f"Negative transfer under `{row}` against `{other}`: {_joined(clauses)}."
    clauses = ("better in", higher), ("worse in", lower), ("not decided in", open_ones)
    return f"`{row}` against `{other}`: {_joined(clauses)}."


def _repair(group: Sequence[Across], found: Sequence[Across], spec: ReportSpec) -> str:
    """Return what becomes of negative transfer, where the row is compared with the uncoupled."""
    row, other = group[0].row, group[0].other
    single = spec.baselines_of(row).single_task
    if other != spec.uncoupled_row or single is None:
        return ""
    lost = [
        each.pair
        for each in found
        if (each.row, each.other) == (other, single) and each.decided and each.gain < 0
    ]
    against = {each.pair: each for each in found if (each.row, each.other) == (row, single)}
    words: dict[str, list[str]] = {}
    for each in group:
        if each.pair in lost and each.pair in against:
            words.setdefault(_outcome(each, against[each.pair]), []).append(" ".join(each.pair))
    parts = [f"{word} in {', '.join(names)}" for word, names in words.items()]
    return f" Negative transfer: {'; '.join(parts)}." if parts else ""


def _outcome(won: Across, left: Across) -> str:
    """Return what a row did about a loss: `won` over the uncoupled row, `left` to single tasks."""
    if not won.decided:
        return "repair not decided"
    if won.gain < 0:
        return "not repaired"
    if left.gain >= 0:
        return "repaired"
    if left.decided:
        return "repaired in part"
    return f"repaired in part (against `{left.other}` not decided)"


def _sorted(group: Sequence[Across]) -> tuple[list[Across], list[Across], list[Across]]:
    decided = [each for each in group if each.decided]
    return (
        [each for each in decided if each.gain < 0],
        [each for each in decided if each.gain > 0],
        [each for each in group if not each.decided],
    )


def _joined(clauses: Sequence[tuple[str, Sequence[Across]]]) -> str:
    return "; ".join(
        f"{word} {', '.join(each.text for each in group)}" for word, group in clauses if group
    )
