"""Two processes give the result of one, also when one is killed on the way and one goes on."""

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from mtl_dm import processes
from mtl_dm.models.backbones.normalization import GlobalBatchNormalization
from mtl_dm.outputs import LOCK
from tests import built_faces
from tests.progress import QUICKLY_COMPILED, Program, compiled_once

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="needs JAX: pip install 'mtl-dm[jax]'"
)


def network():
    """One layer of each kind that knows of the batch or draws: every program compiles it."""
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(8, 3, strides=4, padding="same", use_bias=False)(inputs)
    x = keras.layers.ReLU()(GlobalBatchNormalization(momentum=0.9)(x))
    return keras.Model(inputs, keras.layers.Dropout(0.4)(keras.layers.Flatten()(x)))


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    faces = built_faces.built_faces(tmp_path_factory)
    backbone = tmp_path_factory.mktemp("network") / "small.keras"
    network().save(backbone)
    return [
        f"--backbone={backbone}",
        f"--datasets={built_faces.EXPRESSIONS_ONLY},{built_faces.UNITS_ONLY}",
        f"--validation={built_faces.ANNOTATED}:validation",
        f"--data_dir={faces}",
        # Every set records valence and arousal: a CCC, and moments, of the global batch.
        "--tasks=expression,action_units,valence_arousal",
        "--task_losses=valence_arousal=ccc",
        "--coupling=circumplex(relation=russell, target=valence_arousal, gate=False)",
        "--relatedness=learned",
        "--matching_form=paper",
        "--brake",
        "--learning_rate=0.01",
        "--image_size=16",
        "--batch_size=8",
        "--epochs=3",
        "--steps_per_epoch=2",
    ]


@pytest.fixture
def started(tmp_path, tmp_path_factory):
    """Starts programs of which nothing is left afterwards."""
    compiled = compiled_once(tmp_path_factory.mktemp("compiled"))
    with contextlib.ExitStack() as stack:

        def start(*command):
            environment = {
                **os.environ,
                **QUICKLY_COMPILED,
                **compiled,
                "KERAS_BACKEND": "jax",
                "JAX_PLATFORMS": "cpu",
                "CUDA_VISIBLE_DEVICES": "",
                "PYTHONUNBUFFERED": "1",  # so that it is heard while it goes on
            }
            command = [sys.executable, "-m", *command]
            return stack.enter_context(Program(command, tmp_path, env=environment))

        yield start


def finish(program):
    status = program.finish()
    return status, program.output + program.errors


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def process_number(launcher, number):
    """Return the id of one of the launcher's children."""
    wanted = f"{processes.PROCESS}={number}".encode()
    listed = Path(f"/proc/{launcher}/task/{launcher}/children").read_text(encoding="ascii")
    children = [int(pid) for pid in listed.split()]
    for pid in children:
        if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            return pid
    raise AssertionError(f"no process {number} among {children}")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_two_processes_killed_and_restarted_equal_one(flags, started, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    status, text = finish(started("mtl_dm.train", *flags, f"--output={one}"))
    assert status == 0, text[-2000:]
    # Both, the brake and the relatedness, come from all processes' images and are kept in a state.
    assert "is reduced to 0.5 of its factor" in text
    assert "After epoch 2: relatedness learned from 112 images." in text

    command = ("mtl_dm.launch", "--processes=2", "--", *flags, f"--output={two}")
    first = started(*command)
    first.until((two / "state" / "epoch00001.npz").is_file)
    os.kill(process_number(first.child.pid, 1), signal.SIGKILL)
    status, text = finish(first)
    assert status == 1
    assert "error: process" in text
    assert "resumes" in text
    assert not (two / "run.json").exists()
    left = shutil.copytree(two, tmp_path / "left", ignore=shutil.ignore_patterns(LOCK))

    status, text = finish(started(*command))
    assert status == 0, text[-2000:]
    assert "Epoch 1/3" not in text  # The restart went on.
    assert_same_run(two, one)
    # What two processes left, one can end as well.
    status, text = finish(started("mtl_dm.train", *flags, f"--output={left}"))
    assert status == 0, text[-2000:]
    assert "Epoch 1/3" not in text
    assert_same_run(left, one)


def assert_same_run(found, wanted):
    expected, actual = (read(folder / "run.json")["history"] for folder in (wanted, found))
    assert set(actual) == set(expected)
    assert {"valence_arousal_loss", "circumplex_moment_matching_loss"} <= set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(actual[name], values, rtol=1e-4, atol=1e-4, err_msg=name)
    expected, actual = (read(folder / "relatedness_0_learned.json") for folder in (wanted, found))
    assert "Learned during training" in expected["citation"]
    assert set(actual) == set(expected)
    for name in ("conditional", "prior", "counts"):
        np.testing.assert_allclose(actual[name], expected[name], rtol=1e-3, atol=1e-3)
    # Process 1 left nothing of its own.
    assert {path.name for path in found.iterdir()} == {path.name for path in wanted.iterdir()}
