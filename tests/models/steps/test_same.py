"""Steps are the same on one device, on two replicas, and on JAX, and so are methods' weights."""

import importlib.util
import os
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests import progress
from tests.balancing import methods
from tests.models.steps import program

ROOT = Path(__file__).parents[3]


def run(how, folder, **environment):
    path = folder / f"{how}.npz"
    progress.run(
        [sys.executable, "-m", "tests.models.steps.program", how, path],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", **environment},
    )
    with np.load(path) as content:
        return dict(content)


@pytest.fixture(scope="module")
def one():
    policy = keras.config.dtype_policy()
    yield program.all_cases()
    keras.config.set_dtype_policy(policy)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return run("two", tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def jax(tmp_path_factory):
    if importlib.util.find_spec("jax") is None:
        pytest.skip("needs JAX: pip install 'mtl-dm[jax]'")
    folder = tmp_path_factory.mktemp("jax")
    quickly = progress.QUICKLY_COMPILED
    return run("one", folder, KERAS_BACKEND="jax", JAX_PLATFORMS="cpu", **quickly)


def part(values, case):
    prefix = f"{program.key(*case)}/"
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }


# Half precision rounds activations and gradients at 1e-3 of their size; with a learning rate of
# 0.05 and two steps some 1e-4 of that stays, and an objective whose weights are the reciprocals
# of small gradients moves more than any of its terms.
@pytest.mark.parametrize(
    ("other", "case"),
    [
        pytest.param(other, case, id=f"{other}: {program.key(*case)}")
        for other, cases in (("two", program.CASES), ("jax", program.ON_JAX))
        for case in cases
    ],
)
def test_the_same_weights_and_logs(other, case, one, request):
    want, got = part(one, case), part(request.getfixturevalue(other), case)
    assert set(got) == set(want)
    assert any(name.startswith("weight/") for name in want)
    assert np.isfinite(want["log/loss"]).all()
    limit = 3e-5 if case[1] == program.FULL else 2e-3
    for name, value in want.items():
        np.testing.assert_allclose(got[name], value, rtol=limit, atol=limit, err_msg=name)


@pytest.fixture(scope="module")
def weighed():
    return program.all_weighed()


@pytest.mark.parametrize("name", methods.ALL)
def test_every_method_weighs_and_remembers_the_same_on_jax(name, weighed, jax):
    def found(values):
        return {part: value for part, value in values.items() if part.startswith(f"{name}/")}

    want, got = found(weighed), found(jax)
    assert set(got) == set(want)
    for part, value in want.items():
        np.testing.assert_allclose(got[part], value, rtol=3e-5, atol=3e-5, err_msg=part)


def test_a_step_that_overflows_on_one_replica_is_skipped_on_all(two):
    # Keras's loss scaler looks at the first replica alone.
    left_alone, scale_halved = two["overflow"]
    assert left_alone
    assert scale_halved


def test_the_logged_objective_of_an_uneven_batch_is_that_of_one_device(two):
    want = program.uneven()
    for name, value in want.items():
        np.testing.assert_allclose(two[name], value, rtol=3e-5, err_msg=name)
