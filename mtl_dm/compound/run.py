"""A checkpoint's compound expressions on data sets, printed and saved."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from mtl_dm import data
from mtl_dm.compound.evidence import Evidence, compounds_of
from mtl_dm.compound.few_shot import CLASSIFIERS, SHOTS, few_shot
from mtl_dm.compound.judging import judged
from mtl_dm.compound.observing import Observed, observe
from mtl_dm.compound.scores import SCORES
from mtl_dm.files import strict_json, write_atomically
from mtl_dm.measuring.scoring import load_model, warn_of_training_images
from mtl_dm.measuring.sources import source_for
from mtl_dm.models import MultiTaskModel
from mtl_dm.outputs import prepare_output
from mtl_dm.progress import counted
from mtl_dm.relatedness import Relatedness
from mtl_dm.reporting.statistics import mean_interval
from mtl_dm.runs.record import commit, versions
from mtl_dm.tasks import Task
from mtl_dm.training.assembly import relatedness_of

RESULT_FILE = "compound.json"
TASK = "compound_expression"
"""Name of the task of data sets that carry compound expressions."""


def recognise(
    checkpoint: str,
    names: Sequence[str],
    data_dir: str,
    output: str | Path,
    relatedness: str = "compound_emotionet",
    scores: Sequence[str] = ("zero_shot", "posterior", "product"),
    support: str | None = None,
    draws: int = 20,
) -> None:
    """Recognise compound expressions that a checkpoint was not trained for; print and write.

    Args:
        checkpoint: A `.keras` file of this package, or the name of a pretrained checkpoint.
        names: Data sets with the task `TASK`, as for `mtl_dm.data.load`.
        data_dir: Folder of built data sets.
        output: Folder for compound.json.
        relatedness: The table of compounds, as for training.
        scores: Specifications of `SCORES`.
        support: A data set from which a few images of each class are drawn; None: zero-shot alone.
        draws: How often they are drawn.

    Raises:
        FileNotFoundError: If the checkpoint or a data set does not exist.
        ValueError: If a name is unknown, a data set has no compound expressions or others than the
            support, it is its own support, the model lacks what a score needs, or too few images
            can be drawn.
        ImportError: If a classifier needs what is not installed.
    """
    prepare_output(output)
    data.require_different(names, data_dir=data_dir)
    if support is not None and data.sharing(support, names, data_dir=data_dir):
        raise ValueError(f"The support must not be tested: {support!r}.")
    scores = [str(SCORES.spec(score)) for score in scores]
    model = load_model(checkpoint)
    table = relatedness_of(relatedness, (), data_dir)
    if not isinstance(table, Relatedness):
        raise ValueError(
            f"relatedness must name the action units of compounds, {relatedness!r} does not."
        )
    warn_of_training_images(checkpoint, names, data_dir)
    drawn = None if support is None else _observed(model, support, data_dir)
    results = {}
    for name in names:
        task, seen = _observed(model, name, data_dir)
        if drawn is not None and drawn[0].labels != task.labels:
            raise ValueError(f"{support!r} has other compounds than {name!r}: {drawn[0].labels}.")
        few = {} if drawn is None else few_shots(drawn[1], seen, task, draws, SHOTS)
        zero = zero_shots(seen, model.tasks, task, table, scores)
        for line in _lines(zero, few):
            print(f"{name}  {line}")
        results[name] = {
            "zero_shot": zero,
            "few_shot": {_shots(*key): each.tolist() for key, each in few.items()},
        }
    content = {
        "checkpoint": checkpoint,
        "relatedness": table.citation,
        "support": support,
        "uar": results,
        "commit": commit(),
        "versions": versions(),
    }
    write_atomically(Path(output) / RESULT_FILE, strict_json(content))


def zero_shots(
    seen: Observed,
    tasks: Sequence[Task],
    task: Task,
    table: Relatedness,
    scores: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Return, by specification of a score, how well it recognises compounds.

    Args:
        seen: The test images.
        tasks: Of the models.
        task: The compound expressions.
        table: Their action units, of these compounds and of any others.
        scores: Specifications of `SCORES`.

    Raises:
        ValueError: If a compound is none of the table, or the models lack what a score needs.
    """
    evidence = Evidence(tasks, seen.outputs, compounds_of(table, task.labels))
    return {
        score: judged(seen.ids, SCORES.create(score, evidence), task.labels) for score in scores
    }


def few_shots(
    drawn: Observed, seen: Observed, task: Task, draws: int, shots: Sequence[int]
) -> dict[tuple[str, int], np.ndarray]:
    """Return, by classifier and number of images of a class, the UAR of each draw.

    Args:
        drawn: The images to draw from.
        seen: The test images.
        task: The compound expressions.
        draws: How many.
        shots: Images of each class.

    Raises:
        ValueError: If fewer images of a class can be drawn.
        ImportError: If a classifier needs what is not installed.
    """
    support, tested = (drawn.features, drawn.ids), (seen.features, seen.ids)
    cases = list(itertools.product(CLASSIFIERS, shots))
    return {
        (name, k): few_shot(support, tested, task.labels, k, name, draws)
        for name, k in counted(cases, "few-shot classifiers", len(cases))
    }


def compound_task(tasks: Sequence[Task], name: str) -> Task:
    """Return the task of compound expressions among those of a data set.

    Raises:
        ValueError: If it has none.
    """
    for task in tasks:
        if task.name == TASK:
            return task
    listed = [task.name for task in tasks]
    raise ValueError(f"The data set {name!r} has no task {TASK!r}; it has {listed}.")


def _observed(model: MultiTaskModel, name: str, data_dir: str) -> tuple[Task, Observed]:
    task = compound_task(data.tasks_in(name, data_dir=data_dir), name)
    return task, observe([model], source_for(model, name, data_dir, [task]), task)


def _lines(
    zero: Mapping[str, Mapping[str, float]], few: Mapping[tuple[str, int], np.ndarray]
) -> Iterator[str]:
    for score, metrics in zero.items():
        yield f"{score}  UAR {metrics['uar']:.4f}  accuracy {metrics['accuracy']:.4f}"
    for key, values in few.items():
        mean, half = mean_interval(values)
        yield f"{_shots(*key)}  UAR {mean:.4f} ± {half:.4f} ({len(values)} draws)"


def _shots(classifier: str, k: int) -> str:
    return f"{classifier}, k={k}"
