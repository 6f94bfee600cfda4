"""Every form is the same on two replicas as on one device with the same global batch."""

import json
import os
import sys

import pytest

from tests.losses import coupled
from tests.progress import run


@pytest.fixture(scope="module")
def report():
    output, _ = run(
        [sys.executable, "-m", "tests.losses.replicas"],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return json.loads(output.splitlines()[-1])


@pytest.mark.parametrize("form", coupled.forms())
def test_replicas_with_uneven_images_and_labels_equal_one_device(report, form):
    # Each image's gradient is the same, and so is any sum of them.
    got = report[form]
    assert got["two"] == pytest.approx(got["one"], rel=1e-5)
    assert got["gradient"] > 0.01
    assert got["gap"] < 1e-6


def test_the_rules_factors_are_those_of_the_global_batch_on_every_replica(report):
    one, two = report["factors"]["one"], report["factors"]["two"]
    for want, replicas in zip(one, two, strict=True):
        assert 0 < want < 1
        assert replicas == [pytest.approx(want, rel=1e-6)] * 2
