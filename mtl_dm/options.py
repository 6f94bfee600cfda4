"""The options that a function or a class takes from a user's specification, checked by type.

Options are its annotated named parameters, apart from those that the caller fills by position.
An annotation says what may be given: bool, int, float, str, None, Literal, tuple, list, Sequence
or a union of these; a parameter that is annotated otherwise is no option. With a parameter such as
**weights: float any further name is one. A class that hands **kwargs on has the options of the
classes that it derives from too.
"""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union

from mtl_dm.spec import Value

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_LISTS = (tuple, list, collections.abc.Sequence)
_WORDS = {bool: "True or False", int: "an integer", float: "a number", str: "text"}


def options_of(entry: Callable[..., Any], positional: int | None = None) -> dict[str, Any]:
    """Return the annotations of an entry's options by name.

    Args:
        entry: A function or a class.
        positional: Arguments that the caller fills by position; None: those without a default
            that may be given so.
    """
    found = {}
    for index, parameter in enumerate(_parameters(entry)):
        by_position = parameter.kind is not inspect.Parameter.KEYWORD_ONLY
        needed = parameter.default is inspect.Parameter.empty
        filled = needed if positional is None else index < positional
        if parameter.kind not in _NAMED or (by_position and filled):
            continue
        if _words(parameter.annotation) is not None:
            found[parameter.name] = parameter.annotation
    return found


def checked(
    what: str,
    entry: Callable[..., Any],
    options: Mapping[str, Value],
    positional: int | None = None,
) -> dict[str, Value]:
    """Return options as their entry wants them: numbers as float where it says so.

    Args:
        what: The entry in the words of a message, "backbone 'compact_cnn'".
        entry: A function or a class.
        options: By name.
        positional: As for `options_of`.

    Raises:
        ValueError: If an option is unknown, of another type than its annotation says, or one that
            is needed is missing.
    """
    known, further = options_of(entry, positional), _further(entry)
    for name in options:
        if name not in known and further is None:
            listed = ", ".join(sorted(known)) or "none"
            raise ValueError(f"The {what} has no option {name!r}. Known: {listed}.")
    missing = sorted(known.keys() & _needed(entry) - options.keys())
    if missing:
        raise ValueError(f"The {what} needs the option(s) {', '.join(missing)}.")
    return {
        name: converted(f"Option {name!r} of the {what}", known.get(name, further), value)
        for name, value in options.items()
    }


def converted(what: str, annotation: Any, value: Value) -> Value:
    """Return a value as its annotation says.

    Args:
        what: The value in the words of a message.
        annotation: As explained above.
        value: What a user gave.

    Raises:
        ValueError: If it is of another type.
    """
    fits, result = _converted(annotation, value)
    if not fits:
        raise ValueError(f"{what} must be {_words(annotation)}, got {value!r}.")
    return result


def _parameters(entry: Callable[..., Any]) -> list[inspect.Parameter]:
    if not isinstance(entry, type):
        return list(inspect.signature(entry, eval_str=True).parameters.values())
    # Of a class its own __init__, not `signature`, which would find __new__ of a Keras layer.
    found: dict[str, inspect.Parameter] = {}
    for owner in entry.__mro__:
        if "__init__" not in vars(owner):
            continue
        initialiser = inspect.signature(owner.__init__, eval_str=True)  # type: ignore[misc]
        own = list(initialiser.parameters.values())[1:]
        inherited = bool(found)
        handed_on = [each for each in own if each.kind is inspect.Parameter.VAR_KEYWORD]
        for parameter in own:
            if inherited:
                if parameter.kind not in _NAMED or parameter.default is inspect.Parameter.empty:
                    continue  # The class that derives from this one fills it.
                parameter = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            found.setdefault(parameter.name, parameter)
        if not handed_on or _words(handed_on[0].annotation) is not None:
            break
    return list(found.values())


def _further(entry: Callable[..., Any]) -> Any:
    """Return the annotation of options by any name, or None where an entry takes none."""
    for parameter in _parameters(entry):
        kind = parameter.kind is inspect.Parameter.VAR_KEYWORD
        if kind and _words(parameter.annotation) is not None:
            return parameter.annotation
    return None


def _needed(entry: Callable[..., Any]) -> set[str]:
    empty = inspect.Parameter.empty
    return {each.name for each in _parameters(entry) if each.default is empty}


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the annotation alone."""
    if typing.get_origin(annotation) in (Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)


def _words(annotation: Any) -> str | None:
    """Return an annotation in the words of a message; None where no text can give such a value."""
    parts = []
    for each in _alternatives(annotation):
        origin, arguments = typing.get_origin(each), typing.get_args(each)
        if each in (None, type(None)):
            parts.append("None")
        elif each in _WORDS:
            parts.append(_WORDS[each])
        elif origin is Literal:
            parts.append(f"one of {', '.join(map(str, arguments))}")
        elif origin in _LISTS and arguments:
            items = [_words(item) for item in arguments if item is not Ellipsis]
            if None not in items:  # of a type that cannot be typed
                parts.append(f"a list ({', '.join(map(str, items))})")
    return None if set(parts) <= {"None"} else " or ".join(parts)


def _converted(annotation: Any, value: Value) -> tuple[bool, Value]:
    """Return whether a value is of a type, and the value in that type."""
    alternatives = _alternatives(annotation)
    if len(alternatives) > 1:
        # What fits as it is before what must be turned: 1 is no 1.0 where both may be given.
        tried = [_converted(each, value) for each in alternatives]
        fitting = [result for fits, result in tried if fits]
        same = [result for result in fitting if type(result) is type(value)]
        return bool(fitting), next(iter([*same, *fitting]), value)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (None, type(None)):
        return value is None, value
    if annotation is float:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        return fits, float(value) if fits else value
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool), value
    if annotation in (bool, str):
        return isinstance(value, annotation), value
    if origin is Literal:
        return any(value == each and type(value) is type(each) for each in arguments), value
    return _converted_items(origin, arguments, value)


def _converted_items(origin: Any, arguments: tuple[Any, ...], value: Value) -> tuple[bool, Value]:
    if not isinstance(value, (tuple, list)):
        return False, value
    if origin is not tuple or arguments[-1] is Ellipsis:
        arguments = (arguments[0],) * len(value)
    if len(arguments) != len(value):
        return False, value
    items = [_converted(each, item) for each, item in zip(arguments, value, strict=True)]
    return all(fits for fits, _ in items), tuple(item for _, item in items)
