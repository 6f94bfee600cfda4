"""Docstrings as they are written here, plain sentences and equations, become reStructuredText."""

from __future__ import annotations

import re
from typing import Any

SPANS = re.compile(r"(``[^`]+``|`[^`]+`)")
SECTION = re.compile(r"(Args|Arguments|Attributes|Returns|Yields|Raises|Example|Examples|Note):$")
BULLET = re.compile(r"([-*]|\d+\.) ")
KEY = re.compile(r"    (\w+): ")
# An underscore that ends a word would make it a reference.
ENDING = re.compile(r"(?<=\w)_(?=[\s'\")\]}>\-/\\:.,;!?]|$)")


def escaped(text: str) -> str:
    """Return prose in which stars, bars and ending underscores mean themselves."""
    text = re.sub(r"([\\*|])", r"\\\1", text)
    return ENDING.sub(r"\\_", text)


def spans(text: str) -> str:
    """Return the text with its code spans kept and everything between them escaped.

    Markup has to end at a word's end, and plurals such as `Task`s do not: an empty escape parts
    them.
    """
    parts = SPANS.split(text)
    for place in range(1, len(parts), 2):
        before, after = parts[place - 1], parts[place + 1]
        if before[-1:].isalnum():
            parts[place] = "\\ " + parts[place]
        if after[:1].isalnum() or after.startswith(("_", "(")):
            parts[place] += "\\ "
    return "".join(part if place % 2 else escaped(part) for place, part in enumerate(parts))


def indent(line: str) -> int:
    """Return how many spaces a line starts with."""
    return len(line) - len(line.lstrip(" "))


def separated(lines: list[str]) -> list[str]:
    """Return the lines with what is indented without a colon as a block of its own, and lists.

    Google's sections, from the first one on, are left to napoleon.
    """
    found: list[str] = []
    block = False
    for place, line in enumerate(lines):
        if SECTION.match(line):
            return [*found, *([""] if block else []), *listed(lines[place:])]
        last = next((each for each in reversed(found) if each.strip()), "")
        if not line.strip():
            found.append(line)
            continue
        if block and indent(line) == 0:
            block = False
            if found[-1].strip():
                found.append("")
        elif not block and indent(line) and not BULLET.match(last.strip()) and not indent(last):
            block = True
            found += ["", "::", ""] if found and found[-1].strip() else ["::", ""]
        elif BULLET.match(line) and found and found[-1].strip() and _is_prose(last):
            found.append("")
        found.append(line)
    return found


def _is_prose(line: str) -> bool:
    return indent(line) == 0 and not BULLET.match(line)


def listed(lines: list[str]) -> list[str]:
    """Return Google's sections, with keys that "Returns" describes one by one as a list."""
    found: list[str] = []
    inside = False
    for place, line in enumerate(lines):
        if SECTION.match(line):
            body = lines[place + 1 : place + 1 + _until_section(lines[place + 1 :])]
            inside = line == "Returns:" and sum(bool(KEY.match(each)) for each in body) > 1
            found.append(line)
        elif inside and line.strip():
            key = KEY.sub(r"    - ``\1`` -- ", line)
            found.append(key if KEY.match(line) else f"      {line.strip()}")
        else:
            found.append(line)
    return found


def _until_section(lines: list[str]) -> int:
    return next((place for place, line in enumerate(lines) if SECTION.match(line)), len(lines))


def as_rst(lines: list[str]) -> list[str]:
    """Return a docstring's lines as reStructuredText with Google's sections."""
    parts: list[str] = []
    code = False
    for line in separated(lines):
        if line == "::":
            code = True
        elif code and line.strip() and indent(line) == 0:
            code = False
        parts.append(("\0" if code else "") + line)
    text = "\n".join(parts)
    # Blocks of code are left as they are; a span may go on in the next line.
    pieces = re.split(r"((?:^\0.*\n?)+)", text, flags=re.MULTILINE)
    text = "".join(piece if piece[:1] == "\0" else spans(piece) for piece in pieces)
    return text.replace("\0", "").split("\n")


def process(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Rewrite a docstring in place, before napoleon sees it."""
    lines[:] = as_rst(lines)


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx."""
    app.connect("autodoc-process-docstring", process, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
