"""The parts of a model by name: what a stage trains, and what weights of another file fit.

Names do not depend on what else the program has built: "backbone/conv2d_1/kernel" is the kernel of
the second convolution of the backbone, "heads/expression/bias" a head's bias.
"""

from __future__ import annotations

import contextlib
import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras

from mtl_dm.models import MultiTaskModel

ALL, BACKBONE, HEADS = "all", "backbone", "heads"
BALANCING = "balancing"
RELATEDNESS, GATES = "relatedness", "gates"


def named_weights(model: keras.Model) -> dict[str, Any]:
    """Return the weights of a model by name; of a model without heads as those of a backbone."""
    if not isinstance(model, MultiTaskModel):
        return _named(model, BACKBONE)
    tops = _tops(model)
    found: dict[str, Any] = {}
    for name, layer in tops.items():
        found.update(_named(layer, name))
    inner = {id(weight) for weight in found.values()}
    own = {weight.name: weight for weight in model.weights if id(weight) not in inner}
    return {**found, **own}


def chosen_names(model: MultiTaskModel, trainable: Sequence[str]) -> set[str]:
    """Return the names of the weights that are trained.

    What balances the terms always learns: it belongs to the objective, not to the network.

    Args:
        model: A built model; what is not trainable in it stays so.
        trainable: "all", "backbone", "heads" (all but the backbone), or patterns such as
            "backbone/conv2d*", with or without the weight's own name.

    Raises:
        ValueError: If a pattern fits no trainable weight of the network, or nothing is trained.
    """
    learned = {id(weight) for weight in model.trainable_variables}
    names = [name for name, weight in named_weights(model).items() if id(weight) in learned]
    network = [name for name in names if not _within(name, BALANCING)]
    chosen: set[str] = set()
    for pattern in trainable:
        fitting = [name for name in network if _fits(name, pattern)]
        if not fitting:
            listed = ", ".join(dict.fromkeys(name.rpartition("/")[0] for name in network))
            raise ValueError(
                f"Nothing would be trained: no trainable weight is called {pattern!r}. Known: "
                f"all, backbone, heads, {listed or 'none'}."
            )
        chosen.update(fitting)
    return chosen | (set(names) - set(network))


@contextlib.contextmanager
def trained_part(model: MultiTaskModel, trainable: Sequence[str]) -> Iterator[None]:
    """Freeze all but a part of a model inside; compile it there.

    A layer without a trained weight is frozen as Keras means it: batch normalisation keeps its
    averages and uses them. A model that is saved inside is saved frozen: whoever loads it to train
    on sets `trainable` again. Its optimizer knows the trained part only.

    Raises:
        ValueError: As `chosen_names`.
    """
    chosen = chosen_names(model, trainable)
    named = named_weights(model)
    kept = {id(named[name]) for name in chosen}
    if all(id(weight) in kept for weight in model.trainable_variables):
        yield
        return
    layers = [(layer, layer.trainable) for layer in model._flatten_layers()]
    flags = [(weight, weight.trainable) for weight in model.weights]
    for child in _children(model):
        _freeze(child, kept)
    try:
        yield
    finally:
        for layer, flag in layers:  # Parents first: each sets what is inside it too.
            layer.trainable = flag
        for weight, flag in flags:
            weight.trainable = flag


def _freeze(layer: keras.layers.Layer, kept: set[int]) -> None:
    trained = [weight for weight in layer.weights if weight.trainable]
    if trained and not any(id(weight) in kept for weight in trained):
        layer.trainable = False
        return
    for child in _children(layer):
        _freeze(child, kept)
    for weight in _own(layer):
        weight.trainable = weight.trainable and id(weight) in kept


def _tops(model: MultiTaskModel) -> dict[str, keras.layers.Layer]:
    """Return the layers right under a model by name."""
    tops = {BACKBONE: model.backbone, BALANCING: model.balancing}
    tops |= {f"{HEADS}/{name}": head for name, head in model.heads.items()}
    tops |= {f"{RELATEDNESS}/{name}": live for name, live in model.live_relatedness.items()}
    tops |= {f"{GATES}/{name}": gate for name, gate in model.gates.items()}
    known = {id(layer) for layer in tops.values()}
    rest = [layer for layer in _children(model) if id(layer) not in known]
    return {**tops, **dict(zip(_layer_names(rest), rest, strict=True))}


def _named(layer: keras.layers.Layer, path: str) -> dict[str, Any]:
    names = _numbered([weight.name for weight in _own(layer)])
    found = {f"{path}/{name}": weight for name, weight in zip(names, _own(layer), strict=True)}
    children = _children(layer)
    for name, child in zip(_layer_names(children), children, strict=True):
        found.update(_named(child, f"{path}/{name}"))
    return found


def _children(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    return list(layer._flatten_layers(include_self=False, recursive=False))


def _own(layer: keras.layers.Layer) -> list[Any]:
    inner = {id(weight) for child in _children(layer) for weight in child.weights}
    return [weight for weight in layer.weights if id(weight) not in inner]


def _layer_names(layers: Sequence[keras.layers.Layer]) -> list[str]:
    """Return names of layers side by side; Keras numbers its own through the whole program."""
    names = []
    for layer in layers:
        base = re.sub(r"_\d+$", "", layer.name)
        given = base.replace("_", "") != type(layer).__name__.lower()
        names.append(layer.name if given else base)
    return _numbered(names)


def _numbered(names: Sequence[str]) -> list[str]:
    """Return names with a number where one comes again: a, a_1, a_2."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        result.append(f"{name}_{count}" if count else name)
    return result


def _fits(name: str, pattern: str) -> bool:
    if pattern == ALL:
        return True
    if pattern == HEADS:
        return not _within(name, BACKBONE)
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, f"{pattern}/*")


def _within(name: str, top: str) -> bool:
    return name.startswith(f"{top}/")


def network_weights(model: keras.Model) -> Mapping[str, Any]:
    """Return the weights of backbone, heads and terms by name, without what training keeps."""
    return {
        name: weight
        for name, weight in named_weights(model).items()
        if "/" in name and not any(_within(name, top) for top in (BALANCING, RELATEDNESS, GATES))
    }
