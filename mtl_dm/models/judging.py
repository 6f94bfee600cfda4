"""`fit` by itself has labels judge and teach tables, as a training by commands does."""

from __future__ import annotations

import importlib
import sys
import weakref
from collections.abc import Sequence
from typing import Any

import keras

from mtl_dm import processes
from mtl_dm.losses.virtual import VIRTUAL

IMAGES = 20_000
"""Most images that are looked at: the first ones of an epoch."""
LONGEST = 20
"""Epochs of which a quarter passes before the first judgement, however many there are to be: a
callback may end the training early."""
BATCH = 32
"""Of a stream that does not say how many images its batches hold."""

_made: weakref.WeakSet[keras.callbacks.Callback] = weakref.WeakSet()


def is_made_here(callback: Any) -> bool:
    """Return whether a callback is that of an earlier `fit`, whose stream it looks at."""
    return callback in _made


def judge_of(
    model: Any, stream: Any, epochs: int, steps: int | None, verbose: bool, given: Sequence[Any]
) -> list[Any]:
    """Return what judges a model's tables, and learns those that are to be learned; maybe nothing.

    It looks at the beginning of an epoch of the training stream: at labels, and at what the model
    predicts of them. Nothing judges where there is no time between two epochs, the data are no
    `tf.data` stream of (inputs, labels, masks) with images of one size, or the launcher's processes
    see different parts of them.

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
    first, every = learning.schedule(min(epochs, LONGEST))
    judge = learning.LearnRelatedness(
        [images.take(IMAGES)],
        first,
        every,
        epochs=epochs,
        batch_size=_shapes(stream)[0][0] or BATCH,
        verbose=verbose,
    )
    _made.add(judge)
    return [judge]


def is_stream(data: Any) -> bool:
    """Return whether data are a `tf.data` stream."""
    tensorflow = sys.modules.get("tensorflow")  # What was not imported has made no stream.
    return tensorflow is not None and isinstance(data, tensorflow.data.Dataset)


def _is_labelled_stream(stream: Any) -> bool:
    if not is_stream(stream):
        return False
    spec = stream.element_spec
    if not (isinstance(spec, tuple) and len(spec) == 3):
        return False
    known = all(shape is not None and None not in shape[1:] for shape in _shapes(stream))
    return known and isinstance(spec[1], dict) and isinstance(spec[2], dict)


def _shapes(stream: Any) -> list[Any]:
    """Return the shapes of a batch's inputs; None: of unknown rank."""
    inputs = keras.tree.flatten(stream.element_spec[0])
    return [None if each.shape.rank is None else tuple(each.shape) for each in inputs]
