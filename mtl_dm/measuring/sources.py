"""A built data set as a model takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from mtl_dm import data
from mtl_dm.data.built import IMAGE
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.inputs import InputSpec, inputs_of
from mtl_dm.tasks import Task

LEAST_IMAGES = 10
"""Annotated images below which nothing is fitted to a data set: it would be chance."""


def annotated_enough(name: str, data_dir: str, tasks: Sequence[Task], what: str) -> list[Task]:
    """Return the tasks of which a data set has enough labels to fit something; warn of the others.

    Args:
        name: As for `mtl_dm.data.load`.
        data_dir: Folder of built data sets.
        tasks: What is fitted is of these, each that is annotated at all.
        what: What is fitted, in the words of a message.

    Raises:
        FileNotFoundError: If the data set must be built first.
        ValueError: If there are no tasks, or none is annotated on at least `LEAST_IMAGES` images.
    """
    if not tasks:
        raise ValueError(f"The checkpoint has no task for which {what} are chosen.")
    counts = data.labelled_images(name, data_dir=data_dir, tasks=tasks)
    found = {task: count for task, count in counts.items() if count}
    if not found:
        raise ValueError(
            f"{name!r} annotates none of the tasks {list(counts)}, of which {what} could be chosen."
        )
    few = {task: count for task, count in found.items() if count < LEAST_IMAGES}
    said = (
        f"{name!r} is too small to choose {what}: it needs {LEAST_IMAGES} annotated images of a "
        f"task, has {few}."
    )
    if few == found:
        raise ValueError(said)
    if few:
        logging.warning("%s Of these tasks none are chosen.", said)
    return [task for task in tasks if found.get(task.name, 0) >= LEAST_IMAGES]


def source_for(
    model: MultiTaskModel, name: str, data_dir: str, tasks: Sequence[Task] | None = None
) -> tf.data.Dataset:
    """Return a data set as a model takes it.

    A model of several inputs gets those called after features of the data set; a square colour
    image is the data set's image, whatever the model calls it. What else the data set says a
    network sees, as streams of a clip, is left out where the model does not take it.

    Args:
        model: The model.
        name: As for `mtl_dm.data.load`.
        data_dir: Folder of built data sets.
        tasks: To read labels of; None: the model's.

    Raises:
        FileNotFoundError: If the data set must be built first.
        ValueError: If a name is unknown, or the data set has none of the tasks or not what the
            model takes.
    """
    inputs = inputs_of(model)
    specs = {IMAGE: inputs} if isinstance(inputs, InputSpec) else inputs
    images = [key for key, spec in specs.items() if spec.side is not None]
    if len(images) > 1 or (isinstance(inputs, InputSpec) and not images):
        shapes = {key: spec.shape for key, spec in specs.items()}
        raise ValueError(
            "Data sets hold one square colour image an example; the checkpoint takes "
            f"{inputs.shape if isinstance(inputs, InputSpec) else shapes}."
        )
    side = specs[images[0]].side if images else None
    features = {key: IMAGE if key in images else key for key in specs}
    source = data.load(
        name,
        data_dir=data_dir,
        tasks=model.tasks if tasks is None else tasks,
        image_size=side,
        inputs=list(dict.fromkeys(features.values())),
    )
    if not source.element_spec[1]:
        raise ValueError(
            f"The data set {name!r} has none of the checkpoint's tasks, "
            f"{[task.name for task in model.tasks]}."
        )
    for key, feature in features.items():
        _check_shape(name, feature, source.element_spec[0][feature].shape, specs[key].shape)

    def as_taken(found: Mapping[str, Any], labels: Any, masks: Any) -> tuple[Any, Any, Any]:
        if isinstance(inputs, InputSpec):
            return found[IMAGE], labels, masks
        named = {key: tf.cast(found[each], specs[key].dtype) for key, each in features.items()}
        return named, labels, masks

    return source.map(as_taken)


def _check_shape(name: str, feature: str, shape: tf.TensorShape, wanted: tuple[Any, ...]) -> None:
    if not shape.is_compatible_with(wanted):
        raise ValueError(
            f"The feature {feature!r} of the data set {name!r} has the shape {tuple(shape)}; "
            f"the checkpoint takes {wanted}."
        )
