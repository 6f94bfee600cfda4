"""Dynamic weight average against its formula in NumPy."""

import numpy as np
import pytest

from mtl_dm.balancing import DWA
from tests.balancing.steps import batches, numpy, prepared, softmax, weighed


def averaged(epochs, temperature):
    """Weights of every batch: a term's epoch means are a list of all it ever had."""
    means, found = [[], [], []], []
    for epoch in epochs:
        ratios = np.array([each[-1] / each[-2] if len(each) > 1 else 1.0 for each in means])
        for _, present in epoch:
            here, weights = present > 0, np.zeros(3)
            weights[here] = here.sum() * softmax(ratios[here] / temperature)
            found.append(weights)
        for term, each in enumerate(means):
            losses = [losses[term] for losses, present in epoch if present[term]]
            if losses:
                each.append(np.mean(losses))
    return found


def test_as_in_numpy_over_epochs_with_absent_terms():
    method = prepared(DWA(temperature=0.7))
    epochs = [batches(2, seed) for seed in range(8)]
    for index, term in ((2, 0), (4, 1)):  # Absent for a whole epoch.
        for _, present in epochs[index]:
            present[:] = 1.0
            present[term] = 0.0
    got = []
    for epoch in epochs:
        method.begin_epoch()
        got += [weighed(method, *batch) for batch in epoch]
    np.testing.assert_allclose(got, averaged(epochs, 0.7), rtol=1e-5)


def test_by_hand():
    # Means 4 then 2: r = 1/2. Means 1 then 1: r = 1. With tau = 2 the weights are in proportion to
    # exp(1/4) and exp(1/2), and sum to 2. The first two epochs have equal weights.
    method = prepared(DWA(), "ab")
    for epoch in ([(5, 1), (3, 1)], [(2, 0.5), (2, 1.5)]):
        method.begin_epoch()
        for losses in epoch:
            np.testing.assert_allclose(weighed(method, losses), [1.0, 1.0])
    method.begin_epoch()
    want = 2 * np.exp([0.25, 0.5]) / np.exp([0.25, 0.5]).sum()
    np.testing.assert_allclose(weighed(method, (9.0, 9.0)), want, rtol=1e-6)


def test_an_epoch_without_a_step_is_none():
    method = prepared(DWA(), "ab")
    for losses in ((4.0, 1.0), (2.0, 1.0)):
        method.begin_epoch()
        weighed(method, losses)
    method.begin_epoch()
    before = [numpy(each) for each in method.variables]
    method.begin_epoch()
    for old, new in zip(before, method.variables, strict=True):
        np.testing.assert_array_equal(numpy(new), old)


def test_a_loss_that_was_0_has_no_ratio():
    method = prepared(DWA(), "ab")
    for losses in ((0.0, 1.0), (3.0, 1.0)):
        method.begin_epoch()
        weighed(method, losses)
    method.begin_epoch()
    np.testing.assert_allclose(weighed(method, (1.0, 1.0)), [1.0, 1.0])


@pytest.mark.parametrize("temperature", [0, -1.0, np.nan, np.inf])
def test_refuses_a_temperature_out_of_range(temperature):
    with pytest.raises(ValueError, match="temperature of DWA must be finite and > 0, got"):
        DWA(temperature=temperature)
