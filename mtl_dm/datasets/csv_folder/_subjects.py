"""Who is in which split, where the table says both."""

from __future__ import annotations

from collections.abc import Iterable

from mtl_dm.datasets.reading import names
from mtl_dm.datasets.reading.subjects import SPLITS

_SHOWN = 5


def shared(found: Iterable[tuple[str, str]]) -> list[str]:
    """Return warnings about subjects in several given splits, and about rows without a subject.

    Args:
        found: Subject and split of every row.
    """
    splits: dict[str, set[str]] = {}
    unknown = 0
    for subject, split in found:
        if names.is_missing_mark(subject):
            unknown += 1
        else:
            splits.setdefault(subject, set()).add(split)
    warnings = []
    several = sorted(subject for subject, own in splits.items() if len(own) > 1)
    if several:
        shown = ", ".join(f"{name!r} ({_in_order(splits[name])})" for name in several[:_SHOWN])
        more = f" and {len(several) - _SHOWN:,} more" if len(several) > _SHOWN else ""
        warnings.append(
            f"{len(several):,} of {len(splits):,} subject(s) are in more than one split of the "
            f"column 'split': {shown}{more}. What is measured on validation or test is then not "
            "measured on unseen people; without that column, splits are made that share no subject."
        )
    if unknown:
        warnings.append(
            f"{unknown:,} row(s) have no subject: whether theirs is in another split, too, cannot "
            "be told."
        )
    return warnings + spellings(dict.fromkeys(splits))


def spellings(counts: names.Names) -> list[str]:
    """Return warnings about subjects that are probably one; they may end in different splits.

    Args:
        counts: Subject -> number of rows, or None.
    """
    known = {name: count for name, count in counts.items() if not names.is_missing_mark(name)}
    found = names.spelt_twice("the column 'subject'", known)
    perhaps = [name for name in known if names.is_perhaps_missing(name)]
    if perhaps:
        found.append(
            f"the column 'subject' names {names.listed(perhaps, known)}, taken for one person each."
        )
    return found


def _in_order(splits: set[str]) -> str:
    return ", ".join(split for split in SPLITS if split in splits)
