"""What a backbone says of itself, so that the suite every backbone passes needs no list of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import keras

Shape = tuple[int | None, ...]
F = TypeVar("F", bound=Callable[..., keras.layers.Layer])


Source = Literal["own", "library", "code", "paper", "abstract"]
"""What a backbone stands on: this project, keras.applications, code that its authors or others
published, its paper, or an abstract alone."""


@dataclasses.dataclass(frozen=True)
class Example:
    """An input that a backbone takes, some that it must refuse, and what it stands on.

    Attributes:
        shape: The smallest input shape without the batch; by name where it takes several inputs.
        refused: Shapes that are a `ValueError`.
        exact: Options that switch off what draws at random in training.
        options: Options of the backbone in the tests: of the small variant where it has several.
        source: What it stands on.
        sizes: The usual input shape, by variant; of a backbone without variants by "".
    """

    shape: Any
    refused: tuple[Any, ...] = ()
    exact: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    source: Source = "own"
    sizes: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def example(
    shape: Any,
    refused: tuple[Any, ...] = (),
    exact: Mapping[str, Any] | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    source: Source = "own",
    sizes: Mapping[str, Any] | None = None,
) -> Callable[[F], F]:
    """Return a decorator that gives a backbone its example.

    Args:
        shape: As for `Example`.
        refused: Likewise.
        exact: Likewise.
        options: Likewise.
        source: Likewise.
        sizes: Likewise; None: `shape`.
    """
    given = Example(shape, refused, exact or {}, options or {}, source, sizes or {"": shape})

    def decorator(backbone: F) -> F:
        backbone.example = given  # type: ignore[attr-defined]
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


def require_variant(backbone: str, variant: str) -> bool:
    """Return whether the variant is "demo": the same structure, slim enough for a CPU.

    Args:
        backbone: Its name, for the message.
        variant: "paper" or "demo".

    Raises:
        ValueError: If it is neither.
    """
    if variant not in ("paper", "demo"):
        raise ValueError(f"Unknown variant {variant!r} of {backbone}. Known: paper, demo.")
    return variant == "demo"


def require_image(
    backbone: str, input_shape: Any, least: int, *, colour: bool = True
) -> tuple[int, int, int]:
    """Return the shape of the images that a backbone takes.

    Args:
        backbone: Its name, for the message.
        input_shape: (height, width, 3).
        least: The smallest side.
        colour: Whether it must be 3 channels; otherwise any number of them.

    Raises:
        ValueError: If it is no such image of fixed size, or a side is smaller.
    """
    given = tuple(input_shape) if isinstance(input_shape, (tuple, list)) else input_shape
    fits = isinstance(given, tuple) and len(given) == 3 and None not in given
    if not fits or min(given[:2]) < least or (colour and given[2] != 3):
        kind = "colour images [H, W, 3]" if colour else "images [H, W, C]"
        raise ValueError(
            f"{backbone} needs {kind} of at least {least} x {least} pixels, got input_shape "
            f"{given}."
        )
    return given


def require_tasks(backbone: str, tasks: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the tasks to which a backbone gives features of their own.

    Args:
        backbone: Its name, for the message.
        tasks: Their names.

    Raises:
        ValueError: If there is none, or two have one name.
    """
    if isinstance(tasks, str) or not tasks or len(set(tasks)) != len(tasks):
        given = tasks if isinstance(tasks, str) else list(tasks)
        raise ValueError(f"{backbone}: tasks must be different names, at least one, got {given!r}.")
    return tuple(tasks)
