"""What processes say to each other and to the user, without other processes."""

import sys

import pytest

from mtl_dm import processes


def test_alone_a_process_has_all_rows(monkeypatch):
    monkeypatch.delenv(processes.PROCESSES, raising=False)
    assert processes.own_rows(7) is None


@pytest.mark.parametrize(
    ("coordinator", "bound"), [("127.0.0.1:5", "127.0.0.1:5"), ("10.0.0.1:5", None)]
)
def test_one_host_listens_on_loopback_alone(monkeypatch, coordinator, bound):
    jax = pytest.importorskip("jax")
    seen = {}
    monkeypatch.setattr(jax.distributed, "initialize", lambda *_, **given: seen.update(given))
    monkeypatch.setattr(processes, "_collectives_on_loopback", lambda: seen.update(gloo=True))
    processes._initialize(
        {processes.COORDINATOR: coordinator, processes.PROCESSES: "2", processes.PROCESS: "1"}
    )
    assert seen["coordinator_bind_address"] == bound
    assert seen.get("gloo", False) == bool(bound)


def test_it_is_said_where_gradients_are_exchanged_in_the_open(monkeypatch, caplog):
    jaxlib = pytest.importorskip("jaxlib")
    monkeypatch.setattr(jaxlib, "_jax", None)
    monkeypatch.setitem(sys.modules, "jaxlib._jax", None)
    with caplog.at_level("WARNING"):
        processes._collectives_on_loopback()
    assert "listen on the address of this host's name, without authentication" in caplog.text
