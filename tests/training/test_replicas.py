"""Two replicas end in the weights of one device on the same global batches."""

import json
import os
import sys

import pytest

from tests.progress import run
from tests.training import replicas


@pytest.fixture(scope="module")
def differences():
    output, _ = run(
        [sys.executable, "-m", "tests.training.replicas"],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return json.loads(output.splitlines()[-1])


# Of all methods, and in float16: tests/models/steps/test_same.py.
@pytest.mark.parametrize("backbone", replicas.MIXES)
def test_two_replicas_equal_one_device(backbone, differences):
    found = differences[backbone]
    assert found["weights"] < 1e-5
    assert found["logs"] < 1e-5
    # Relative, at weights that differ by as much: ten times as much.
    assert found["gradients"] < 1e-4
