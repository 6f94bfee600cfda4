"""What a backbone says of itself, so that the suite every backbone passes needs no list of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import keras

Shape = tuple[int | None, ...]
F = TypeVar("F", bound=Callable[..., keras.layers.Layer])


@dataclasses.dataclass(frozen=True)
class Example:
    """An input that a backbone takes, and some that it must refuse.

    Attributes:
        shape: The smallest input shape without the batch; by name where it takes several inputs.
        refused: Shapes that are a `ValueError`.
        exact: Options that switch off what draws at random in training.
    """

    shape: Any
    refused: tuple[Any, ...] = ()
    exact: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def example(
    shape: Any, refused: tuple[Any, ...] = (), exact: Mapping[str, Any] | None = None
) -> Callable[[F], F]:
    """Return a decorator that gives a backbone its example.

    Args:
        shape: As for `Example`.
        refused: Likewise.
        exact: Likewise.
    """

    def decorator(backbone: F) -> F:
        backbone.example = Example(shape, refused, exact or {})  # type: ignore[attr-defined]
        return backbone

    return decorator


def example_of(name: str, backbone: Callable[..., Any]) -> Example:
    """Return the example of a backbone.

    Raises:
        ValueError: If it has none.
    """
    found = getattr(backbone, "example", None)
    if not isinstance(found, Example):
        raise ValueError(
            f"The backbone {name!r} has no example input. Decorate it: @example((16, 16, 3))."
        )
    return found
