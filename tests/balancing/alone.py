"""Steps that a balancing method takes by itself, without a model."""

import keras
import numpy as np

from mtl_dm.balancing import Seen

NAMES = ("expression", "action_units", "distribution_matching")


def prepare(method, names=NAMES):
    method.prepare(names)
    if method.uses_features:
        method.prepare_features(dict.fromkeys(NAMES, keras.KerasTensor((None, 6))))
    return method


def seen(names=NAMES, seed=0, absent=(), size=1.0):
    """A step: the terms' losses, and the Gram matrix of gradients in 5 dimensions."""
    rng = np.random.default_rng(seed)
    drawn = {name: (rng.uniform(0.2, 3.0), rng.normal(size=5)) for name in NAMES}
    present = np.array([name not in absent for name in names], np.float32)
    losses = size * np.array([drawn[name][0] for name in names], np.float32) * present
    rows = size * np.stack([drawn[name][1] for name in names]) * present[:, None]
    arrays = [keras.ops.convert_to_tensor(a.astype("float32")) for a in (losses, present)]
    gram = keras.ops.convert_to_tensor((rows @ rows.T).astype(np.float32))
    features = dict.fromkeys(NAMES, keras.ops.ones((4, 6)))
    return Seen(tuple(names), *arrays, gram, features)


def weights_of(method, step):
    found = method.weigh(step)
    if found is None:
        return np.ones(len(step.names), np.float32)
    return keras.ops.convert_to_numpy(found)


def take(method, step):
    """The weights of a step, an epoch of its own, after which the method remembers it."""
    method.begin_epoch()
    weights = weights_of(method, step)
    method.update(step)
    if method.looks_after:
        method.after_step(step, 0.7 * step.losses**1.1)
    return weights


def memory_of(method):
    return [keras.ops.convert_to_numpy(each) for each in method.non_trainable_variables]
