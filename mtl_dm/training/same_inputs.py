"""Whether data sets give a network the same inputs, and what to do where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mtl_dm.data.built import IMAGE


def require_same_inputs(shapes: Mapping[str, Any]) -> None:
    """Check that data sets agree in names and shapes of their inputs.

    Args:
        shapes: By data set, the shape of its image or shapes by the names of its inputs.

    Raises:
        ValueError: If one lacks an input that another has, or the same input differs in shape; the
            message names it, has each data set's shape and says what helps.
    """
    named = {name: _named(each) for name, each in shapes.items()}
    every = set().union(*named.values())
    lacking = {name: sorted(every - set(own)) for name, own in named.items() if every - set(own)}
    if lacking:
        listed = "; ".join(f"{name} lacks {missing}" for name, missing in lacking.items())
        raise ValueError(
            f"The data sets must have the same inputs, as one network takes them: {listed}."
        )
    for part in sorted(every):
        of_part = {name: each[part] for name, each in named.items()}
        if len(set(of_part.values())) > 1:
            raise ValueError(_differs(part, of_part))


def _named(shape: Any) -> dict[str, tuple[int | None, ...]]:
    given = shape if isinstance(shape, Mapping) else {IMAGE: shape}
    return {name: tuple(each) for name, each in given.items()}


def _differs(part: str, shapes: Mapping[str, tuple[int | None, ...]]) -> str:
    if part == IMAGE:
        sizes = {name: " x ".join(map(str, shape[:2])) for name, shape in shapes.items()}
        return f"The data sets' images differ in size: {_listed(sizes)}. Give image_size."
    what = f"The input {part!r} of the data sets differs in shape: {_listed(shapes)}."
    return f"{what} It is taken as it is stored: build them alike."


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
