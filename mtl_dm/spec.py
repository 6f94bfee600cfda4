"""What a user types to choose a thing with options: "NAME" or "NAME(option=value, ...)".

A value is a literal: a number, True, False, None, quoted text, a bare word (text that needs no
quotes, such as a name or a path), or a list of these in brackets. A value may itself be a
specification, "step(every=2)", and stands for its text. Nothing is ever evaluated.
"""

from __future__ import annotations

import collections
import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

Value = Any
"""bool, int, float, str, None or a tuple of these."""

_NAME = re.compile(r"[A-Za-z_][\w-]*")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"[A-Za-z_./~*?][\w./:~@%+*?-]*")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", re.DOTALL)
_SPACE = re.compile(r"\s*")
_CONSTANTS: Mapping[str, Value] = {"True": True, "False": False, "None": None}
_LITERAL = (
    "a value is a literal (a number, True, False, None, a word, quoted text or a list), not code"
)
_DEEPEST = 12
"""Most brackets in each other: more is a mistake, or meant to exhaust the reader."""
_CLOSING = {"[": "]", "(": ")"}


@dataclasses.dataclass(frozen=True)
class Spec:
    """A name and its options; `str` gives the text that `parse` turns into an equal one.

    Attributes:
        name: What is chosen.
        options: Values by name of the option, in any order.
    """

    name: str
    options: Mapping[str, Value] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        if not self.options:
            return self.name
        listed = (f"{name}={_text(self.options[name])}" for name in sorted(self.options))
        return f"{self.name}({', '.join(listed)})"


def parse(text: str) -> Spec:
    """Return the specification that a text is.

    Raises:
        ValueError: If it is none: the message says where it ends to be one, and why.
    """
    parser = _Parser(text)
    spec = parser.spec()
    parser.skip_space()
    if not parser.ended():
        raise parser.error(f"expected nothing after it, got {parser.rest()!r}")
    return spec


def parse_several(text: str) -> list[Spec]:
    """Return the specifications that a text lists with commas between them, at least one.

    Raises:
        ValueError: As `parse`.
    """
    parser = _Parser(text)
    found = [parser.spec()]
    while True:
        parser.skip_space()
        if parser.ended():
            return found
        if not parser.comma():
            raise parser.error(f"expected ',' or the end, got {parser.rest()!r}")
        found.append(parser.spec())


class _Parser:
    """Reads a text from left to right, once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._depth = 0

    def error(self, reason: str) -> ValueError:
        return ValueError(
            f"{self._text!r} is no specification NAME or NAME(option=value, ...): {reason}."
        )

    def ended(self) -> bool:
        return self._place == len(self._text)

    def rest(self) -> str:
        return self._text[self._place :]

    def skip_space(self) -> None:
        self._match(_SPACE)

    def comma(self) -> bool:
        """Go past a comma, if there is one."""
        return self._take(",")

    def spec(self) -> Spec:
        self.skip_space()
        name = self._match(_NAME)
        if name is None:
            raise self.error(f"expected a name, got {self.rest()!r}")
        return Spec(name, self._options())

    def _options(self) -> dict[str, Value]:
        options: dict[str, Value] = {}
        self.skip_space()
        if not self._take("("):
            return options
        while not self._closed(")"):
            name = self._match(_NAME)
            self.skip_space()
            if name is None or not self._take("="):
                got = f"{name or ''}{self.rest()}"
                raise self.error(f"options are given as option=value, got {got!r}")
            if name in options:
                raise self.error(f"the option {name!r} is given twice")
            options[name] = self._value()
            self._next(")")
        return options

    def _value(self) -> Value:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.error(f"more than {_DEEPEST} brackets in each other")
        value = self._one_value()
        self._depth -= 1
        return value

    def _one_value(self) -> Value:
        self.skip_space()
        for bracket, closing in _CLOSING.items():
            if self._take(bracket):
                return self._items(closing)
        quoted = self._match(_QUOTED)
        if quoted is not None:
            return re.sub(r"\\([\\\"'])", r"\1", quoted[1:-1])
        return self._bare()

    def _bare(self) -> Value:
        number = self._match(_NUMBER)
        if number is not None and not self._runs_on():
            return self._finite(number)
        word = None if number is not None else self._match(_WORD)
        if word is None:
            raise self.error(f"{_LITERAL}, got {(number or '') + self.rest()!r}")
        rest = word + self.rest()
        if self._peek("(") and _NAME.fullmatch(word):
            try:
                return str(Spec(word, self._options()))
            except ValueError as error:
                raise self.error(f"{_LITERAL}, got {rest!r}") from error
        if self._runs_on():
            raise self.error(f"{_LITERAL}, got {rest!r}")
        return _CONSTANTS.get(word, word)

    def _finite(self, number: str) -> Value:
        value = float(number)
        if not math.isfinite(value):
            raise self.error(f"numbers are finite, got {number[:40]}")
        if re.search(r"[.eE]", number):
            return value
        if abs(value) >= 2.0**63:
            raise self.error(f"whole numbers are below 2^63, got {number[:40]}")
        return int(number)

    def _items(self, closing: str) -> tuple[Value, ...]:
        items = []
        while not self._closed(closing):
            items.append(self._value())
            self._next(closing)
        return tuple(items)

    def _closed(self, closing: str) -> bool:
        self.skip_space()
        if self.ended():
            raise self.error(f"{closing!r} is missing")
        return self._take(closing)

    def _next(self, closing: str) -> None:
        """Go past a comma, or stay at the closing bracket."""
        self.skip_space()
        if not self._take(",") and not self._peek(closing) and not self.ended():
            raise self.error(f"{_LITERAL}; expected ',' or {closing!r}, got {self.rest()!r}")

    def _runs_on(self) -> bool:
        """Return whether what follows is neither space nor an end of a value."""
        return not self.ended() and self._text[self._place] not in ",)] \t\n"

    def _peek(self, character: str) -> bool:
        return self._text.startswith(character, self._place)

    def _take(self, character: str) -> bool:
        found = self._peek(character)
        self._place += found
        return found

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self._text, self._place)
        if found is None:
            return None
        self._place = found.end()
        return found.group()


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_text, value))}]"
    if not isinstance(value, str):
        return repr(value)
    if value not in _CONSTANTS and _WORD.fullmatch(value):
        return value
    return value if _is_spec(value) else _quoted(value)


def _is_spec(text: str) -> bool:
    """Return whether a text is what `str` gives for a specification with options."""
    try:
        spec = parse(text)
    except ValueError:
        return False
    return bool(spec.options) and str(spec) == text


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that come more than once, sorted; of a hundred thousand in no time."""
    return sorted(name for name, count in collections.Counter(names).items() if count > 1)
