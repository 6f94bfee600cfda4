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


def test_a_container_may_have_less(monkeypatch, tmp_path):
    told = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "CONTAINER", told)
    whole = memory.machine_bytes()
    for text, want in (("max\n", whole), ("4096\n", 4096), (f"{2 * whole}\n", whole)):
        told.write_text(text)
        assert memory.machine_bytes() == want
