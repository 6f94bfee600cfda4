"""From features to logits: one linear head a task, parts that share it, heads in a chain.

Shapes: B images, D features, P parts of a network that predict by the same head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keras import ops

from mtl_dm.balancing import SHARED
from mtl_dm.tasks import Kind, Task

FEATURES = "features"
"""Key of a backbone's dictionary: the features of every task that has none of its own."""


class Logits(NamedTuple):
    """What the heads say.

    Attributes:
        whole: By task, [B, size].
        parts: By task whose features have parts, [B, P, size].
    """

    whole: dict[str, Any]
    parts: dict[str, Any]


def split(returned: Any, names: Sequence[str]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return what a backbone returned as features by task, and what else there is by name.

    Args:
        returned: Features for all tasks, or a dictionary.
        names: The tasks.

    Raises:
        ValueError: If a dictionary lacks the features of a task.
    """
    if not isinstance(returned, Mapping):
        return dict.fromkeys(names, returned), {}
    missing = [name for name in names if name not in returned and FEATURES not in returned]
    if missing:
        raise ValueError(
            f"The backbone returns features for {sorted(returned)}, none for the tasks {missing} "
            f"and no {FEATURES!r} for tasks without their own."
        )
    features = {name: returned[name if name in returned else FEATURES] for name in names}
    others = {
        key: each for key, each in returned.items() if key not in features and key != FEATURES
    }
    return features, others


def representations(features: Mapping[str, Any], extras: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a balancing method that uses features sees.

    Args:
        features: By task, of `split`.
        extras: What else the backbone returned.
    """
    return {**features, **{name: each for name, each in extras.items() if name == SHARED}}


def require_chain(chain: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Return a chain of heads: each of them also sees the logits of those before it.

    Args:
        chain: Names of tasks; empty: there is none.
        names: Of all tasks.

    Raises:
        ValueError: If a name is unknown or repeated, or one head makes up the chain.
    """
    unknown = [name for name in chain if name not in names]
    if unknown or len(set(chain)) != len(chain) or len(chain) == 1:
        raise ValueError(
            f"A chain names at least two different tasks of {list(names)}, got {list(chain)}."
        )
    return tuple(chain)


def width(task: Task, features: Sequence[int | None], chain: Sequence[str], tasks: Any) -> Any:
    """Return the shape of what the head of a task gets.

    Args:
        task: The task.
        features: Shape of its features.
        chain: As for `require_chain`.
        tasks: All tasks by name.
    """
    before = chain[: chain.index(task.name)] if task.name in chain else ()
    return (*features[:-1], features[-1] + sum(tasks[name].size for name in before))


def logits_of(
    heads: Mapping[str, Any],
    features: Mapping[str, Any],
    chain: Sequence[str],
    tasks: Mapping[str, Task],
) -> Logits:
    """Return the logits of every task.

    Args:
        heads: By task name.
        features: By task name, [B, D], or [B, P, D] of a network in parts.
        chain: As for `require_chain`.
        tasks: By name.
    """
    whole: dict[str, Any] = {}
    parts: dict[str, Any] = {}
    for name in [*chain, *(name for name in heads if name not in chain)]:
        before = chain[: chain.index(name)] if name in chain else ()
        own = features[name]
        of = parts if len(own.shape) == 3 else {}
        found = heads[name](_joined(own, [of.get(other, whole[other]) for other in before]))
        if len(found.shape) == 3:
            parts[name] = found
            found = mean_of_parts(tasks[name].kind, found)
        whole[name] = found
    return Logits({name: whole[name] for name in heads}, parts)


def _joined(features: Any, seen: Sequence[Any]) -> Any:
    """Return features and the logits that a head sees beside them, as one array."""
    if not seen:
        return features
    features = ops.cast(features, "float32")
    fitting = [_as_features(each, features) for each in seen]
    return ops.concatenate([features, *fitting], axis=-1)


def _as_features(logits: Any, features: Any) -> Any:
    """Return logits in as many parts as features have."""
    if len(logits.shape) == len(features.shape):
        return logits
    return ops.repeat(logits[:, None], features.shape[1], axis=1)


def mean_of_parts(kind: Kind, logits: Any) -> Any:
    """Return the logits of the mean of several parts' probabilities; of values their mean.

    The softmax of the result is the mean of the parts' softmaxes, or its sigmoid that of their
    sigmoids.

    Args:
        kind: Of the task.
        logits: [B, P, size].

    Returns:
        [B, size], float32.
    """
    logits = ops.cast(logits, "float32")
    if kind == "regression":
        return ops.mean(logits, axis=1)
    if kind == "multiclass":
        return _log_mean(ops.log_softmax(logits, axis=-1))
    return _log_mean(ops.log_sigmoid(logits)) - _log_mean(ops.log_sigmoid(-logits))


def _log_mean(logs: Any) -> Any:
    """Return the logarithm of the mean over axis 1 of what these are logarithms of."""
    return ops.logsumexp(logs, axis=1) - ops.log(ops.cast(logs.shape[1], "float32"))
