"""The kinds of relation by name.

A relation says how the labels of a source task bear on those of a target task. Each kind has the
class attributes `kind` and `sides` (name and kind of task of source and target), the names of the
labels it covers in the fields that `sides` names, and round-trips through `to_dict` / `from_dict`.
Another kind is a class with these and an entry in `RELATIONS`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mtl_dm.files import expand_home, read_json
from mtl_dm.registry import Registry
from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.relatedness.linear import Linear
from mtl_dm.relatedness.moments import Moments

RELATIONS: Registry[Any] = Registry("kind of relation")
RELATIONS.register("probabilities")(Relatedness)
RELATIONS.register("moments")(Moments)
RELATIONS.register("linear")(Linear)


def relation_from_json(path: str | Path) -> Any:
    """Read what the `to_json` of a relation of any kind wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds no relation of a known kind.
    """
    path = Path(expand_home(str(path)))
    try:
        values = read_json(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"No relatedness file at {path}.") from None
    except ValueError as error:
        raise ValueError(f"The relatedness file {path} is not JSON: {error}.") from error
    if not isinstance(values, dict) or "kind" not in values:
        return Relatedness.from_json(path)
    kind = values.pop("kind")
    try:
        return RELATIONS.get(kind).from_dict(values)
    except (TypeError, KeyError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"The relatedness file {path} holds no {kind}: {error}.") from error
