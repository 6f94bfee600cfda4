"""A registry: names that a user types, each standing for one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Maps names to things of one kind; an unknown name lists the known ones.

    Args:
        kind: What the registry holds, in the words of an error message ("backbone").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files its argument under `name`.

        Raises:
            ValueError: If the name is taken.
        """

        def decorator(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"The {self.kind} {name!r} is registered already.")
            self._entries[name] = entry
            return entry

        return decorator

    def get(self, name: str) -> T:
        """Return the entry called `name`.

        Raises:
            ValueError: If there is none; the message lists the known names.
        """
        if name not in self._entries:
            known = ", ".join(self) or "none"
            raise ValueError(f"Unknown {self.kind} {name!r}. Known: {known}.")
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __contains__(self, name: object) -> bool:
        return name in self._entries
