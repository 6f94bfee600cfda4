"""Compound expressions from a few labelled images each, on features that are not trained further.

The protocol is this project's: k images of every class are drawn, a classifier is fitted to their
features, and the test images are classified; draws are repeated.

Shapes: N images to draw from, T test images, D features, K classes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mtl_dm.compound.judging import unweighted_average_recall
from mtl_dm.registry import Registry

Classifier = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
CLASSIFIERS: Registry[Classifier] = Registry("few-shot classifier")
SHOTS = (1, 5, 10)
"""Images of a class that are drawn."""


def unit_length(features: np.ndarray) -> np.ndarray:
    """Return features [N, D] scaled to length 1; rows of zeros stay."""
    features = np.asarray(features, np.float64)
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(length > 0, length, 1.0)


@CLASSIFIERS.register("class_means")
def class_means(features: np.ndarray, ids: np.ndarray, tested: np.ndarray) -> np.ndarray:
    """Return the class whose mean is nearest, by Euclidean distance.

    Args:
        features: [N, D].
        ids: Class ids [N].
        tested: [T, D].

    Returns:
        Class ids [T]; of means at the same distance the lower id.
    """
    classes = np.unique(ids)
    means = np.stack([features[ids == each].mean(axis=0) for each in classes])
    # |x - m|^2 without the part that is the same for all classes.
    distance = (means**2).sum(axis=1) - 2.0 * tested @ means.T
    return classes[distance.argmin(axis=1)]


@CLASSIFIERS.register("logistic_regression")
def logistic_regression(features: np.ndarray, ids: np.ndarray, tested: np.ndarray) -> np.ndarray:
    """Return the class that scikit-learn's logistic regression predicts, at its default penalty.

    Args:
        features: [N, D].
        ids: Class ids [N].
        tested: [T, D].

    Returns:
        Class ids [T].

    Raises:
        ImportError: If scikit-learn is not installed.
    """
    try:
        linear = importlib.import_module("sklearn.linear_model")
        threads = importlib.import_module("threadpoolctl")  # scikit-learn's own
    except ImportError as error:
        raise ImportError(
            "The few-shot classifier 'logistic_regression' needs scikit-learn: "
            "pip install 'mtl-dm[compound]'"
        ) from error
    model = linear.LogisticRegression(max_iter=1000)
    # So few rows gain nothing by more threads, which on a busy machine wait for each other.
    with threads.threadpool_limits(1):
        return np.asarray(model.fit(features, ids).predict(tested))


def draw(
    ids: np.ndarray, classes: Mapping[int, str], k: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the places of k images of each class, drawn without replacement.

    Args:
        ids: Class ids [N].
        classes: The ids to draw from, with their names.
        k: At least 1.
        rng: Source of randomness.

    Raises:
        ValueError: If k is below 1 or larger than a class.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}.")
    counts = {name: int((ids == each).sum()) for each, name in classes.items()}
    short = [f"{name} has {count}" for name, count in counts.items() if count < k]
    if short:
        raise ValueError(
            f"k must not be larger than a class: {k} images of each were asked for, "
            f"{', '.join(short)}."
        )
    return np.concatenate(
        [rng.choice(np.flatnonzero(ids == each), k, replace=False) for each in classes]
    )


def few_shot(
    support: tuple[np.ndarray, np.ndarray],
    tested: tuple[np.ndarray, np.ndarray],
    names: Sequence[str],
    k: int,
    classifier: str = "class_means",
    draws: int = 20,
    seed: int = 0,
) -> np.ndarray:
    """Return the unweighted average recall of each draw, [draws].

    Source: this project; the papers' own protocol was not found. Features are scaled to unit
    length, classes are those of the test images, and a draw is the same for every classifier.

    Args:
        support: Features [N, D] and class ids [N] of images to draw from.
        tested: Features [T, D] and class ids [T] of the test images, none of them in `support`.
        names: Of the classes, [K].
        k: Images drawn of every class.
        classifier: Name in `CLASSIFIERS`.
        draws: How many.
        seed: Of the draws.

    Raises:
        ValueError: If the classifier is unknown, there is no draw, or k is larger than a class.
        ImportError: If a classifier needs what is not installed.
    """
    predict = CLASSIFIERS.get(classifier)
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}.")
    features, ids = unit_length(support[0]), np.asarray(support[1])
    others, labels = unit_length(tested[0]), np.asarray(tested[1])
    classes = {each: names[each] for each in np.unique(labels).tolist()}
    found = []
    for number in range(draws):
        chosen = draw(ids, classes, k, np.random.default_rng([seed, k, number]))
        predicted = predict(features[chosen], ids[chosen], others)
        found.append(unweighted_average_recall(labels, predicted, len(names)))
    return np.array(found)
