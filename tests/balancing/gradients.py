"""Gradients of every kind, and what a method makes of their Gram matrix."""

import keras
import numpy as np

from mtl_dm.balancing import Seen

KINDS = ("independent", "lengths", "ill", "dependent", "alike", "conflicting")


def gradients(kind, terms, seed=0):
    """Rows [T, D]; of `ill` the Gram matrix has the condition number 1e6."""
    rng = np.random.default_rng([seed, terms])
    rows = rng.normal(size=(terms, 2 * terms + 3))
    if kind == "lengths":
        return rows * 10.0 ** rng.uniform(-2, 2, (terms, 1))
    if kind == "ill":
        left, _, right = np.linalg.svd(rows, full_matrices=False)
        return left @ np.diag(np.geomspace(1, 1e-3, terms)) @ right
    if kind == "dependent":  # Of a rank of half the number, 0 outside of their convex hull.
        rank = max(1, terms // 2)
        return np.abs(rng.normal(size=(terms, rank))) @ rng.normal(size=(rank, 2 * terms))
    if kind == "alike":
        return 0.1 * rows + rng.normal(size=2 * terms + 3)
    if kind == "conflicting":  # They almost sum to 0.
        return rows - 0.95 * rows.mean(axis=0)
    return rows


def tensor(values):
    return keras.ops.convert_to_tensor(np.asarray(values, np.float32))


def step(rows, losses=None, present=None, names=None):
    ones = np.ones(len(rows))
    names = tuple(f"t{place}" for place in range(len(rows))) if names is None else tuple(names)
    rows = np.asarray(rows, np.float64)
    losses, present = (ones if each is None else each for each in (losses, present))
    return Seen(names, tensor(losses), tensor(present), tensor(rows @ rows.T))


def weights(method, rows, **seen):
    """As float64: what follows shall not round."""
    seen = step(rows, **seen)
    if not method.names:
        method.prepare(seen.names)
    return keras.ops.convert_to_numpy(method.weigh(seen)).astype(np.float64)


def lengths(rows):
    return np.linalg.norm(rows, axis=-1)


def apart(one, other):
    """How far a vector is from another, in lengths of that."""
    return np.linalg.norm(one - other) / np.linalg.norm(other)
