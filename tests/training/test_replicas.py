"""Two replicas end in the weights of one device on the same global batches."""

import os
import sys

import pytest

from tests.progress import run


# Of all methods, and in float16: tests/models/steps/test_same.py.
@pytest.mark.parametrize(
    ("backbone", "precision", "balancing", "mix"),
    [
        ("dense_trunk", "float32", "equal", "mix_augment"),
        ("compact_cnn", "float32", "equal", "none"),
    ],
)
def test_two_replicas_equal_one_device(backbone, precision, balancing, mix):
    output, _ = run(
        [sys.executable, "-m", "tests.training.replicas", backbone, precision, balancing, mix],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    name, weights, logs, gradients = output.split()
    assert name == "difference"
    # Activations and gradients in float16 round at 1e-3 of their size; a learning rate of 0.05 and
    # three steps leave some 1e-5 of that, more where more terms are summed.
    limit = 1e-5 if precision == "float32" else 1e-4
    assert float(weights) < limit
    assert float(logs) < limit
    # Relative, at weights that differ by `limit`: ten times as much.
    assert float(gradients) < 10 * limit
