"""A term with a loss and no gradient, as a coupling behind a closed gate, disturbs no other."""

import keras
import numpy as np
import pytest

from mtl_dm.balancing import BALANCING, Seen

GRADIENTS = np.array([[1.0, 0.2, 0.0], [0.1, 0.8, 0.3], [0.0, 0.0, 0.0]])
LOSSES = np.array([1.0, 0.7, 2.0])


def tensor(array):
    return keras.ops.convert_to_tensor(np.asarray(array, np.float32))


def seen(rows):
    names = ("a", "b", "c")[: len(rows)]
    chosen = LOSSES[: len(rows)]
    return Seen(names, tensor(chosen), tensor(np.ones(len(rows))), tensor(rows @ rows.T))


@pytest.mark.parametrize("name", ["gradnorm", "db_mtl"])
def test_the_others_are_weighed_as_without_it(name):
    weights = []
    for rows in (GRADIENTS, GRADIENTS[:2]):
        method = BALANCING.get(name)()
        method.prepare(seen(rows).names)
        for _ in range(100):
            method.learn(seen(rows))
        weights.append(keras.ops.convert_to_numpy(method.balance(seen(rows)))[:2])
    np.testing.assert_allclose(weights[0], weights[1], rtol=1e-4)
