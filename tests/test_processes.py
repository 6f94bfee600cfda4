"""What processes say to each other and to the user, without other processes."""

import concurrent.futures
import socket
import sys
import threading
import types

import numpy as np
import pytest

from mtl_dm import processes


def test_alone_a_process_has_all_rows(monkeypatch):
    monkeypatch.delenv(processes.PROCESSES, raising=False)
    assert processes.own_rows(7) is None


@pytest.mark.parametrize("kind", [np.float64, np.int64, bool])
def test_every_process_gets_what_all_have(monkeypatch, kind):
    multihost = pytest.importorskip("jax.experimental.multihost_utils")
    own = [(np.arange(rows * 2).reshape(rows, 2) / 0.3).astype(kind) for rows in (3, 0, 2)]
    together, given = threading.Barrier(3), {}

    def exchanged(values):
        given[threading.current_thread().name] = values
        together.wait(60)
        found = np.stack([given[name] for name in sorted(given)])
        together.wait(60)
        return found

    monkeypatch.setattr(multihost, "process_allgather", exchanged)
    monkeypatch.setenv(processes.PROCESSES, "3")
    with concurrent.futures.ThreadPoolExecutor(3, "process") as pool:
        for found in pool.map(processes.gathered, own):
            for got, want in zip(found, own, strict=True):
                assert got.dtype == kind
                np.testing.assert_array_equal(got, want)


def test_alone_a_process_has_its_own():
    assert processes.gathered(own := np.ones(2))[0] is own


@pytest.mark.parametrize(
    ("coordinator", "bound"), [("127.0.0.1:5", "127.0.0.1:5"), ("10.0.0.1:5", None)]
)
def test_one_host_listens_on_loopback_alone(monkeypatch, coordinator, bound):
    jax = pytest.importorskip("jax")
    seen = {}
    monkeypatch.setattr(jax.distributed, "initialize", lambda *_, **given: seen.update(given))
    monkeypatch.setattr(processes, "_exchange_at", lambda address: seen.update(gloo=address))
    monkeypatch.setattr(
        processes, "own_address", lambda coordinator: f"on the way to {coordinator}"
    )
    processes._initialize(
        {processes.COORDINATOR: coordinator, processes.PROCESSES: "2", processes.PROCESS: "1"}
    )
    assert seen["coordinator_bind_address"] == bound
    assert seen["gloo"] == f"on the way to {coordinator}"


def test_gradients_are_exchanged_at_that_address(monkeypatch):
    jaxlib = pytest.importorskip("jaxlib")
    made = types.SimpleNamespace(make_gloo_tcp_collectives=lambda **given: given)
    monkeypatch.setattr(jaxlib, "_jax", made)
    for address in ("10.0.0.2", "10.0.0.3"):  # A second training may be on another network.
        processes._exchange_at(address)
        assert made.make_gloo_tcp_collectives(distributed_client=1) == {
            "distributed_client": 1,
            "hostname": address,
        }


def test_it_is_said_where_gradients_are_exchanged_in_the_open(monkeypatch, caplog):
    jaxlib = pytest.importorskip("jaxlib")
    monkeypatch.setattr(jaxlib, "_jax", None)
    monkeypatch.setitem(sys.modules, "jaxlib._jax", None)
    with caplog.at_level("WARNING"):
        processes._exchange_at("10.0.0.2")
    assert "listen on the address of this host's name, without authentication" in caplog.text


@pytest.mark.parametrize("coordinator", ["127.0.0.1:5", "127.0.0.2:5", "localhost:5"])
def test_on_one_machine_its_own_address_is_loopback(coordinator):
    own = processes.own_address(coordinator)
    assert own == "::1" or own.startswith("127.")


def resolved(monkeypatch, address):
    """Let every name stand for an address, as /etc/hosts may."""
    found = [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (address, 5))]
    monkeypatch.setattr(processes.socket, "getaddrinfo", lambda *_, **__: found)


def test_a_name_that_is_loopback_here_is_refused(monkeypatch):
    resolved(monkeypatch, "127.0.1.1")  # What Debian gives the name of a host itself.
    assert processes.own_address("first:5").startswith("127.")  # Alone it is no harm.
    monkeypatch.setenv(processes.HOSTS, "2")
    with pytest.raises(ValueError, match=r"coordinator first:5 is 127\..* no other host reaches"):
        processes.own_address("first:5")


def test_a_coordinator_to_which_there_is_no_way(monkeypatch):
    resolved(monkeypatch, "255.255.255.255")  # A broadcast, which no socket may ask for unbidden.
    with pytest.raises(ValueError, match=r"no way to the coordinator first:5: "):
        processes.own_address("first:5")

    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(processes.socket, "getaddrinfo", unknown)
    with pytest.raises(ValueError, match=r"coordinator nowhere:5: Name or service not known\."):
        processes.own_address("nowhere:5")
