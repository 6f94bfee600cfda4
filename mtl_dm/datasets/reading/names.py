"""What is wrong with names that a table chose freely: those of classes, attributes, subjects."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal

Names = Mapping[str, int | None]
"""Name -> number of rows, None where that is not known."""

# What programs write for "no value". A class may be called so; then another spelling costs little.
_MARKS = frozenset({
    "na", "n/a", "n.a.", "<na>", "nan", "-nan", "+nan", "nat", "null", "<null>", "(null)", "nil",
    r"\n", "1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind",
})  # fmt: skip

# What spreadsheets write for a formula without a value.
_ERROR = re.compile(r"#(n/?a( n/a)?|null!|ref!|div/0!|value!|name\?|num!|calc!|spill!)")

_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2212")
_STROKES = frozenset("?._/") | _DASHES

# What people write for "no value", and also a class of its own: no hat, none of the others.
_PERHAPS = frozenset({
    "none", "unknown", "missing", "undefined", "unlabeled", "unlabelled", "unannotated",
    "not annotated", "not labeled", "not labelled", "not available", "no label", "tbd", "todo",
})  # fmt: skip

_NEGATIVE = re.compile(r"-(1|9+)(\.0)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)

_GROUPS_SHOWN = 5


def is_missing_mark(text: str) -> bool:
    """Return whether a cell says, as programs do, that it has no value; an empty one does, too."""
    text = " ".join(text.split()).casefold()
    return text in _MARKS or bool(_ERROR.fullmatch(text)) or set(text) <= _STROKES


def is_perhaps_missing(text: str, names: Collection[str] = ()) -> bool:
    """Return whether a name may mean "no value".

    Args:
        text: The name: "unknown", or -1 or -999 where all others are 0, 1, ...
        names: All names. Beside 0 and 1 alone, -1 is a sign.
    """
    if " ".join(text.split()).casefold() in _PERHAPS:
        return True
    if not _NEGATIVE.fullmatch(text):
        return False  # Before a look at all others, of which there may be a hundred thousand.
    others = [name for name in names if name != text]
    if not others:
        return False
    if not all(_NUMBER.fullmatch(name) and not name.startswith("-") for name in others):
        return False
    return Decimal(text) != -1 or any(Decimal(name) not in (0, 1) for name in others)


def errors(what: str, names: Names) -> list[str]:
    """Return why some of the names cannot stand: marks for "missing", and one name spelt twice.

    Args:
        what: Where they are from, such as "the column 'class:pet'".
        names: All of them.
    """
    marks = [name for name in names if is_missing_mark(name) and not _is_sign(name, names)]
    found = []
    if marks:
        found.append(
            f"{what} names {listed(marks, names)}, which marks missing values: leave a cell empty "
            "where nothing is annotated; what is a name, spell out."
        )
    return found + _spelt_twice(what, names, (_AS_NUMBER, _BUT_SPACE))


def warnings(what: str, names: Names) -> list[str]:
    """Return what is doubtful about names without errors.

    Args:
        what: As for `errors`.
        names: As for `errors`.
    """
    marks = [name for name in names if is_perhaps_missing(name, names)]
    found = []
    if marks:
        found.append(
            f"{what} names {listed(marks, names)}, taken for a label like any other: leave a cell "
            "empty where nothing is annotated."
        )
    return found + _spelt_twice(what, names, (_BUT_CASE,))


def spelt_twice(what: str, names: Names) -> list[str]:
    """Return the names that are probably one: a number in two spellings, other case or space.

    Args:
        what: As for `errors`.
        names: As for `errors`.
    """
    return _spelt_twice(what, names, (_AS_NUMBER, _BUT_CASE))


def listed(names: Iterable[str], counts: Names, most: int = 10) -> str:
    """Return names in quotes, sorted, with their numbers of rows where these are known."""
    names = sorted(names)
    shown = [
        repr(name) if counts.get(name) is None else f"{name!r} ({counts[name]:,})"
        for name in names[:most]
    ]
    return ", ".join(shown) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _is_sign(name: str, names: Names) -> bool:
    return name in _DASHES and "+" in names


def _as_number(name: str) -> Decimal | None:
    # As a float, identifiers of 17 digits would fall together.
    return Decimal(name) if _NUMBER.fullmatch(name) else None


def _but_space(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())


def _but_case(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


_Key = tuple[Callable[[str], object], str]

_AS_NUMBER: _Key = (_as_number, "one number in several spellings; write it in one")
_BUT_SPACE: _Key = (_but_space, "the same but for white space; write it in one way")
_BUT_CASE: _Key = (
    _but_case,
    "the same but for case or white space, taken for different ones; if they are not, write them "
    "in one way",
)


def _spelt_twice(what: str, names: Names, keys: Iterable[_Key]) -> list[str]:
    found = []
    for key, how in keys:
        groups = defaultdict(list)
        for name in sorted(names):
            groups[key(name)].append(name)
        groups.pop(None, None)
        several = [listed(group, names) for group in groups.values() if len(group) > 1]
        if several:
            more = len(several) - _GROUPS_SHOWN
            shown = "; ".join(several[:_GROUPS_SHOWN]) + (f"; {more:,} more" if more > 0 else "")
            found.append(f"{what} names {shown}: {how}.")
    return found
