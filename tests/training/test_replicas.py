"""Two replicas end in the weights of one device on the same global batches."""

import os
import subprocess
import sys

import pytest


# Convolutions in float16 are left out: half a batch rounds differently from a whole one.
@pytest.mark.parametrize(
    ("backbone", "precision", "balancing"),
    [
        ("dense_trunk", "float32", "total"),
        ("compact_cnn", "float32", "total"),
    ],
)
def test_two_replicas_equal_one_device(backbone, precision, balancing):
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.replicas", backbone, precision, balancing],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    name, weights, logs, gradients = done.stdout.split()
    assert name == "difference"
    # Activations and gradients in float16 round at 1e-3 of their size; a learning rate of 0.05 and
    # three steps leave some 1e-5 of that, more where more terms are summed.
    limit = 1e-5 if precision == "float32" else 1e-4
    assert float(weights) < limit
    assert float(logs) < limit
    # Relative, at weights that differ by `limit`: ten times as much.
    assert float(gradients) < 10 * limit
