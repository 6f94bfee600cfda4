"""Weights that a backbone starts from: none, ImageNet's, or those of a file.

A file is matched with the network before a weight is set: what does not fit, or is missing in the
file, is an error that lists it, since a network that is half initialised trains, only worse.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
from absl import logging

from mtl_dm.files import expand_home
from mtl_dm.models.backbones._weight_files import Stored, by_unique_name, places_of, stored_in
from mtl_dm.models.finite import require_finite

_NOT_NEEDED = re.compile(r"(predictions|fc1|fc2|normalization(_\d+)?)/\d+")
"""What files of `keras.applications` hold beside: classifiers, and input statistics that
`ImageNetInput` has as constants."""
_SHOWN = 8
"""Most weights that a message lists of a kind."""


def with_weights(
    model: keras.layers.Layer,
    weights: str,
    name: str,
    *,
    imagenet: Callable[[], keras.Model] | None = None,
) -> keras.layers.Layer:
    """Return a built backbone with the weights that a user asks for.

    Args:
        model: The backbone.
        weights: "none", "imagenet", or the path of a file .keras, .weights.h5 or .h5: of this
            backbone, of a `MultiTaskModel` around it, or one of `keras.applications`' own.
        name: Of the backbone, for messages.
        imagenet: Returns a network whose layers have the names of the backbone's and the weights
            of ImageNet; None: there are no such weights.

    Raises:
        ValueError: If there are no ImageNet weights, or the file is none of weights or does not
            fit; what does not match and what would stay as initialised is listed.
        FileNotFoundError: If there is no such file.
        OSError: If the weights of ImageNet cannot be fetched.
    """
    if weights == "none":
        return model
    if weights == "imagenet":
        _start_from(model, _fetched(imagenet, name), f"of ImageNet do not fit {name}")
        return model
    path = Path(expand_home(weights))
    if not path.is_file():
        raise FileNotFoundError(
            f"weights of {name} must be none, imagenet or an existing file, got {str(path)!r}."
        )
    _start_from_file(model, path, name)
    require_finite(f"The file {str(path)!r}", model)
    return model


def _start_from_file(model: keras.layers.Layer, path: Path, name: str) -> None:
    """Set weights to those of a file, whichever way it names them."""
    stored = stored_in(path)
    wrong = f"in {str(path)!r} do not fit {name}"
    named = _named(model)
    if stored.by_place and isinstance(model, keras.Model) and not _fits(stored.by_name, named):
        try:
            _start_by_place(model, stored, wrong)
        except ValueError:
            if not stored.by_name.keys() & named.keys():
                raise
        else:
            return
    _start_from(model, stored.by_name, wrong)  # Whose message is the easier one to read.


def _fetched(imagenet: Callable[[], keras.Model] | None, name: str) -> Mapping[str, Any]:
    if imagenet is None:
        raise ValueError(
            f"{name} has no weights of ImageNet in this variant. Give weights=none or the path of "
            "a file."
        )
    try:
        return _named(imagenet())
    except Exception as error:  # Keras raises a bare Exception where a download fails.
        raise OSError(
            f"The weights of ImageNet for {name} could not be fetched ({error}). Give the path of "
            "a file that you have: weights=PATH."
        ) from error


def _named(model: keras.layers.Layer) -> dict[str, Any]:
    """Return the weights of a model by name, as `stored_in` does those of a file."""
    weights = [(f"{model.name}/{place}", each) for place, each in enumerate(_own(model))]
    return by_unique_name([*weights, *_below(model, "", set())])


def _below(layer: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield the weights in the layers of a layer, once each, with the names around them."""
    for child in layer._flatten_layers(include_self=False, recursive=False):
        if id(child) not in seen:
            seen.add(id(child))
            name = f"{path}{child.name}/"
            yield from ((f"{name}{place}", each) for place, each in enumerate(_own(child)))
            yield from _below(child, name, seen)


def _own(layer: Any) -> list[Any]:
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def _problems(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return in words what does not match, by kind."""
    shapes = {
        key: (tuple(stored[key].shape), tuple(wanted[key].shape)) for key in stored if key in wanted
    }
    return {
        "of another shape (file, network)": [
            f"{key} {ours[0]}, {ours[1]}" for key, ours in shapes.items() if ours[0] != ours[1]
        ],
        "not in the file and left as initialised": [key for key in wanted if key not in stored],
        "not in the network": [
            key for key in stored if key not in wanted and not _NOT_NEEDED.fullmatch(key)
        ],
    }


def _fits(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return bool(wanted) and not any(_problems(stored, wanted).values())


def _require_fit(stored: Mapping[str, Any], wanted: Mapping[str, Any], wrong: str) -> None:
    problems = {kind: keys for kind, keys in _problems(stored, wanted).items() if keys}
    if not problems:
        return
    listed = "; ".join(
        f"{len(keys)} {kind}: {', '.join(keys[:_SHOWN])}{', ...' if len(keys) > _SHOWN else ''}"
        for kind, keys in problems.items()
    )
    raise ValueError(f"The weights {wrong}. Of {len(wanted)} weights, {listed}.")


def _start_from(model: keras.layers.Layer, stored: Mapping[str, Any], wrong: str) -> None:
    """Set weights by the names of layers."""
    wanted = _named(model)
    _require_fit(stored, wanted, wrong)
    beside = sorted(set(stored) - set(wanted))
    if beside:
        logging.info("Weights not needed: %s", ", ".join(beside))
    for key, variable in wanted.items():
        variable.assign(stored[key])


def _start_by_place(model: keras.Model, stored: Stored, wrong: str) -> None:
    """Set weights by their place in the structure of the model, where names do not tell.

    The model's own file is written, its numbers are replaced, and it is read back: Keras alone
    knows which place is which weight.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.weights.h5"
        model.save_weights(path)
        with h5py.File(path, "r+") as file:
            own = places_of(file)
            _require_fit(stored.by_place, own, wrong)
            for key in own:
                file[key][...] = stored.by_place[key]
        model.load_weights(path)
