"""The same weights, batches and steps give the same results on JAX and on TensorFlow."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.backends import steps
from tests.progress import QUICKLY_COMPILED, run

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="needs JAX: pip install 'mtl-dm[jax]'"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What either backend ends with, in a folder of its name; both start from the same weights."""
    parent = tmp_path_factory.mktemp("steps")
    for name in ("start", "tensorflow", "jax"):
        (parent / name).mkdir()
    policy = keras.config.dtype_policy()
    steps.main(parent / "start", parent / "tensorflow")
    keras.config.set_dtype_policy(policy)
    environment = {
        **os.environ,
        **QUICKLY_COMPILED,
        "KERAS_BACKEND": "jax",
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
    }
    command = [sys.executable, "-m", "tests.backends.on_jax", parent / "start", parent / "jax"]
    run(command, cwd=ROOT, env=environment)
    return parent


def results(case, backend, folder):
    with np.load(folder / backend / f"{case}.npz") as content:
        values = {name: content[name] for name in content.files}
    assert json.loads(str(values.pop("about")))["backend"] == backend
    return values


def is_rate(name):
    return name.endswith(("_accuracy", "_f1", "_afa"))


# bfloat16 keeps 8 bits, so a value is rounded by up to 2^-9 = 0.002 of itself, and the backends
# sum in another order: one dense layer stays within 1e-3, five convolutions with batch
# normalisation over two epochs within 3e-2. A logit near 0 may then fall to the other side, so
# rates of hits say nothing there.
@pytest.mark.parametrize(
    ("case", "tolerance", "rates"),
    [
        ("vectors", 1e-5, True),
        ("vectors_bfloat16", 1e-3, True),
        ("images", 1e-4, True),
        ("images_bfloat16", 3e-2, False),
    ],
)
def test_jax_trains_as_tensorflow_does(case, tolerance, rates, folder):
    expected = results(case, "tensorflow", folder)
    actual = results(case, "jax", folder)
    assert set(actual) == set(expected)
    for name, value in expected.items():
        if rates or not is_rate(name):
            np.testing.assert_allclose(
                actual[name], value, rtol=tolerance, atol=tolerance, err_msg=name
            )
    # What is compared is a training: the loss is finite and fell.
    loss = expected["log/loss"]
    assert np.all(np.isfinite(loss))
    assert loss[-1] < loss[0]


def test_jax_has_the_operations_of_every_network(folder):
    found = json.loads((folder / "jax" / "networks.json").read_text(encoding="utf-8"))
    assert not found["failed"]
    assert {"compact_cnn", "emoaffnet", "hse_nn"} <= set(found["traced"])
