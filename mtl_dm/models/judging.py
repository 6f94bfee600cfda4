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
    model: Any,
    stream: Any,
    epochs: int,
    steps: int | None,
    verbose: bool,
    given: Sequence[Any],
    done: int = 0,
) -> list[Any]:
    """Return what judges a model's tables, and learns those that are to be learned; maybe nothing.

    It looks at the sources of a stream that `mtl_dm.data.merge` has made, of any other one at the
    beginning of an epoch, where an image may come again: at labels, and at what the model predicts
    of them. Nothing judges where there is no time between two epochs, the data are no
    `tf.data` stream of (inputs, labels) or (inputs, labels, masks) with images of one size, or the
    launcher's processes see different parts of them; then it is said, and what an interrupted
    training has held is let go.

    Args:
        model: The model.
        stream: What `fit` is given to train on.
        epochs: Likewise.
        steps: Of an epoch; None: the stream ends by itself.
        verbose: Print a line for every judgement.
        given: The user's callbacks; one that learns tables is enough.
        done: Epochs that `fit` is told are done.

    Raises:
        ValueError: If a relation is to be learned from data that cannot be looked at.
    """
    wanted = [each for each in model.couplings if each.learned or each.trusts]
    if not wanted:
        return []
    # Trainings know models, not the other way round; and a model needs no tf.data.
    learning = importlib.import_module("mtl_dm.training.learning")
    if any(isinstance(each, learning.LearnRelatedness) for each in given):
        return []
    obstacle = _obstacle(stream, epochs - done)
    if obstacle is not None:
        if epochs > 1:  # Of a single epoch the guide says so.
            _say_or_refuse(wanted, obstacle, verbose, epochs - done)
        if any(gate.held for gate in model.gates.values()):
            learning.end_warm_up(model)  # Which a training that was interrupted has begun.
        return []
    first, every = learning.schedule(min(epochs, LONGEST))
    judge = learning.LearnRelatedness(
        importlib.import_module("mtl_dm.data.merging").sources_of(stream)
        or [_images_of(stream, steps)],
        first,
        every,
        epochs=epochs,
        batch_size=_shapes(stream)[0][0] or BATCH,
        verbose=verbose,
    )
    _made.add(judge)
    return [judge]


def _images_of(stream: Any, steps: int | None) -> Any:
    """Return the images of the beginning of an epoch."""
    if len(stream.element_spec) == 2:
        stream = stream.map(lambda inputs, labels: (inputs, labels, {}))
    images = (stream if steps is None else stream.take(steps)).unbatch()
    if VIRTUAL in stream.element_spec[1]:
        images = images.filter(lambda inputs, labels, masks: labels[VIRTUAL] == 0)
    return images.take(IMAGES)


def _obstacle(stream: Any, epochs: int) -> str | None:
    """Return why nothing can look at the data between epochs; None: something can."""
    if epochs < 2:
        return "that happens between two epochs, there is one"
    if processes.count() > 1:
        return "the launcher's processes see different parts of the data"
    if not _is_labelled_stream(stream):
        return (
            "it looks at a tf.data stream of (images, labels, masks) with images of one size, "
            f"and this is {type(stream).__name__}"
        )
    return None


def _say_or_refuse(couplings: Sequence[Any], obstacle: str, verbose: bool, epochs: int) -> None:
    """Say which given relations are believed; refuse where one was to be learned and never will.

    A single epoch may be one of many calls of `fit`, with a callback that learns in others.
    """
    words = importlib.import_module("mtl_dm.training.judgement_words")
    for coupling in couplings:
        if coupling.learned and epochs > 1:
            raise ValueError(
                f"Coupling learned=True: {words.subject(coupling)} cannot be learned: {obstacle}. "
                "Give fit a stream, or mtl_dm.training.learning.LearnRelatedness as a callback."
            )
        if verbose and not coupling.learned:
            print(words.unjudged(coupling, obstacle), flush=True)


def is_stream(data: Any) -> bool:
    """Return whether data are a `tf.data` stream."""
    tensorflow = sys.modules.get("tensorflow")  # What was not imported has made no stream.
    return tensorflow is not None and isinstance(data, tensorflow.data.Dataset)


def _is_labelled_stream(stream: Any) -> bool:
    if not is_stream(stream):
        return False
    spec = stream.element_spec
    if not (isinstance(spec, tuple) and len(spec) in (2, 3)):
        return False
    known = all(shape is not None and None not in shape[1:] for shape in _shapes(stream))
    return known and all(isinstance(each, dict) for each in spec[1:])


def _shapes(stream: Any) -> list[Any]:
    """Return the shapes of a batch's inputs; None: of unknown rank."""
    inputs = keras.tree.flatten(stream.element_spec[0])
    return [None if each.shape.rank is None else tuple(each.shape) for each in inputs]
