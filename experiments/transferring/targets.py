"""The targets: what is to be learned from how many images, and how it is measured.

Shapes: N images, L labels or numbers of each.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras
import numpy as np

from experiments.transferring.images import FOLDS, PAIRS, Pool
from experiments.transferring.photos import DETECTED
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


class Rows(NamedTuple):
    """Images of a target.

    Attributes:
        places: In the pool, [N].
        labels: int64 [N] of classes or people, float32 [N, L] of labels or numbers.
    """

    places: np.ndarray
    labels: np.ndarray


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
        source: The source that was trained for this task on this kind of images; "": none was. On
            other images more may have been: `sources.knowing`.
        bounds: Of numbers.
    """

    name: str
    kind: str
    label: str
    train: str
    test: str
    source: str = ""
    unit: str = ""
    bounds: tuple[float, float] = (-1.0, 1.0)

    @property
    def metric(self) -> str:
        """Return the name of its metric."""
        return METRIC[self.kind]

    @property
    def fold(self) -> int | None:
        """Return the fold of its cells: halves of one pool share images over seeds, as folds do."""
        return 0 if self.unit else None


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
    Target("CMU identity", PEOPLE, "person", "cmu", "cmu", unit="person"),
    Target("CMU expression", CLASSES, "expression", "cmu", "cmu", unit="person"),
    Target("CMU sunglasses", CLASSES, "sunglasses", "cmu", "cmu", unit="person"),
    Target("CAD category", CLASSES, "category", "cad", "cad", unit="image"),
    Target("CAD gender", CLASSES, "gender", "cad", "cad", unit="image"),
)
NAMED = {target.name: target for target in TARGETS}


def targets_of(data_dir: str) -> tuple[Target, ...]:
    """Return the targets at hand; without a folder of data the drawn ones."""
    return TARGETS if data_dir else tuple(t for t in TARGETS if t.name.startswith("drawn"))


def training_rows(target: Target, pool: Pool, seed: int) -> Rows:
    """Return what a target is trained on; of people, those with several images.

    Raises:
        ValueError: If there is no row, or a class that is tested has none.
    """
    places, known = pool.places[target.train], pool.known[target.train][target.label]
    chosen = _labelled(target, known)
    if target.unit:
        chosen &= trains(target, pool, seed)
    kind = np.int64 if target.kind in (CLASSES, PEOPLE) else np.float32
    labels = known[chosen].astype(kind)
    if target.kind == PEOPLE:  # Those of a half are no numbers without gaps.
        labels = np.unique(labels, return_inverse=True)[1]
    rows = Rows(places[chosen], labels)
    require_rows(target, rows, None if target.kind == PEOPLE else testing_rows(target, pool, seed))
    return rows


def testing_rows(target: Target, pool: Pool, seed: int) -> Rows:
    """Return what a target is tested on; of people all images, whose pairs are told apart."""
    places, chosen = pool.places[target.test], _tested(target, pool, seed)
    if target.kind == PEOPLE:
        return Rows(places[chosen], np.zeros(int(chosen.sum()), np.int64))
    return Rows(places[chosen], pool.known[target.test][target.label][chosen])


def _tested(target: Target, pool: Pool, seed: int) -> np.ndarray:
    """Return which images of the test part a target is tested on, bool."""
    chosen = np.ones(len(pool.places[target.test]), bool)
    if target.kind != PEOPLE:
        chosen = _labelled(target, pool.known[target.test][target.label])
    return chosen & ~trains(target, pool, seed) if target.unit else chosen


def _labelled(target: Target, known: np.ndarray) -> np.ndarray:
    """Return which images have their labels, bool [N]; numbers may be below 0."""
    if target.kind == NUMBERS:
        return np.ones(len(known), bool)
    return (known.reshape(len(known), -1) >= 0).all(axis=1)


def trains(target: Target, pool: Pool, seed: int) -> np.ndarray:
    """Return which images of a target's one part are those of the half that trains, bool.

    Args:
        target: With a unit.
        pool: Has the images.
        seed: Draws the half of the units.
    """
    units = pool.known[target.train][target.unit]
    every = np.random.default_rng(seed).permutation(np.unique(units))
    return np.isin(units, every[: len(every) // 2])


def pairs_of(target: Target, pool: Pool, seed: int) -> tuple[np.ndarray, ...]:
    """Return the pairs that a target of people is tested on: first, second, same, fold.

    Args:
        target: Of people.
        pool: Has them; those of a half are drawn.
        seed: As for `testing_rows`, in whose rows first and second are places.
    """
    known = pool.known[target.test]
    if not target.unit:
        return tuple(known[name] for name in PAIRS)
    pairs = draw_pairs(known[target.label][_tested(target, pool, seed)], folds=FOLDS, seed=0)
    return tuple(np.asarray(getattr(pairs, name)) for name in PAIRS)


def require_rows(target: Target, train: Rows, test: Rows | None) -> None:
    """Check that a target can be learned.

    Args:
        target: The target.
        train: To learn from.
        test: Whose classes must be among them; None: nothing is asked of them.

    Raises:
        ValueError: If there is no training row, or none of a class that is tested.
    """
    if not len(train.places):
        raise ValueError(f"The target {target.name!r} has no training row.")
    if target.kind != CLASSES or test is None:
        return
    missing = sorted(set(test.labels.tolist()) - set(train.labels.tolist()))
    if missing:
        raise ValueError(
            f"The target {target.name!r} has no training row of class {missing[0]}, which is "
            "tested."
        )


def outputs_of(rows: Rows) -> int:
    """Return how many numbers a network of a target gives."""
    return int(rows.labels.max()) + 1 if rows.labels.ndim == 1 else rows.labels.shape[1]


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
        labels: Of `testing_rows`.
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


def verified(target: Target, pool: Pool, seed: int, embeddings: np.ndarray) -> dict[str, float]:
    """Return how well embeddings of the test images tell a target's pairs apart.

    Args:
        target: Of people.
        pool: Has the pairs.
        seed: As for `testing_rows`.
        embeddings: [N, D] of its rows.
    """
    first, second, same, fold = pairs_of(target, pool, seed)
    distances = pair_distances(embeddings[first], embeddings[second])
    found = verification_scores(distances, same, fold)
    return {name: found[name] for name in ("accuracy", "auc", "eer")}


def told_apart(embeddings: np.ndarray, people: np.ndarray) -> float:
    """Return the accuracy of pairs that are drawn of training people, to choose by."""
    pairs = draw_pairs(people, folds=2, seed=0)
    distances = pair_distances(embeddings[pairs.first], embeddings[pairs.second])
    return verification_scores(distances, pairs.same, pairs.fold)["accuracy"]


def detected_of(target: Target, pool: Pool, seed: int) -> np.ndarray | None:
    """Return whether a face was found on each test image, bool [N]; None: nobody looked."""
    found = pool.known[target.test].get(DETECTED)
    return None if found is None else found[_tested(target, pool, seed)]
