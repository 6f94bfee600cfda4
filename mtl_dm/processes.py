"""One training spread over several processes on the JAX backend; `mtl_dm.launch` starts them.

Every process runs the same program on the same stream of global batches and computes on its part
of each. Keras and JAX then see one global batch, so losses, gradients and metrics are those of one
process. Every process reads the records of all rows, for the seed shuffles them together; of what
`mtl_dm.data.load` reads it decodes and augments its own alone, by the draws of their places in the
global batch. A mix that blends rows of the whole batch is made whole everywhere, and then cut.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import ipaddress
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping

import keras
import numpy as np

COORDINATOR = "MTL_DM_COORDINATOR"
PROCESSES = "MTL_DM_PROCESSES"
PROCESS = "MTL_DM_PROCESS"
HOSTS = "MTL_DM_HOSTS"
DEVICE = "MTL_DM_DEVICE"
LAUNCHER = "MTL_DM_LAUNCHER"

HEARTBEAT_SECONDS = 100
"""After this long without a sign of life a process counts as dead, and the others end.

It is for hosts that vanish; the launcher sees a process of its own host die at once. A process that
waits its turn on a busy machine must not count as dead.
"""


def count() -> int:
    """Return the number of processes that train together."""
    return int(os.environ.get(PROCESSES, "1"))


def hosts() -> int:
    """Return the number of hosts on which they run, each with as many of them."""
    return int(os.environ.get(HOSTS, "1"))


def index() -> int:
    """Return which of them this process is, from 0."""
    return int(os.environ.get(PROCESS, "0"))


def is_main() -> bool:
    """Return whether this process writes the output: one does, all others write nothing."""
    return index() == 0


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Train together with the other processes that the launcher started; alone where it did not.

    Models must be built inside, so that their variables live on the devices of all processes.

    Raises:
        ValueError: If the backend is not JAX, or the launcher's variables contradict each other.
        ConnectionError: If another process was lost on the way.
    """
    if PROCESSES not in os.environ:
        yield
        return
    _require_jax()
    _end_with_the_launcher()
    _initialize(os.environ)
    try:
        with _data_parallel().scope(), _lost_processes_named():
            yield
            wait_for_all("end of training")
    except BaseException:
        # JAX's own exit waits minutes for the others, which wait for this process.
        atexit.register(_exit_at_once)
        raise


def wait_for_all(what: str) -> None:
    """Return once every process has come here.

    Args:
        what: Names the place; the same in every process.
    """
    if count() > 1:
        from jax.experimental import multihost_utils

        multihost_utils.sync_global_devices(what)


@contextlib.contextmanager
def main_first(what: str) -> Iterator[None]:
    """Let the main process run the body before the others do: what it writes, they find.

    Args:
        what: Names the body; the same in every process.
    """
    if not is_main():
        wait_for_all(what)
    yield
    if is_main():
        wait_for_all(what)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one process create Keras variables that the others do not, as saving a model does.

    Inside `joined` every new variable is placed on the devices of all processes, for which each of
    them must come to the same line. Values can be read in any case.
    """
    distribution = keras.distribution.distribution()
    if distribution is None:
        yield
        return
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def require_agreement(what: str, value: int) -> None:
    """Check that every process has the same number, for example the epoch to resume from.

    Raises:
        ValueError: If they differ.
    """
    if count() > 1:
        from jax.experimental import multihost_utils

        values = multihost_utils.process_allgather(keras.ops.convert_to_numpy(value))
        if len(set(values.tolist())) > 1:
            raise ValueError(
                f"The processes disagree on {what}: {values.tolist()}, in their order. Is the "
                "output folder one that every host sees?"
            )


def gathered(own: np.ndarray) -> list[np.ndarray]:
    """Return what every process has, in their order, in each of them.

    Args:
        own: [N, ...] of numbers; N may be another one in each process.
    """
    if count() == 1:
        return [own]
    from jax.experimental import multihost_utils

    sizes = [int(size) for size in multihost_utils.process_allgather(np.array(len(own)))]
    # As bytes: JAX would make numbers of 64 bits some of 32.
    room = np.zeros((max(sizes), *own.shape[1:]), own.dtype)
    room[: len(own)] = own
    found = multihost_utils.process_allgather(np.frombuffer(room.tobytes(), np.uint8))
    return [
        np.frombuffer(each.tobytes(), own.dtype).reshape(room.shape)[:size]
        for each, size in zip(np.asarray(found), sizes, strict=True)
    ]


def own_rows(batch_size: int) -> tuple[int, int] | None:
    """Return this process's rows of every global batch, the first one and how many; None: all.

    Args:
        batch_size: Rows of a batch.

    Raises:
        ValueError: If they do not divide evenly among the devices of all processes.
    """
    if PROCESSES not in os.environ:
        return None
    devices, local, first = _devices()
    if batch_size % devices:
        raise ValueError(
            f"batch_size must be a multiple of the {devices} devices of all processes, "
            f"got {batch_size}."
        )
    each = batch_size // devices
    return (first * each, local * each)


def places() -> tuple[int, int, int] | None:
    """Return the devices of all processes, the first of this one's, and how many; None: alone."""
    if PROCESSES not in os.environ:
        return None
    devices, local, first = _devices()
    return devices, first, local


def _devices() -> tuple[int, int, int]:
    """Return the devices of all processes, of this one, and the index of its first one."""
    import jax

    return (
        jax.device_count(),
        jax.local_device_count(),
        jax.process_index() * (jax.local_device_count()),
    )


def _require_jax() -> None:
    backend = keras.backend.backend()
    if backend != "jax":
        raise ValueError(
            f"Several processes need the JAX backend, this one runs on {backend!r}. Set "
            "KERAS_BACKEND=jax."
        )
    if importlib.util.find_spec("jax") is None:
        raise ValueError("Several processes need JAX: pip install 'mtl-dm[jax]'.")


def _initialize(environment: Mapping[str, str]) -> None:
    import jax

    total, index = int(environment[PROCESSES]), int(environment.get(PROCESS, "-1"))
    if COORDINATOR not in environment or not 0 <= index < total:
        raise ValueError(
            f"{PROCESSES}={total} needs {COORDINATOR}=HOST:PORT and {PROCESS} from 0 to "
            f"{total - 1}; python -m mtl_dm.launch sets them."
        )
    device = environment.get(DEVICE)
    local = on_loopback(environment[COORDINATOR])
    logging.getLogger("jax").setLevel(logging.WARNING)  # Else it says where it connects.
    _exchange_at(own_address(environment[COORDINATOR]))
    jax.distributed.initialize(
        environment[COORDINATOR],
        num_processes=total,
        process_id=index,
        # Processes that share a host take one GPU each; CPUs do not look at it.
        local_device_ids=None if device is None else [int(device)],
        # Nothing else is asked, such as the scheduler that the launcher itself may run under.
        cluster_detection_method="deactivate",
        heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
        # JAX's default is every address of the host, for anybody who reaches it.
        coordinator_bind_address=environment[COORDINATOR] if local else None,
    )


def on_loopback(coordinator: str) -> bool:
    """Return whether an address HOST:PORT is reached from this machine alone."""
    host = coordinator.rpartition(":")[0]
    return host in ("localhost", "[::1]") or host.startswith("127.")


def own_address(coordinator: str) -> str:
    """Return this host's address on the network on which it reaches the coordinator.

    The address of the host's own name is none: many systems have it on loopback, 127.0.1.1, where
    no other host reaches it.

    Args:
        coordinator: HOST:PORT.

    Raises:
        ValueError: If there is no way there, or other hosts are to come to a HOST that is loopback
            here.
    """
    host, _, port = coordinator.rpartition(":")
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_DGRAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # A datagram socket sends nothing.
            own = str(probe.getsockname()[0])
    except OSError as error:
        raise ValueError(
            f"This host knows no way to the coordinator {coordinator}: {error.strerror}."
        ) from error
    alone = hosts() == 1 or on_loopback(coordinator)
    if not alone and ipaddress.ip_address(own).is_loopback:
        raise ValueError(
            f"The coordinator {coordinator} is {own} on this host, which no other host reaches. "
            "Name it by its address on the network of the hosts."
        )
    return own


def _exchange_at(address: str) -> None:
    """Let CPUs exchange gradients at an address of this host, for which JAX has no option.

    By default they listen on the address of the host's own name.
    """
    try:
        from jaxlib import _jax

        made = _jax.make_gloo_tcp_collectives
    except (ImportError, AttributeError) as error:  # It is no part of JAX's interface.
        logging.getLogger(__name__).warning(
            "This version of JAX does not let CPUs exchange gradients at %s alone (%s): they "
            "listen on the address of this host's name, without authentication.",
            address,
            error,
        )
        return
    # Of a partial function another one replaces the address.
    _jax.make_gloo_tcp_collectives = functools.partial(made, hostname=address)


def _data_parallel() -> keras.distribution.DataParallel:
    import jax

    if jax.device_count() != jax.process_count() * jax.local_device_count():
        raise ValueError(
            "Every process must have as many devices as the others; this one has "
            f"{jax.local_device_count()}, all {jax.process_count()} together "
            f"{jax.device_count()}."
        )
    # Keras's own sharding deals a smaller last batch out unevenly, and the processes hang.
    return keras.distribution.DataParallel(auto_shard_dataset=False)


@contextlib.contextmanager
def _lost_processes_named() -> Iterator[None]:
    """Turn JAX's report of a broken connection into one line that says what happened."""
    import jax

    try:
        yield
    # A compiled step raises the first, a single operation the second.
    except (jax.errors.JaxRuntimeError, ValueError) as error:
        text = str(error).lower()
        if any(sign in text for sign in ("gloo", "nccl", "coordination service", "socket closed")):
            raise ConnectionError(
                f"Process {os.environ[PROCESS]} lost another process and cannot go on. See what "
                "that one said; the same command resumes from the last checkpoint."
            ) from error
        raise


def _end_with_the_launcher() -> None:
    """End this process when its launcher is gone: killed, it cannot stop its children itself."""
    launcher = int(os.environ.get(LAUNCHER, "0"))
    if not launcher:
        return

    def watch() -> None:
        while os.getppid() == launcher:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _exit_at_once() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
