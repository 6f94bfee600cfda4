"""Feature vectors of a class and of attributes that depend on it, for tutorials of seconds."""

from __future__ import annotations

import contextlib
import io
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from mtl_dm import MultiTaskModel, Relatedness, Task, data
from mtl_dm.balancing import BALANCING
from mtl_dm.measuring.evaluation import evaluate
from mtl_dm.models import BACKBONES, Coupling
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.fitting import fit, settings

CLASSES, ATTRIBUTES, FEATURES = 8, 16, 32
TASKS = (
    Task.multiclass("kind", tuple(f"kind {place}" for place in range(CLASSES))),
    Task.multilabel("marks", tuple(f"mark {place}" for place in range(ATTRIBUTES))),
)
GENERATOR = np.random.default_rng(7)
TRUTH = GENERATOR.choice([0.1, 0.25, 0.8], size=(CLASSES, ATTRIBUTES))
CLASS_DIRECTIONS = GENERATOR.normal(size=(CLASSES, FEATURES))
ATTRIBUTE_DIRECTIONS = GENERATOR.normal(size=(ATTRIBUTES, FEATURES))


class Drawn(NamedTuple):
    """Features [N, D], class ids [N] and attributes [N, M]."""

    features: np.ndarray
    kinds: np.ndarray
    marks: np.ndarray


def draw(count: int, seed: int) -> Drawn:
    """Return examples: the class draws the attributes, both and noise make the features."""
    generator = np.random.default_rng(seed)
    kinds = generator.integers(CLASSES, size=count)
    marks = (generator.random((count, ATTRIBUTES)) < TRUTH[kinds]).astype("int8")
    features = 0.5 * CLASS_DIRECTIONS[kinds] + 0.5 * marks @ ATTRIBUTE_DIRECTIONS
    features += generator.normal(scale=2.5, size=features.shape)
    return Drawn(features.astype("float32"), kinds, marks)


def sources(examples: Drawn, classes: int) -> list[tf.data.Dataset]:
    """Return two sources: `classes` examples with their class, all others with attributes."""
    few, rest = slice(0, classes), slice(classes, None)
    return [
        data.from_arrays(examples.features[few], {"kind": examples.kinds[few]}, TASKS),
        data.from_arrays(examples.features[rest], {"marks": examples.marks[rest]}, TASKS),
    ]


def table(conditional: np.ndarray) -> Relatedness:
    """Return P(attribute | class) as a table."""
    kinds, marks = (task.labels for task in TASKS)
    return Relatedness(kinds, marks, conditional, conditional, "the tutorial's own")


def trained(
    parts: list[tf.data.Dataset],
    couplings: list[Coupling],
    seed: int = 0,
    epochs: int = 12,
    **options: object,
) -> MultiTaskModel:
    """Return a dense network trained on the sources; it prints what the labels said."""
    config = TrainConfig(
        datasets=tuple(map(str, range(len(parts)))),
        epochs=epochs,
        shares=(1,) * len(parts),
        augment=False,
        seed=seed,
        **options,
    )
    with settings(config):
        trunk = BACKBONES.get("dense_trunk")((FEATURES,))
        balancing = BALANCING.create(config.balancing)
        model = MultiTaskModel(trunk, TASKS, couplings, balancing)
    with contextlib.redirect_stdout(io.StringIO()) as log:
        fit(model, parts, config)
    print("\n".join(line for line in log.getvalue().splitlines() if line.startswith("After")))
    return model


def scores(model: MultiTaskModel, examples: Drawn) -> dict[str, float]:
    """Return class accuracy, attribute F1 and average precision in percent."""
    labels = {"kind": examples.kinds, "marks": examples.marks}
    found = evaluate(model, data.from_arrays(examples.features, labels, TASKS))
    return {
        "class accuracy": round(100 * found["kind"]["accuracy"], 1),
        "attribute F1": round(100 * found["marks"]["f1"], 1),
        "average precision": round(100 * found["marks"]["average_precision"], 1),
    }
