"""A registry: names that a user types, each standing for one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from absl import logging

from mtl_dm.options import checked
from mtl_dm.spec import Spec, parse

T = TypeVar("T")

OF_YOURS = "If a file of yours registers it, name that: --plugin=FILE.py (in Python, import it)."
"""What to do about a name that is unknown so far."""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Return a message about a name that nothing has, where a file of the user's may have it.

    Args:
        kind: What the name should be of, in words.
        name: As typed.
        known: The names there are.
    """
    return f"Unknown {kind} {name!r}. Known: {', '.join(known) or 'none'}. {OF_YOURS}"


class Registry(Generic[T]):
    """Maps names to things of one kind; an unknown name lists the known ones.

    Args:
        kind: What the registry holds, in the words of an error message ("backbone").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}
        self._aliases: dict[str, str] = {}
        self._noticed: set[str] = set()
        self._followers: list[Callable[[str, T], Any]] = []

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files its argument under `name`.

        Raises:
            ValueError: If the name is taken.
        """

        def decorator(entry: T) -> T:
            if name in self._entries or name in self._aliases:
                raise ValueError(f"The {self.kind} {name!r} is registered already.")
            for follower in self._followers:  # Before: one of them may refuse it.
                follower(name, entry)
            self._entries[name] = entry
            return entry

        return decorator

    def follow(self, follower: Callable[[str, T], Any]) -> None:
        """Have a function called with name and entry of all there is, and of all that will be.

        Args:
            follower: Files an entry elsewhere; what it raises is an error of registering.
        """
        for name in self:
            follower(name, self._entries[name])
        self._followers.append(follower)

    def alias(self, old: str, name: str) -> None:
        """Let an old name stand for a new one for a while; who uses it is told once.

        Raises:
            ValueError: If the old name is taken or the new one unknown.
        """
        if old in self:
            raise ValueError(f"The {self.kind} {old!r} is registered already.")
        self.get(name)
        self._aliases[old] = name

    def canonical(self, name: str) -> str:
        """Return today's name of an old one, any other name as it is; tells nobody."""
        return self._aliases.get(name, name)

    def get(self, name: str) -> T:
        """Return the entry called `name`.

        Raises:
            ValueError: If there is none; the message lists the known names.
        """
        if name in self._aliases and name not in self._noticed:
            self._noticed.add(name)
            logging.warning(
                "The %s %r is called %r now; the old name will go.",
                self.kind,
                name,
                self._aliases[name],
            )
        if name not in self:
            raise ValueError(unknown(self.kind, name, self))
        return self._entries[self.canonical(name)]

    def spec(self, text: str) -> Spec:
        """Return a specification, checked: today's name, options in the types of its entry.

        Args:
            text: "NAME" or "NAME(option=value, ...)".

        Raises:
            ValueError: If the text is no specification, the name or an option is unknown, or an
                option is of another type than the entry says.
        """
        return self._checked(text, None)

    def create(self, text: str, *positional: Any) -> Any:
        """Return what the entry that a specification names makes of arguments and options.

        Args:
            text: As for `spec`.
            *positional: The entry's first arguments.

        Raises:
            ValueError: As for `spec`, or of the entry itself.
        """
        spec = self._checked(text, len(positional))
        entry: Any = self.get(spec.name)
        return entry(*positional, **spec.options)

    def _checked(self, text: str, positional: int | None) -> Spec:
        spec = parse(text)
        entry: Any = self.get(spec.name)
        name = self.canonical(spec.name)
        return Spec(name, checked(f"{self.kind} {name!r}", entry, spec.options, positional))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __contains__(self, name: object) -> bool:
        return name in self._entries or name in self._aliases
