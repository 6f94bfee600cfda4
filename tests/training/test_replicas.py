"""Two replicas end in the weights of one device on the same global batches."""

import os
import subprocess
import sys

import pytest


# Convolutions in float16 are left out: half a batch rounds differently from a whole one.
@pytest.mark.parametrize(
    ("backbone", "precision"),
    [("dense_trunk", "float32"), ("dense_trunk", "float16"), ("compact_cnn", "float32")],
)
def test_two_replicas_equal_one_device(backbone, precision):
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.replicas", backbone, precision],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    name, weights, logs = done.stdout.split()
    assert name == "difference"
    assert float(weights) < 1e-5
    assert float(logs) < 1e-5
