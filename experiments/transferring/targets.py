"""The targets: what is to be learned from which images, and how it is measured.

Shapes: N images, L labels or numbers of each.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np

from mtl_dm.data.pairs import draw_pairs
from mtl_dm.metrics import (
    correct_where_detected,
    mid_range_where_undetected,
    pair_distances,
    verification_scores,
)

CLASSES, LABELS, NUMBERS, PEOPLE = "classes", "labels", "numbers", "people"
METRIC = {CLASSES: "accuracy", LABELS: "error_rate", NUMBERS: "mae", PEOPLE: "accuracy"}
"""By kind, the metric of the paper's Table 3."""
LOWER_IS_BETTER = ("error_rate", "mae")
RULED = "_undetected_wrong"
"""Behind a metric's name: the paper's rule for images in which no face was found."""
TASK = "target"


@dataclasses.dataclass(frozen=True)
class Target:
    """One target.

    Attributes:
        name: Its column.
        kind: One of `METRIC`.
        label: Name of its labels.
        train: The part of the images to train on.
        test: The part to test on.
        unit: Where `train` and `test` are one part, the name of what is known of whom or what a
            half trains and the other one is tested; every seed draws its halves.
        fold: Which of the halves is tested, 0 or 1; None where there are none.
        source: The source whose own answer is measured, for it was trained for this task on this
            kind of images; "": none's is. Others may know the task too: `sources.knowing`.
        bounds: Of numbers.
    """

    name: str
    kind: str
    label: str
    train: str
    test: str
    source: str = ""
    unit: str = ""
    fold: int | None = None
    bounds: tuple[float, float] = (-1.0, 1.0)

    @property
    def metric(self) -> str:
        """Return the name of its metric."""
        return METRIC[self.kind]


TARGETS = (
    Target("drawn valence-arousal", NUMBERS, "valence_arousal", "drawn_train", "drawn_test"),
    Target("drawn identity", PEOPLE, "person", "people_train", "people_test", "drawn_identity"),
    Target(
        "drawn expression", CLASSES, "expression", "drawn_train", "drawn_test", "drawn_expression"
    ),
    Target(
        "drawn action units",
        LABELS,
        "action_units",
        "drawn_train",
        "drawn_test",
        "drawn_action_units",
    ),
    Target("FER2013 expression", CLASSES, "expression", "fer_train", "fer_test", "small_faces"),
    Target("LFW identity", PEOPLE, "person", "lfw_train", "lfw_test"),
    Target("LFW facial movements", LABELS, "facial_movements", "movements_train", "lfw_test"),
    Target("CMU identity", PEOPLE, "person", "cmu", "cmu", unit="person", fold=0),
    Target("CMU expression", CLASSES, "expression", "cmu", "cmu", unit="person", fold=0),
    Target("CMU sunglasses", CLASSES, "sunglasses", "cmu", "cmu", unit="person", fold=0),
    Target("CAD category", CLASSES, "category", "cad", "cad", unit="image", fold=0),
    Target("CAD gender", CLASSES, "gender", "cad", "cad", unit="image", fold=0),
)
NAMED = {target.name: target for target in TARGETS}


def targets_of(data_dir: str) -> tuple[Target, ...]:
    """Return the targets at hand; without a folder of data the drawn ones."""
    return TARGETS if data_dir else tuple(t for t in TARGETS if t.name.startswith("drawn"))


def loss_of(kind: str) -> keras.losses.Loss:
    """Return the loss of a kind of target, of logits."""
    made: Mapping[str, Callable[[], keras.losses.Loss]] = {
        CLASSES: lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        PEOPLE: lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        LABELS: lambda: keras.losses.BinaryCrossentropy(from_logits=True),
        NUMBERS: keras.losses.MeanSquaredError,
    }
    return made[kind]()


def scores(
    target: Target, found: np.ndarray, labels: np.ndarray, detected: np.ndarray | None = None
) -> dict[str, float]:
    """Return the target's metric, and beside it by the rule for undetected faces.

    Args:
        target: Of classes, labels or numbers.
        found: What a network gives, [N, L].
        labels: Of `rows.testing_rows`.
        detected: Whether a face was found, bool [N]; None: the rule is left out.
    """
    values = {target.metric: _score(target, found, labels, None)}
    if detected is not None:
        values[target.metric + RULED] = _score(target, found, labels, detected)
    return values


def _score(
    target: Target, found: np.ndarray, labels: np.ndarray, detected: np.ndarray | None
) -> float:
    every = np.ones(len(found), bool) if detected is None else detected
    if target.kind == NUMBERS:
        ruled = mid_range_where_undetected(found, every, *target.bounds)
        return float(np.abs(ruled - labels).mean())
    right = found.argmax(axis=1) == labels if target.kind == CLASSES else (found > 0) == labels
    share = float(correct_where_detected(right, every).mean())
    return share if target.kind == CLASSES else 1.0 - share


def verified(embeddings: np.ndarray, pairs: Sequence[np.ndarray]) -> dict[str, float]:
    """Return how well embeddings of the test images tell pairs apart.

    Args:
        embeddings: [N, D] of the rows that are tested.
        pairs: First, second, same, fold; of `rows.pairs_of`.
    """
    first, second, same, fold = pairs
    distances = pair_distances(embeddings[first], embeddings[second])
    found = verification_scores(distances, same, fold)
    return {name: found[name] for name in ("accuracy", "auc", "eer")}


def told_apart(embeddings: np.ndarray, people: np.ndarray) -> float:
    """Return the accuracy of pairs that are drawn of training people, to choose by."""
    pairs = draw_pairs(people, folds=2, seed=0)
    distances = pair_distances(embeddings[pairs.first], embeddings[pairs.second])
    return verification_scores(distances, pairs.same, pairs.fold)["accuracy"]
