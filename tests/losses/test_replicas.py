"""Every form, and CCC, are the same on two replicas as on one device with the same batch."""

import json
import os
import sys

import numpy as np
import pytest

from tests.losses import replicas
from tests.progress import run


@pytest.fixture(scope="module")
def report():
    output, _ = run(
        [sys.executable, "-m", "tests.losses.replicas"],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return json.loads(output.splitlines()[-1])


@pytest.mark.parametrize("form", replicas.cases())
def test_replicas_with_uneven_images_and_labels_equal_one_device(report, form):
    # Each image's gradient is the same, and so is any sum of them.
    got = report[form]
    assert got["two"] == pytest.approx(got["one"], rel=1e-5)
    assert got["gradient"] > 0.01
    assert got["gap"] < 1e-6


def test_the_ccc_of_two_replicas_is_numpys(report):
    arguments = replicas.values_of()
    losses = []
    for x, y, mask in zip(
        arguments["attribute_logits"].astype(float).T,
        arguments["labels"]["values"].astype(float).T,
        arguments["masks"]["values"].T,
        strict=True,
    ):
        x, y = x[mask > 0], y[mask > 0]
        covariance = np.cov(y, x, bias=True)
        spread = np.trace(covariance) + (y.mean() - x.mean()) ** 2
        losses.append(1 - 2 * covariance[0, 1] / spread)
    assert report[replicas.CCC]["two"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_the_rules_factors_are_those_of_the_global_batch_on_every_replica(report):
    one, two = report["factors"]["one"], report["factors"]["two"]
    for want, parts in zip(one, two, strict=True):
        assert 0 < want < 1
        assert parts == [pytest.approx(want, rel=1e-6)] * 2
