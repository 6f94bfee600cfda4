"""`fit` by itself has labels judge and teach tables, as a training by commands does."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

from mtl_dm import processes
from mtl_dm.losses.virtual import VIRTUAL

IMAGES = 20_000
"""Most images that are looked at."""


def judge_of(
    model: Any, stream: Any, epochs: int, steps: int | None, verbose: bool, given: Sequence[Any]
) -> list[Any]:
    """Return what judges a model's tables, and learns those that are to be learned; maybe nothing.

    It looks at an epoch of the training stream: at labels, and at what the model predicts of them.
    Nothing judges where there is no time between two epochs, the data are no `tf.data` stream of
    (inputs, labels, masks), or several processes see different parts of them.

    Args:
        model: The model.
        stream: What `fit` is given to train on.
        epochs: Likewise.
        steps: Of an epoch; None: the stream ends by itself.
        verbose: Print a line for every judgement.
        given: The user's callbacks; one that learns tables is enough.
    """
    wanted = any(coupling.learned or coupling.trusts for coupling in model.couplings)
    if not wanted or epochs < 2 or processes.count() > 1 or not _is_labelled_stream(stream):
        return []
    # Trainings know models, not the other way round; and a model needs no tf.data.
    learning = importlib.import_module("mtl_dm.training.learning")
    if any(isinstance(each, learning.LearnRelatedness) for each in given):
        return []
    images = (stream if steps is None else stream.take(steps)).unbatch()
    if VIRTUAL in stream.element_spec[1]:
        images = images.filter(lambda inputs, labels, masks: labels[VIRTUAL] == 0)
    first, every = learning.schedule(epochs)
    return [learning.LearnRelatedness([images.take(IMAGES)], first, every, verbose=verbose)]


def _is_labelled_stream(stream: Any) -> bool:
    tensorflow = sys.modules.get("tensorflow")  # What was not imported has made no stream.
    if tensorflow is None or not isinstance(stream, tensorflow.data.Dataset):
        return False
    spec = stream.element_spec
    return isinstance(spec, tuple) and len(spec) == 3 and isinstance(spec[1], dict)
