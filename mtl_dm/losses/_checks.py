"""Static checks of array arguments; they cost nothing inside a compiled step."""

from __future__ import annotations

from typing import Any


def require_shape(argument: str, array: Any, expected: tuple[int | None, ...]) -> None:
    """Check the rank and the known dimensions of `array`.

    Args:
        argument: Name of the argument, for the message.
        array: Array or symbolic tensor.
        expected: One entry a dimension; None matches any size.

    Raises:
        ValueError: If the shape cannot be `expected`.
    """
    shape = tuple(array.shape)
    fits = len(shape) == len(expected) and all(
        want is None or have is None or want == have
        for have, want in zip(shape, expected, strict=True)
    )
    if not fits:
        wanted = tuple("any" if want is None else want for want in expected)
        raise ValueError(f"{argument} must have shape {wanted}, got {shape}.")
