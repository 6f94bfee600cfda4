"""What methods of losses remember is all they need to go on exactly."""

import numpy as np
import pytest

from mtl_dm.balancing import BALANCING
from tests.balancing.steps import batches, numpy, prepared, seen, tensor

METHODS = ("dwa", "lbtw", "rlw", "imtl_l", "famo", "stch", "gls")
EPOCHS = [batches(3, seed) for seed in range(4)]


def run(method, epochs):
    found = []
    for epoch in epochs:
        method.begin_epoch()
        for losses, present in epoch:
            step = seen(losses, present)
            found.append(numpy(method.weigh(step)))
            method.update(step)
            if method.looks_after:
                method.after_step(step, tensor(0.7 * losses**1.1 * present))
    return found


@pytest.mark.parametrize("name", METHODS)
def test_a_copy_of_the_memory_goes_on_exactly(name):
    method, copy = (prepared(BALANCING.create(name)) for _ in range(2))
    first = run(method, EPOCHS[:2])
    for old, new in zip(method.variables, copy.variables, strict=True):
        new.assign(numpy(old))
    got, want = run(copy, EPOCHS[2:]), run(method, EPOCHS[2:])
    np.testing.assert_array_equal(got, want)
    if method.non_trainable_variables:
        assert np.any(np.array(run(prepared(BALANCING.create(name)), EPOCHS[2:])) != want)
    assert np.isfinite(first).all()
