"""From a configuration to tasks, sources and a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from mtl_dm import data
from mtl_dm.balancing import BALANCING
from mtl_dm.models import BACKBONES, Coupling, MultiTaskModel
from mtl_dm.relatedness import PUBLISHED, Relatedness, from_annotations, marginal
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.preconditions import concerns

INFERRED = "inferred:"
LEARNED = "learned"


def tasks_of(config: TrainConfig) -> tuple[Task, ...]:
    """Return the tasks to train, with the options of the configuration.

    Raises:
        ValueError: If no data set has a task of that name, or two disagree on its labels.
        FileNotFoundError: If a data set is not built.
    """
    found: dict[str, Task] = {}
    for name in config.datasets:
        for task in data.tasks_in(name, data_dir=config.data_dir):
            earlier = found.setdefault(task.name, task)
            if earlier.labels != task.labels:
                raise ValueError(
                    f"The data sets disagree on the labels of the task {task.name!r}: "
                    f"{list(earlier.labels)} and, in {name!r}, {list(task.labels)}."
                )
    unknown = [name for name in config.tasks if name not in found]
    if unknown:
        raise ValueError(f"Unknown task {unknown}. The data sets have: {sorted(found)}.")
    return tuple(configured(found[name], config) for name in config.tasks)


def configured(task: Task, config: TrainConfig) -> Task:
    """Return a task with the options of a configuration."""
    task = task.replace(weight=config.task_weights.get(task.name, 1.0))
    if task.kind == "multiclass":
        return task.replace(label_smoothing=config.label_smoothing)
    if task.kind == "multilabel":
        return task.replace(reduction=config.attribute_reduction)
    return task


def summary_of(config: TrainConfig, tasks: tuple[Task, ...]) -> data.Summary:
    """Return what the training data are annotated for.

    Raises:
        ValueError: If a task has no annotated training image.
    """
    return data.summarize(annotations_of(config, tasks), tasks)


def concerns_of(config: TrainConfig, coupling: Coupling, tasks: tuple[Task, ...]) -> list[str]:
    """Return where a coupling has nothing to act on, or labels nothing else teaches, as text."""
    return concerns(annotations_of(config, tasks), coupling, tasks)


def annotations_of(config: TrainConfig, tasks: tuple[Task, ...]) -> list[data.Annotations]:
    """Return labels and masks of each training data set by task name; images stay unread."""
    return [
        data.label_arrays(name, data_dir=config.data_dir, tasks=tasks, one_hot=False)
        for name in config.datasets
    ]


def sources_of(config: TrainConfig, tasks: tuple[Task, ...]) -> list[tf.data.Dataset]:
    """Return one source per training data set."""
    return [_source(name, config, tasks) for name in config.datasets]


def validation_of(config: TrainConfig, tasks: tuple[Task, ...]) -> tf.data.Dataset | None:
    """Return the validation source, or None."""
    return None if config.validation is None else _source(config.validation, config, tasks)


def check_image_sizes(
    config: TrainConfig, sources: list[tf.data.Dataset], validation: tf.data.Dataset | None
) -> None:
    """Check that all images reach the network in one size.

    Raises:
        ValueError: If they do not; the message has each data set's size and says what helps.
    """
    names = [*config.datasets, *([] if config.validation is None else [config.validation])]
    loaded = [*sources, *([] if validation is None else [validation])]
    sizes = {
        name: " x ".join(map(str, source.element_spec[0].shape[:2]))
        for name, source in zip(names, loaded, strict=True)
    }
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise ValueError(f"The data sets' images differ in size: {listed}. Give image_size.")


def _source(name: str, config: TrainConfig, tasks: tuple[Task, ...]) -> tf.data.Dataset:
    return data.load(name, data_dir=config.data_dir, tasks=tasks, image_size=config.image_size)


def relatedness_of(specification: str, tasks: tuple[Task, ...], data_dir: str) -> Relatedness:
    """Return the relatedness that a flag names.

    Args:
        specification: A published one ("facs", "aff_wild2"), the path of a JSON file,
            "inferred:NAME" to count on a data set annotated for both tasks.
        tasks: The tasks to train: the first multiclass and multilabel ones are meant.
        data_dir: Folder of built data sets.

    Raises:
        ValueError: If the name is unknown or the annotations do not suffice.
        FileNotFoundError: If the file or the data set does not exist.
    """
    if specification in PUBLISHED:
        return PUBLISHED.get(specification)()
    if specification.startswith(INFERRED):
        return _inferred(specification.removeprefix(INFERRED), tasks, data_dir)
    if Path(specification).suffix == ".json":
        return Relatedness.from_json(specification)
    raise ValueError(
        f"Unknown relatedness {specification!r}. Known: {', '.join(PUBLISHED)}, "
        f"a path that ends in .json, {INFERRED}NAME[:SPLIT] of a data set, {LEARNED} or "
        f"{LEARNED}:<one of these>."
    )


def coupling_of(config: TrainConfig, tasks: tuple[Task, ...]) -> Coupling | None:
    """Return the coupling of a configuration, or None.

    `relatedness="learned"` starts from frequencies that are the same for every class,
    "learned:SPECIFICATION" from that table.

    Raises:
        ValueError: If a name is unknown, parts do not fit each other, or labels do not suffice.
        FileNotFoundError: If a relatedness file or a data set does not exist.
    """
    if config.relatedness is None:
        return None
    classes, attributes = coupled_pair(tasks)
    learned, relatedness = given_relatedness(config, tasks)
    if relatedness is None:
        relatedness = _frequencies(config, classes, attributes)
    return Coupling(
        classes.name,
        attributes.name,
        relatedness,
        config.matching,
        config.co_annotation,
        config.matching_form,
        config.co_annotation_form,
        learned=learned,
    )


def given_relatedness(
    config: TrainConfig, tasks: tuple[Task, ...]
) -> tuple[bool, Relatedness | None]:
    """Return whether a relatedness is to be learned, and the table that is given, if any.

    Raises:
        ValueError: As `relatedness_of`.
        FileNotFoundError: As `relatedness_of`.
    """
    if config.relatedness is None:
        return False, None
    first, _, rest = config.relatedness.partition(":")
    learned = first == LEARNED
    if learned and not rest:
        return True, None
    specification = rest if learned else config.relatedness
    return learned, relatedness_of(specification, tasks, config.data_dir)


def _frequencies(config: TrainConfig, classes: Task, attributes: Task) -> Relatedness:
    """Return the start of learning over the attributes that any training image is labelled for."""
    class_ids, attribute_labels = [], []
    for name in config.datasets:
        arrays = data.label_arrays(
            name, data_dir=config.data_dir, tasks=(classes, attributes), one_hot=False
        )
        if classes.name in arrays:
            class_ids.append(data.class_ids(*arrays[classes.name]))
        if attributes.name in arrays:
            labels, mask = arrays[attributes.name]
            attribute_labels.append(np.where(mask > 0, labels, -1.0))
    labelled = np.concatenate(attribute_labels)
    known = np.flatnonzero((labelled >= 0).any(axis=0))
    return marginal(
        np.concatenate(class_ids),
        labelled[:, known],
        classes=classes.labels,
        attributes=tuple(attributes.labels[index] for index in known),
    )


def coupled_pair(tasks: tuple[Task, ...]) -> tuple[Task, Task]:
    """Return the first multiclass and the first multilabel task.

    Raises:
        ValueError: If one of the two kinds is missing.
    """
    classes = [task for task in tasks if task.kind == "multiclass"]
    attributes = [task for task in tasks if task.kind == "multilabel"]
    if not classes or not attributes:
        raise ValueError(
            "A coupling needs a multiclass and a multilabel task, got "
            f"{ {task.name: task.kind for task in tasks} }."
        )
    return classes[0], attributes[0]


def _inferred(name: str, tasks: tuple[Task, ...], data_dir: str) -> Relatedness:
    classes, attributes = coupled_pair(tasks)
    arrays = data.label_arrays(name, data_dir=data_dir, tasks=tasks, one_hot=False)
    missing = [task.name for task in (classes, attributes) if task.name not in arrays]
    if missing:
        raise ValueError(f"The data set {name!r} is not annotated for {missing}.")
    attribute_labels, attribute_mask = arrays[attributes.name]
    inferred = from_annotations(
        data.class_ids(*arrays[classes.name]),
        attribute_labels,
        attribute_mask,
        classes=classes.labels,
        attributes=attributes.labels,
    )
    return dataclasses.replace(inferred, citation=f"{inferred.citation} Data set: {name}.")


def model_of(
    config: TrainConfig,
    tasks: tuple[Task, ...],
    input_shape: tuple[int, ...],
    couplings: Sequence[Coupling] | None = None,
) -> MultiTaskModel:
    """Return the model of a configuration, its weights drawn from the global seed.

    Args:
        config: Names the parts.
        tasks: The tasks.
        input_shape: Shape of an input, without the batch.
        couplings: Instead of the one that the configuration gives: those of a study whose
            relatedness is counted on its own training data.

    Raises:
        ValueError: If a name is unknown or parts do not fit each other.
        FileNotFoundError: If the relatedness file does not exist.
    """
    if couplings is None:
        coupling = coupling_of(config, tasks)
        couplings = [] if coupling is None else [coupling]
    backbone = BACKBONES.get(config.backbone)(input_shape)
    model = MultiTaskModel(backbone, tasks, couplings, BALANCING.get(config.balancing)())
    model(keras.ops.zeros((1, *input_shape)))  # Builds the heads, so that weights exist.
    return model
