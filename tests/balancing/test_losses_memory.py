"""What methods of losses remember is all they need to go on exactly."""

import keras
import numpy as np
import pytest

from mtl_dm.balancing import BALANCING
from tests.balancing.steps import batches, numpy, prepared, seen, tensor
from tests.models.cases import coupled_model, dataset, random_batch

METHODS = ("dwa", "lbtw", "rlw", "imtl_l", "famo", "stch", "gls")
BEGIN = None
STREAM = [each for seed in range(4) for each in (BEGIN, *batches(3, seed))]
BREAK = 6
"""Within the second epoch."""


def run(method, stream):
    found = []
    for batch in stream:
        if batch is BEGIN:
            method.begin_epoch()
            continue
        losses, present = batch
        step = seen(losses, present)
        found.append(numpy(method.weigh(step)))
        method.update(step)
        if method.looks_after:
            method.after_step(step, tensor(0.7 * losses**1.1 * present))
    return np.array(found)


@pytest.mark.parametrize("name", METHODS)
def test_a_copy_of_the_memory_goes_on_exactly(name):
    method, copy = (prepared(BALANCING.create(name)) for _ in range(2))
    assert np.isfinite(run(method, STREAM[:BREAK])).all()
    for old, new in zip(method.variables, copy.variables, strict=True):
        new.assign(numpy(old))
    got, want = run(copy, STREAM[BREAK:]), run(method, STREAM[BREAK:])
    np.testing.assert_array_equal(got, want)
    if method.non_trainable_variables:
        assert np.any(run(prepared(BALANCING.create(name)), STREAM[BREAK:]) != want)


@pytest.mark.parametrize("name", [name for name in METHODS if BALANCING.get(name).counts_epochs])
def test_a_model_that_its_first_batch_builds_can_be_fitted(name):
    backbone = keras.Sequential([keras.layers.Dense(4)])
    model = coupled_model(backbone, (), balancing=BALANCING.create(name))
    model.compile("sgd", run_eagerly=True)
    logs = model.fit(dataset(random_batch(), 10), epochs=2, verbose=0, shuffle=False).history
    assert np.isfinite(logs["loss"]).all()
