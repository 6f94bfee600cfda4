import pytest

from mtl_dm import memory


def test_a_batch_that_cannot_fit_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr(memory, "machine_bytes", lambda: 2**30)
    memory.require_batch(64, (224, 224, 3))
    with pytest.raises(
        ValueError, match=r"1,000,000,000 inputs of the shape \(2,\) takes 7\.5 GiB"
    ):
        memory.require_batch(10**9, (2,))
    assert memory.machine_bytes() == 2**30
