"""From a configuration to tasks, sources and a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from mtl_dm import data
from mtl_dm.balancing import BALANCING
from mtl_dm.losses.task_losses import require_task_loss
from mtl_dm.memory import require_batch
from mtl_dm.models import BACKBONES, TERMS, Coupling, MultiTaskModel
from mtl_dm.models.coupling import AnyCoupling
from mtl_dm.registry import OF_YOURS
from mtl_dm.relatedness import (
    PUBLISHED,
    Relatedness,
    from_annotations,
    marginal,
    relation_from_json,
)
from mtl_dm.spec import parse
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.coupling_choice import LEARNED, CouplingChoice
from mtl_dm.training.preconditions import concerns
from mtl_dm.training.relation_choice import (
    counted_relation,
    is_own,
    own_coupling,
    regression_pair,
    relation_coupling,
    start_of_learning,
)
from mtl_dm.training.same_inputs import require_same_inputs
from mtl_dm.training.shared_images import shared_image_concerns
from mtl_dm.training.starting import require_checkpoint

INFERRED = "inferred:"


def tasks_of(config: TrainConfig, *, built: bool = True) -> tuple[Task, ...]:
    """Return the tasks to train, with the options of the configuration.

    A data set may be annotated for some of a task's labels, where another one has them all.

    Args:
        config: Names the data sets and the tasks.
        built: Whether the data sets have to be there; otherwise what is known of them before.

    Raises:
        ValueError: If no data set has a task of that name, two disagree on its labels, or a loss
            is none of its kind.
        FileNotFoundError: If a data set is not built.
    """
    found = _united({name: _tasks_in(name, config.data_dir, built) for name in config.datasets})
    unknown = [name for name in config.tasks if name not in found]
    if unknown:
        raise ValueError(f"Unknown task {unknown}. The data sets have: {sorted(found)}.")
    tasks = tuple(configured(found[name], config) for name in config.tasks)
    for task in tasks:
        require_task_loss(task)
    return tasks


def _tasks_in(name: str, data_dir: str, built: bool) -> tuple[Task, ...]:
    if built:
        return data.tasks_in(name, data_dir=data_dir)
    return data.outline(name, data_dir=data_dir).tasks


def _united(tasks: Mapping[str, Sequence[Task]]) -> dict[str, Task]:
    """Return by name the widest of every task; `tasks` are those of each data set."""
    by_name: dict[str, dict[str, Task]] = {}
    for dataset, its in tasks.items():
        for task in its:
            by_name.setdefault(task.name, {})[dataset] = task
    found = {}
    for name, own in by_name.items():
        widest = data.widest(tuple(own.values()))
        if widest is None:
            listed = "; ".join(f"{dataset} {list(task.labels)}" for dataset, task in own.items())
            raise ValueError(
                f"The data sets disagree on the labels of the task {name!r}, none has those of "
                f"all in one order: {listed}."
            )
        found[name] = widest
    return found


def configured(task: Task, config: TrainConfig) -> Task:
    """Return a task with the options of a configuration."""
    task = task.replace(weight=config.task_weights.get(task.name, 1.0))
    if task.name in config.task_losses:
        task = task.replace(loss=config.task_losses[task.name])
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


def balancing_concerns_of(config: TrainConfig, tasks: tuple[Task, ...]) -> list[str]:
    """Return where the balancing method presupposes what the data are not, as text.

    Raises:
        ValueError: If it cannot work on them.
    """
    method = BALANCING.create(config.balancing)
    if method.sees != "gradients" or method.scope != "features":
        return []  # Without a look at the labels.
    return shared_image_concerns(annotations_of(config, tasks), method, tasks)


def annotations_of(config: TrainConfig, tasks: tuple[Task, ...]) -> list[data.Annotations]:
    """Return labels and masks of each training data set by task name; images stay unread.

    Raises:
        ValueError: If a data set has none of the tasks.
    """
    found = {
        name: data.label_arrays(name, data_dir=config.data_dir, tasks=tasks, one_hot=False)
        for name in config.datasets
    }
    for name, arrays in found.items():
        if not arrays:
            raise ValueError(
                f"The data set {name!r} has none of the tasks {[task.name for task in tasks]}."
            )
    return [found[name] for name in config.datasets]


def sources_of(config: TrainConfig, tasks: tuple[Task, ...]) -> list[tf.data.Dataset]:
    """Return one source per training data set."""
    return [_source(name, config, tasks) for name in config.datasets]


def validation_of(config: TrainConfig, tasks: tuple[Task, ...]) -> tf.data.Dataset | None:
    """Return the validation source, or None.

    Raises:
        ValueError: If it is annotated for none of the tasks: every score on it would be 0, and the
            first epoch the best.
    """
    name = config.validation
    if name is None:
        return None
    counts = data.labelled_images(name, data_dir=config.data_dir, tasks=tasks)
    missing = [task for task, count in counts.items() if not count]
    if len(missing) == len(tasks):
        raise ValueError(
            f"The validation data {name!r} are annotated for none of the tasks {missing}; they "
            "can neither choose best.keras nor judge a term."
        )
    if missing:
        logging.warning(
            "Warning: validation %s is not annotated for %s: no part in what best.keras is.",
            name,
            ", ".join(missing),
        )
    trained = data.sharing(name, config.datasets, data_dir=config.data_dir)
    if trained:
        logging.warning(
            "Warning: images of validation %s are trained on, with %s: its scores are too high.",
            name,
            ", ".join(trained),
        )
    return _source(name, config, tasks)


def check_inputs(
    config: TrainConfig, sources: list[tf.data.Dataset], validation: tf.data.Dataset | None
) -> None:
    """Check that the network gets the same inputs of all data sets.

    Raises:
        ValueError: As `require_same_inputs`.
    """
    names = [*config.datasets, *([] if config.validation is None else [config.validation])]
    loaded = [*sources, *([] if validation is None else [validation])]
    shapes = [input_shape_of(source) for source in loaded]
    require_same_inputs(dict(zip(names, shapes, strict=True)))


def check_memory(sources: Sequence[tf.data.Dataset], rows: int) -> None:
    """Check that so many rows of inputs fit into the memory of this machine.

    Raises:
        ValueError: If they do not.
    """
    shape = input_shape_of(sources[0])
    for each in shape.values() if isinstance(shape, Mapping) else [shape]:
        require_batch(rows, [size or 1 for size in each])


def input_shape_of(source: tf.data.Dataset) -> Any:
    """Return the shape of one input of a source, or shapes by name where it has several."""
    inputs = source.element_spec[0]
    if isinstance(inputs, Mapping):
        return {name: tuple(each.shape) for name, each in inputs.items()}
    return tuple(inputs.shape)


def _source(name: str, config: TrainConfig, tasks: tuple[Task, ...]) -> tf.data.Dataset:
    return data.load(name, data_dir=config.data_dir, tasks=tasks, image_size=config.image_size)


def relatedness_of(specification: str, tasks: tuple[Task, ...], data_dir: str) -> Any:
    """Return the relatedness, or relation of another kind, that a flag names.

    Args:
        specification: A published one ("facs", "aff_wild2(binarize=True)"), the path of a JSON
            file, "inferred:NAME" to count on a data set annotated for both tasks.
        tasks: The tasks to couple: the first multiclass and multilabel ones are meant.
        data_dir: Folder of built data sets.

    Raises:
        ValueError: If the name is unknown or the annotations do not suffice.
        FileNotFoundError: If the file or the data set does not exist.
    """
    if specification.startswith(INFERRED):
        return _inferred(specification.removeprefix(INFERRED), tasks, data_dir)
    if Path(specification).suffix == ".json":
        return relation_from_json(specification)
    if _is_published(specification):
        return PUBLISHED.create(specification)
    raise ValueError(
        f"Unknown relatedness {specification!r}. Known: {', '.join(PUBLISHED)}, "
        f"a path that ends in .json, {INFERRED}NAME[:SPLIT] of a data set, {LEARNED} or "
        f"{LEARNED}:<one of these>. {OF_YOURS}"
    )


def _is_published(specification: str) -> bool:
    return specification.partition("(")[0].strip() in PUBLISHED


def check_names(config: TrainConfig) -> None:
    """Check how couplings and starting weights are named, before any data are read.

    Raises:
        ValueError: If a relatedness is unknown.
        FileNotFoundError: If a file does not exist.
    """
    for choice in config.coupling_choices():
        name = choice.relation
        if choice.learned:
            name = name.partition(":")[2]
        if name and not name.startswith(INFERRED):
            relatedness_of(name, (), config.data_dir)
    for _, part in config.stage_configs():
        if part.init_from is not None:
            require_checkpoint(part.init_from)


def couplings_of(config: TrainConfig, tasks: tuple[Task, ...]) -> list[AnyCoupling]:
    """Return the couplings of a configuration.

    The relation "learned" starts from frequencies that are the same for every class,
    "learned:SPECIFICATION" from that table.

    Raises:
        ValueError: If a name is unknown, parts do not fit each other, or labels do not suffice.
        FileNotFoundError: If a relatedness file or a data set does not exist.
    """
    return [coupling_from(choice, config, tasks) for choice in config.coupling_choices()]


def coupling_from(
    choice: CouplingChoice, config: TrainConfig, tasks: tuple[Task, ...]
) -> AnyCoupling:
    """Return a coupling as a user asks for it; as `couplings_of`."""
    start = _start(choice)
    named = start and not start.startswith(INFERRED)
    relation = relatedness_of(start, tasks, config.data_dir) if named else None
    if is_own(relation):
        return own_coupling(choice, tasks, relation, choice.learned)
    regression = regression_pair(choice, tasks, relation)
    if regression is not None:
        if start.startswith(INFERRED):
            name = start.removeprefix(INFERRED)
            relation = counted_relation(name, regression, config.data_dir)
        elif relation is None:
            relation = start_of_learning(config.datasets, regression, config.data_dir)
        return relation_coupling(choice, regression, relation, choice.learned)
    pair = _pair(choice, tasks)
    learned, relatedness = _given(choice, pair, config.data_dir)
    if relatedness is None:
        relatedness = _frequencies(config, *pair)
    return coupling_with(choice, tasks, relatedness, learned=learned)


def coupling_with(
    choice: CouplingChoice,
    tasks: tuple[Task, ...],
    relatedness: Relatedness,
    *,
    learned: bool = False,
    options: Mapping[str, float] | None = None,
) -> Coupling:
    """Return a coupling as a user asks for it, but through a relatedness that is given.

    Of a table that names all labels of a task and more (seven expressions where six are trained),
    and of a published one, the rest is left out, and said.

    Args:
        choice: Tasks, factors and forms.
        tasks: The tasks to train.
        relatedness: Instead of the one that the choice names.
        learned: Whether it is a start that training replaces.
        options: Of the co-annotation form, beside those of the choice.

    Raises:
        ValueError: If there are no two tasks that fit, or parts do not fit each other: a user's
            table that has labels which a task lacks, and lacks some of the task's, is misspelt.
    """
    classes, attributes = _pair(choice, tasks)
    if not _is_published(_start(choice)):
        _require_spelling(relatedness.classes, classes)
        _require_spelling(relatedness.attributes, attributes)
    relatedness = _within(relatedness, classes, attributes)
    matching, co_annotation = parse(choice.matching_form), parse(choice.co_annotation_form)
    return Coupling(
        classes.name,
        attributes.name,
        relatedness,
        choice.matching,
        choice.co_annotation,
        matching.name,
        co_annotation.name,
        matching.options,
        {**co_annotation.options, **(options or {})},
        learned=learned,
        name=choice.name or "",
        trust=choice.trust,
        gate=choice.gate,
        rule=choice.rule,
    )


def _within(relatedness: Relatedness, classes: Task, attributes: Task) -> Relatedness:
    unknown = [name for name in relatedness.classes if name not in classes.positions]
    unknown += [name for name in relatedness.attributes if name not in attributes.positions]
    if not unknown:
        return relatedness
    logging.warning("The relatedness names labels that no task has, left out: %s.", unknown)
    return relatedness.within(classes.labels, attributes.labels)


def _require_spelling(names: Sequence[str], task: Task) -> None:
    """Check that labels of a relatedness do not stand for labels of a task that it lacks."""
    named = frozenset(names)
    unknown = [name for name in names if name not in task.positions]
    missing = [label for label in task.labels if label not in named]
    if unknown and missing:
        raise ValueError(
            f"The relatedness names labels that the task {task.name!r} does not have, {unknown}, "
            f"and lacks others of it, {missing}: is one misspelt? Else leave out of the table what "
            "the task does not have (Relatedness.within)."
        )


def _pair(choice: CouplingChoice, tasks: tuple[Task, ...]) -> tuple[Task, Task]:
    """Return the tasks that a coupling names, for those it leaves out the first that fit."""
    named = {task.name: task for task in tasks}
    sources = tasks if choice.source is None else (named[choice.source],)
    targets = tasks if choice.target is None else (named[choice.target],)
    classes = [task for task in sources if task.kind == "multiclass"]
    attributes = [task for task in targets if task.kind == "multilabel"]
    if not classes or not attributes:
        raise ValueError(
            f"{'A coupling' if choice.name is None else f'The coupling {choice.name!r}'} needs a "
            "multiclass and a multilabel task, got "
            f"{ {task.name: task.kind for task in (*sources, *targets)} }."
        )
    return classes[0], attributes[0]


def given_relatedness(
    config: TrainConfig, tasks: tuple[Task, ...]
) -> tuple[bool, Relatedness | None]:
    """Return whether a relatedness is to be learned, and the table that is given, if any.

    Raises:
        ValueError: As `relatedness_of`.
        FileNotFoundError: As `relatedness_of`.
    """
    choices = config.coupling_choices()
    return _given(choices[0], tasks, config.data_dir) if choices else (False, None)


def _given(
    choice: CouplingChoice, tasks: tuple[Task, ...], data_dir: str
) -> tuple[bool, Relatedness | None]:
    start = _start(choice)
    return choice.learned, relatedness_of(start, tasks, data_dir) if start else None


def _start(choice: CouplingChoice) -> str:
    """Return the specification of the table that is given; empty: there is none."""
    return choice.relation.partition(":")[2] if choice.learned else choice.relation


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
    return _pair(CouplingChoice(None, relation=""), tasks)


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
    input_shape: Any,
    couplings: Sequence[AnyCoupling] | None = None,
) -> MultiTaskModel:
    """Return the model of a configuration, its weights drawn from the global seed.

    Args:
        config: Names the parts.
        tasks: The tasks.
        input_shape: As `input_shape_of` gives it.
        couplings: Of the model; None: those that the configuration names, counted now. A data set
            that is counted on may have to be built first, which would draw from the seed.

    Raises:
        ValueError: If a name is unknown or parts do not fit each other.
        FileNotFoundError: If the relatedness file does not exist.
    """
    if couplings is None:
        couplings = couplings_of(config, tasks)
    backbone = BACKBONES.create(config.backbone, input_shape)
    balancing = BALANCING.create(config.balancing)
    model = MultiTaskModel(
        backbone,
        tasks,
        couplings,
        balancing,
        terms=[TERMS.create(text) for text in config.terms],
        chain=config.chain,
        log_gradients=config.log_gradients,
        log_weights=config.log_weights,
    )
    if isinstance(input_shape, Mapping):
        model({name: keras.ops.zeros((1, *shape)) for name, shape in input_shape.items()})
    else:
        model(keras.ops.zeros((1, *input_shape)))  # Builds the heads, so that weights exist.
    return model
