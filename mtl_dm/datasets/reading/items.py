"""What a reader of labels hands on: a row, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar


class Box(NamedTuple):
    """A rectangle in pixels of the upright image; right and bottom are outside it."""

    left: float
    top: float
    right: float
    bottom: float


class Row(NamedTuple):
    """One annotated image.

    Attributes:
        path: The image, relative to the root of the release, with "/".
        labels: Feature name -> value in the canonical order; a task that is left out is missing.
        where: File and line that it comes from, for messages.
        box: What to crop the image to; None: nothing.
        key: What tells it from all other rows; empty: the path.
    """

    path: str
    labels: Mapping[str, Any]
    where: str = ""
    box: Box | None = None
    key: str = ""

    @property
    def identity(self) -> str:
        """The key, or else the path."""
        return self.key or self.path


class Skipped(NamedTuple):
    """An item of the release that the data set does without.

    Attributes:
        path: Its image, relative to the root of the release.
        reason: Why it is skipped.
    """

    path: str
    reason: str


class BadLine(NamedTuple):
    """A line of a label file that breaks the format; a build stops at it.

    Attributes:
        file: The label file.
        line: Number of the line, from 1; 0 where the file has no lines.
        reason: What was expected and what is there.
    """

    file: Path
    line: int
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else str(self.file)
        return f"{place}: {self.reason}"


Item = Row | Skipped | BadLine


class Numbered(Protocol):
    """Whatever knows the file and the line that it comes from."""

    @property
    def file(self) -> Path:
        """The label file."""

    @property
    def number(self) -> int:
        """Number of the line, from 1; 0 where the file has no lines."""


L = TypeVar("L", bound=Numbered)
T = TypeVar("T")


def parse(lines: Iterable[L | BadLine], function: Callable[[L], T]) -> Iterator[T | BadLine]:
    """Apply `function` to every line; its ValueError makes the line a bad one, and reading goes on.

    Args:
        lines: Lines with `file` and `number`, and bad lines, which pass through.
        function: Returns a `Row`, a `Skipped` or anything else a line stands for.
    """
    for line in lines:
        if isinstance(line, BadLine):
            yield line
            continue
        try:
            yield function(line)
        except ValueError as error:
            yield BadLine(line.file, line.number, str(error))


def strict(items: Iterable[T | BadLine]) -> Iterator[T]:
    """Return the items up to the first bad line.

    Raises:
        ValueError: At a bad line; the message names file, line and reason.
    """
    for item in items:
        if isinstance(item, BadLine):
            raise ValueError(str(item))
        yield item
