import types

import numpy as np
import pytest
import tensorflow as tf

from mtl_dm import memory
from mtl_dm.encoders import ImageArray, cached
from mtl_dm.models import summary
from mtl_dm.reporting import gallery
from mtl_dm.training import assembly


def test_a_batch_that_cannot_fit_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr(memory, "machine_bytes", lambda: 2**30)
    memory.require_batch(64, (224, 224, 3))
    with pytest.raises(
        ValueError, match=r"1,000,000,000 inputs of the shape \(2,\) takes 7\.5 GiB"
    ):
        memory.require_batch(10**9, (2,))
    assert memory.machine_bytes() == 2**30


@pytest.mark.parametrize(
    ("group", "file"),
    [
        ("0::/job/step\n", "job/memory.max"),  # Version 2, a job of a cluster.
        ("0::/\n", "memory.max"),  # A container.
        ("4:cpu,memory:/job/step\n0::/\n", "memory/job/step/memory.limit_in_bytes"),
        ("4:memory:/named/outside\n", "memory/memory.limit_in_bytes"),
        (None, "memory/memory.limit_in_bytes"),
    ],
)
def test_a_container_or_job_may_have_less(group, file, monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    monkeypatch.setattr(memory, "OWN", tmp_path / "own")
    if group is not None:
        (tmp_path / "own").write_text(group)
    whole = memory.machine_bytes()
    told = tmp_path / file
    told.parent.mkdir(parents=True, exist_ok=True)
    for text, want in (("max\n", whole), ("4096\n", 4096), (f"{2**63 - 4096}\n", whole)):
        told.write_text(text)
        assert memory.machine_bytes() == want


def test_whoever_makes_batches_of_a_size_that_is_typed_looks_at_the_memory(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "machine_bytes", lambda: 2**22)
    stream = tf.data.Dataset.from_tensors((tf.zeros((64, 64, 3)), {}, {}))
    assembly.check_memory([stream], 16)
    with pytest.raises(ValueError, match=r"A batch of 32 inputs of the shape \(64, 64, 3\) takes"):
        assembly.check_memory([stream], 32)
    several = stream.map(lambda image, *rest: ({"face": image, "sound": image[0, 0]}, *rest))
    with pytest.raises(ValueError, match="A batch of 32 inputs"):
        assembly.check_memory([several], 32)
    with pytest.raises(ValueError, match="A batch of 32 inputs"):
        summary.step_seconds(None, {"face": (64, None, 64, 3)}, 1, 32)
    with pytest.raises(ValueError, match=r"inputs of the shape \(112, 112, 3\) takes"):
        gallery.write(tmp_path, 112)
    encoder = types.SimpleNamespace(side=64)
    with pytest.raises(ValueError, match="A batch of 64 inputs"):
        cached(encoder, ImageArray(np.zeros((1, 64, 64, 3), np.uint8)), tmp_path)
    assert list(tmp_path.iterdir()) == []
