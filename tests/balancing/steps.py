"""Steps of losses for methods under test, and what every such test needs."""

import keras
import numpy as np

from mtl_dm.balancing import Seen

NAMES = ("a", "b", "c")


def tensor(values):
    return keras.ops.convert_to_tensor(np.asarray(values, np.float32))


def numpy(values):
    return keras.ops.convert_to_numpy(values)


def seen(losses, present=None, names=NAMES):
    present = np.ones(len(losses)) if present is None else np.asarray(present)
    return Seen(tuple(names[: len(losses)]), tensor(np.asarray(losses) * present), tensor(present))


def prepared(method, names=NAMES):
    method.prepare(names)
    return method


def batches(count, seed, terms=3):
    """Losses and presence of some batches; in each a term may be absent, never all are."""
    rng = np.random.default_rng(seed)
    losses = rng.uniform(0.2, 3.0, (count, terms))
    present = (rng.uniform(size=(count, terms)) < 0.7).astype(float)
    present[np.arange(count), rng.integers(terms, size=count)] = 1.0
    return list(zip(losses, present, strict=True))


def weighed(method, losses, present=None):
    """The weights of a batch, which the method then remembers."""
    step = seen(losses, present, method.names)
    weights = numpy(method.weigh(step))
    method.update(step)
    return weights


def softmax(scores):
    sizes = np.exp(scores - np.max(scores))
    return sizes / sizes.sum()
