"""Images -> embeddings: what a checkpoint's network says of a face before its heads.

Shapes: B images of a batch, D numbers of an embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from mtl_dm.models import MultiTaskModel
from mtl_dm.models.inputs import inputs_of, single_image_side

IDENTITY = "identity"
"""Of several tasks with features of their own, the one whose are taken where nothing is said."""

Network = Callable[[np.ndarray], np.ndarray]
"""Images [B, side, side, 3] -> embeddings [B, D]."""


def image_side(model: MultiTaskModel) -> int:
    """Return the side of the square colour images that a model takes.

    Raises:
        ValueError: If it takes anything else.
    """
    inputs = inputs_of(model)
    side = single_image_side(inputs)
    if side is None:
        raise ValueError(f"The checkpoint must take square colour images, it takes {inputs}.")
    return side


def network_of(model: MultiTaskModel, layer: str | None = None, task: str | None = None) -> Network:
    """Return what makes embeddings.

    Maps [B, H, W, D] of a layer, and features [B, P, D] of a network in parts, are averaged over
    their places.

    Args:
        model: The checkpoint.
        layer: Name of a layer of its backbone; None: the backbone's features.
        task: Whose features, where tasks have their own; None: those of `IDENTITY`.

    Raises:
        ValueError: If there is no such layer or task, or features are not one for all and none
            was chosen.
    """
    if layer is not None:
        return layer_outputs(model.backbone, layer)
    names = [each.name for each in model.tasks]
    if task is not None and task not in names:
        raise ValueError(f"The checkpoint has no task {task!r}. Known: {', '.join(names)}.")

    def features(images: np.ndarray) -> np.ndarray:
        found, _ = model.extract(images, training=False)
        return flat(_chosen(found, task))

    return features


def embed(
    network: Network, images: Iterable[tuple[str, np.ndarray]], batch_size: int = 64
) -> dict[str, np.ndarray]:
    """Return an embedding for every name, the mean of those of its images, float64 [D].

    The last batch is filled up with grey, for a kernel may sum in another order for another size.

    Args:
        network: Makes embeddings.
        images: Names and images.
        batch_size: Images a batch.
    """
    sums: dict[str, Any] = {}
    counts: dict[str, int] = {}
    batch: list[tuple[str, np.ndarray]] = []

    def flush() -> None:
        filled = np.zeros((batch_size, *batch[0][1].shape), np.float32)
        filled[: len(batch)] = [image for _, image in batch]
        for (name, _), each in zip(batch, network(filled), strict=False):
            sums[name] = sums.get(name, 0.0) + each.astype(np.float64)
            counts[name] = counts.get(name, 0) + 1
        batch.clear()

    for each in images:
        batch.append(each)
        if len(batch) == batch_size:
            flush()
    if batch:
        flush()
    return {name: total / counts[name] for name, total in sums.items()}


def layer_outputs(backbone: Any, name: str) -> Network:
    """Return what a layer says of images, wherever in the backbone it is.

    Its outputs are heard, not cut out of a graph: networks that are no graph have none, and a
    `Sequential` that was loaded has one whose inputs do not connect.

    Args:
        backbone: Any Keras model.
        name: Of the layer.

    Raises:
        ValueError: If there is no layer of that name, or several; the known ones are listed.
    """
    found = [each for each in _layers(backbone) if each.name == name]
    if len(found) != 1:
        listed = ", ".join(dict.fromkeys(each.name for each in _layers(backbone))) or "none"
        how = "no layer" if not found else f"{len(found)} layers called"
        raise ValueError(f"The checkpoint's network has {how} {name!r}. Known: {listed}.")
    heard: list[Any] = []
    (layer,) = found
    call = layer.call

    def heard_call(*arguments: Any, **options: Any) -> Any:
        heard.append(call(*arguments, **options))
        return heard[-1]

    def outputs(images: np.ndarray) -> np.ndarray:
        heard.clear()
        layer.call = heard_call
        try:
            backbone(images, training=False)
        finally:
            layer.call = call
        if len(heard) != 1:
            raise ValueError(f"The layer {name!r} is used {len(heard)} times, not once.")
        return flat(heard[0])

    return outputs


def _layers(model: Any) -> Iterator[keras.layers.Layer]:
    for layer in getattr(model, "layers", []):
        yield layer
        yield from _layers(layer)


def _chosen(features: Mapping[str, Any], task: str | None) -> Any:
    if task is None:
        if len({id(each) for each in features.values()}) == 1:
            return next(iter(features.values()))
        task = IDENTITY
    if task not in features:
        raise ValueError(
            f"The tasks {', '.join(features)} have features of their own: say whose are the "
            "embeddings (--task), or name a layer (--layer)."
        )
    return features[task]


def flat(found: Any) -> np.ndarray:
    """Return outputs [B, ..., D] as embeddings [B, D], averaged over the axes between.

    Raises:
        ValueError: If they have a single axis.
    """
    numbers = keras.ops.convert_to_numpy(found)
    if numbers.ndim < 2:
        raise ValueError(f"An embedding must be [images, numbers], got the shape {numbers.shape}.")
    return numbers.mean(axis=tuple(range(1, numbers.ndim - 1))) if numbers.ndim > 2 else numbers
