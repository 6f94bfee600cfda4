"""A study as a newcomer writes one: one file, on her own arrays, without an edit elsewhere."""

import functools
import types

import numpy as np

from experiments.engine.method import Method
from experiments.engine.options import Options
from experiments.engine.problem import Given, Problem
from experiments.engine.study import Column, Study
from mtl_dm import data
from mtl_dm.relatedness import from_annotations
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig

KIND = Task.multiclass("kind", ("cat", "dog", "cow"))
MARKS = Task.multilabel("marks", ("horns", "tail"))
WEIGHT = Task.regression("weight", ("kilograms",))
TASKS = (KIND, MARKS, WEIGHT)
SHARES = {"kind": 0.5, "marks": 0.25, "weight": 0.25}
COUNTED = "counted on the test's own animals"


class Animals(Problem):
    """Three tasks, a source each; the inputs say everything."""

    def __init__(self, tasks=TASKS, seed=0):
        self.tasks = tuple(tasks)
        names = [task.name for task in tasks]
        self.config = TrainConfig(
            datasets=tuple(f"{name} alone" for name in names),
            tasks=tuple(names),
            backbone="dense_trunk",
            batch_size=8,
            epochs=2,
            steps_per_epoch=2,
            shares=tuple(SHARES[name] for name in names),
            learning_rate=0.05,
            augment=False,
            seed=seed,
        )
        self.names = {"known": COUNTED}
        self.record = {"animals": 24}

    def _source(self, tasks, seed):
        rng = np.random.default_rng(seed)
        inputs = rng.normal(size=(24, 4)).astype(np.float32)
        every = {
            "kind": inputs[:, :3].argmax(axis=1),
            "marks": (inputs[:, 1:3] > 0).astype(np.int64),
            "weight": inputs[:, 3:],
        }
        return data.from_arrays(inputs, {task.name: every[task.name] for task in tasks}, tasks)

    def sources(self, tasks):
        wanted = {task.name: task for task in tasks}
        return [
            self._source([wanted[task.name]], place) if task.name in wanted else None
            for place, task in enumerate(self.tasks)
        ]

    def test(self, tasks):
        return self._source(tasks, 10)

    def validation(self, tasks):
        return self._source(tasks, 11)

    def given(self, name):
        if name != COUNTED:
            return None
        pairs = [(kind, marks) for kind in range(3) for marks in ([0, 1], [1, 1], [0, 0])]
        kinds, marks = (np.array(part) for part in zip(*pairs, strict=True))
        return Given(from_annotations(kinds, marks, classes=KIND.labels, attributes=MARKS.labels))


def animals(tasks, seed, fold):
    del fold
    return Animals(tasks, seed)


UNCOUPLED = {"ST": Method(single_task=True), "NC MT": Method()}


def study(rows=UNCOUPLED, tasks=TASKS, seeds=1, **fields):
    return Study(
        "tiny",
        "demo",
        [
            Column(
                "animals / dense trunk",
                "animals (synthetic)",
                functools.partial(animals, tasks),
                [(seed, None) for seed in range(seeds)],
            )
        ],
        rows,
        {
            "title": "Tiny",
            "intro": "Two rows.",
            "main_metrics": {"kind": ["accuracy"], "marks": ["f1", "f1_tuned"]},
        },
        **fields,
    )


def options(folder, **changes):
    values = {"preset": "demo", "seeds": 1, "only": "", "data_dir": "", "workers": 0}
    return Options(folder=folder, command="make tiny", **{**values, **changes})


def keep(monkeypatch):
    """Let a study in this process leave TensorFlow's settings as they are."""
    running = "experiments.engine.running.prepare_this_process"
    monkeypatch.setattr(running, types.SimpleNamespace)
