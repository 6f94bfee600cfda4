"""A built data set as a model takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_dm import data
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.inputs import InputSpec, inputs_of

_IMAGE = "image"


def source_for(model: MultiTaskModel, name: str, data_dir: str) -> tf.data.Dataset:
    """Return a data set as a model takes it.

    A model of several inputs gets those called after features of the data set; a square colour
    image is the data set's image, whatever the model calls it.

    Args:
        model: The model.
        name: As for `mtl_dm.data.load`.
        data_dir: Folder of built data sets.

    Raises:
        FileNotFoundError: If the data set must be built first.
        ValueError: If a name is unknown, or the data set has none of the model's tasks or not
            what the model takes.
    """
    inputs = inputs_of(model)
    specs = {_IMAGE: inputs} if isinstance(inputs, InputSpec) else inputs
    images = [key for key, spec in specs.items() if spec.side is not None]
    if len(images) > 1 or (isinstance(inputs, InputSpec) and not images):
        shapes = {key: spec.shape for key, spec in specs.items()}
        raise ValueError(
            "Data sets hold one square colour image an example; the checkpoint takes "
            f"{inputs.shape if isinstance(inputs, InputSpec) else shapes}."
        )
    side = specs[images[0]].side if images else None
    source = data.load(name, data_dir=data_dir, tasks=model.tasks, image_size=side)
    if not source.element_spec[1]:
        raise ValueError(
            f"The data set {name!r} has none of the checkpoint's tasks, "
            f"{[task.name for task in model.tasks]}."
        )
    if isinstance(inputs, InputSpec):
        return source
    others = {key: spec for key, spec in inputs.items() if key not in images}
    return _with_features(source, images, _features(name, others, data_dir))


def _features(name: str, specs: Mapping[str, InputSpec], data_dir: str) -> dict[str, np.ndarray]:
    """Return the features of a data set that are inputs of a model, in file order."""
    arrays = data.raw_features(name, list(specs), data_dir=data_dir) if specs else {}
    for key, array in arrays.items():
        if array.shape[1:] != specs[key].shape:
            raise ValueError(
                f"The feature {key!r} of the data set {name!r} has the shape {array.shape[1:]}; "
                f"the checkpoint takes {specs[key].shape}."
            )
    return {key: array.astype(specs[key].dtype) for key, array in arrays.items()}


def _with_features(
    source: tf.data.Dataset, images: list[str], features: Mapping[str, np.ndarray]
) -> tf.data.Dataset:
    """Return a source of images as one of dictionaries: the image's name, and the features'."""

    def named(image: Any, others: Mapping[str, Any]) -> dict[str, Any]:
        return {**dict.fromkeys(images, image), **others}

    if not features:
        return source.map(lambda image, labels, masks: (named(image, {}), labels, masks))
    rows = tf.data.Dataset.from_tensor_slices(dict(features))
    pairs = tf.data.Dataset.zip((source, rows))
    return pairs.map(lambda element, others: (named(element[0], others), *element[1:]))
