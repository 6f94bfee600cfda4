"""The sentence at the top of a report: what the paired differences decide, and what they do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mtl_dm.reporting.comparisons import Comparison, compare, comparisons
from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.spec import Pair, ReportSpec

_NAMED = 2
"""As many rows are given with their numbers; of more, the range."""
_LISTED = 30
"""Of more comparisons those that are not decided are counted, not named: nobody would read them."""
_MANY = 20
"""Comparisons of which one, on average, is decided where there is no difference."""


class Verdict(NamedTuple):
    """What one column decides; Markdown.

    Attributes:
        sentence: What comes first.
        more: What else is decided, a sentence each, and what is not.
    """

    sentence: str
    more: list[str]

    @property
    def text(self) -> str:
        """All of it in one paragraph."""
        return " ".join([self.sentence, *self.more])


def verdict(measured: Measured, spec: ReportSpec) -> Verdict:
    """Return what one column decides.

    Rows are compared with the row that lacks what they add (`Baselines.nearest`), in the metrics
    that speak for their tasks (`ReportSpec.judged`). Decided is a difference whose 95% interval
    excludes 0: Student's over seeds, corrected over folds. Each interval stands alone.

    Args:
        measured: The column's values.
        spec: The plan of the column.
    """
    found = [
        each
        for row in spec.rows
        if (nearest := spec.baselines_of(row).nearest) is not None
        for each in compare(measured, spec, row, nearest, spec.judged)
    ]
    if not found:
        text = "**Nothing can be compared yet**: no row shares a repeat with what it starts from."
        return Verdict(text, [])
    repeats = max(each.difference.n for each in found)
    unit = "fold" if measured.folded else "seed"
    if repeats == 1:
        text = (
            f"**One {unit} decides nothing**: there is no interval, and another {unit} may turn "
            "every difference around."
        )
        return Verdict(text, [])
    over = f"{repeats} {unit}s, 95% intervals of paired differences{_by_chance(found)}"
    clauses, left = _decided(measured, spec, found), _undecided(found)
    left += _rest(measured, spec)
    open_ones = f"{'; '.join(left)}." if left else ""
    if not clauses:
        return Verdict(f"**Not decided** ({over}): {open_ones}", [])
    more = [f"{clause}." for clause in clauses[1:]]
    more += [f"**Not decided**: {open_ones}"] if left else []
    return Verdict(f"**Decided** ({over}): {clauses[0]}.", more)


def _by_chance(found: Sequence[Comparison]) -> str:
    """Return what many intervals that stand alone are worth."""
    if len(found) < _MANY:
        return ""
    return (
        f", each alone: of {len(found)} comparisons without a difference about "
        f"{len(found) / _MANY:.0f} would be decided"
    )


def _rest(measured: Measured, spec: ReportSpec) -> list[str]:
    every = comparisons(measured, spec)
    count = sum(not each.decided for each in every)
    if not count:
        return []
    return [f"altogether {count} of {len(every)} comparisons, listed under Findings"]


def _decided(measured: Measured, spec: ReportSpec, found: Sequence[Comparison]) -> list[str]:
    """Return what is repaired, what is lost and what is gained, a clause each."""
    losses: dict[Comparison, list[Comparison]] = {}
    for each in found:
        loss = _loss_behind(measured, spec, each)
        if loss is not None:
            losses.setdefault(loss, []).append(each)
    clauses = []
    for loss, repairs in losses.items():
        for wholly in (True, False):
            group = [r for r in repairs if _repaired(measured, spec, r, loss.other) == wholly]
            clauses += [_repair(group, loss, wholly)] if group else []
    said = {*losses, *(each for repairs in losses.values() for each in repairs)}
    plain = [each for each in found if each.decided and each not in said]
    worse, better = ([e for e in plain if e.gain < 0], [e for e in plain if e.gain > 0])
    return clauses + [_move(group) for part in (worse, better) for group in _grouped(part)]


def _loss_behind(measured: Measured, spec: ReportSpec, each: Comparison) -> Comparison | None:
    """Return what the row it is compared with had lost, where a row decidedly wins some back."""
    single = spec.baselines_of(each.other).single_task
    if single is None or not (each.decided and each.gain > 0):
        return None
    lost = compare(measured, spec, each.other, single, [each.pair])
    return next((loss for loss in lost if loss.decided and loss.gain < 0), None)


def _repaired(measured: Measured, spec: ReportSpec, each: Comparison, single: str) -> bool:
    """Whether no loss against the single-task row is decided any more."""
    rest = compare(measured, spec, each.row, single, [each.pair])
    return bool(rest) and not any(gap.decided and gap.gain < 0 for gap in rest)


def _repair(found: Sequence[Comparison], loss: Comparison, wholly: bool) -> str:
    """Return "`X` repairs accuracy, in which `NC MT` loses 1.0 ± 0.2 points against `ST`: ..."."""
    part = "" if wholly else " in part"
    now = "not decidedly" if wholly else "still"
    are = "they are" if len(found) > 1 else "it is"
    return (
        f"{_rows(found)} {_verb('repair', found)} {loss.what}{part}, in which `{loss.row}` loses "
        f"{_sizes([loss])} against `{loss.other}`: {are} {_sizes(found)} better than "
        f"`{loss.row}` and {now} worse than `{loss.other}`"
    )


def _move(found: Sequence[Comparison]) -> str:
    """Return "`X` raises accuracy by 1.0 ± 0.2 points against `NC MT`"."""
    first = found[0]
    verb = _verb("raise" if first.difference.mean > 0 else "lower", found)
    return f"{_rows(found)} {verb} {first.what} by {_sizes(found)} against `{first.other}`"


def _undecided(found: Sequence[Comparison]) -> list[str]:
    open_ones = [each for each in found if not each.decided]
    if len(found) > _LISTED:
        return [f"{len(open_ones)} of these {len(found)} comparisons"] if open_ones else []
    groups = _grouped(open_ones)
    return [f"{group[0].what} of {_rows(group)} against `{group[0].other}`" for group in groups]


def _grouped(found: Sequence[Comparison]) -> list[list[Comparison]]:
    """Return what is about one metric and one row to compare with together, in order."""
    groups: dict[tuple[Pair, str], list[Comparison]] = {}
    for each in found:
        groups.setdefault((each.pair, each.other), []).append(each)
    return list(groups.values())


def _verb(verb: str, found: Sequence[Comparison]) -> str:
    return verb if len(found) > 1 else f"{verb}s"


def _rows(found: Sequence[Comparison]) -> str:
    # In code, for a row's name may hold commas.
    return _listed([f"`{each.row}`" for each in found])


def _sizes(found: Sequence[Comparison]) -> str:
    unit = f" {found[0].quantity.unit}".rstrip()
    if len(found) <= _NAMED:
        return _listed([each.size for each in found]) + unit
    ordered = sorted(found, key=lambda each: abs(each.difference.mean))
    low, high = (
        each._replace(difference=each.difference.bare) for each in ordered[:: len(ordered) - 1]
    )
    return f"{low.size} to {high.size}{unit}"


def _listed(texts: Sequence[str]) -> str:
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"
