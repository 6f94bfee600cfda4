"""Hosts that are network namespaces of this machine, joined by a bridge."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

NETWORK = "10.77.0"
LOOPBACK = "127.0.0.1"


class Host(NamedTuple):
    """What commands are started on.

    Attributes:
        address: By which other hosts reach it.
        enter: What stands before a command that runs there.
        link: What joins it to the others; None: it is loopback, which cannot be cut.
    """

    address: str
    enter: tuple[str, ...] = ()
    link: str | None = None

    def set_link(self, state: str) -> None:
        """Set what joins it to the others "up" or "down"."""
        _ip("link", "set", str(self.link), state)


def obstacle() -> str | None:
    """Return why this machine makes no network namespaces, in one line; None: it does."""
    if shutil.which("ip") is None:
        return "there is no command ip"
    try:
        with joined(1):
            return None
    except subprocess.CalledProcessError as error:
        return " ".join(error.stderr.split())


@contextlib.contextmanager
def joined(count: int) -> Iterator[list[Host]]:
    """Make hosts that reach each other and nothing else; nothing is left of them afterwards.

    Their names are this process's, so that two of these may run at a time; their addresses are the
    same, for no host sees those of another bridge.

    Args:
        count: How many.

    Raises:
        subprocess.CalledProcessError: If this machine does not permit it.
    """
    own = f"mtl{os.getpid()}"
    with contextlib.ExitStack() as made:
        bridge = f"{own}b"
        _ip("link", "add", bridge, "type", "bridge")
        made.callback(_ip, "link", "delete", bridge)
        _ip("link", "set", bridge, "up")
        hosts = []
        for index in range(count):
            name, link, address = f"{own}h{index}", f"{own}v{index}", f"{NETWORK}.{index + 1}"
            _ip("netns", "add", name)
            made.callback(_ip, "netns", "delete", name)
            _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
            # A namespace outlives its name as long as a process in it does, and so would the link.
            made.callback(_ip, "link", "delete", link)
            _ip("link", "set", link, "master", bridge, "up")
            _ip("-netns", name, "address", "add", f"{address}/24", "dev", "eth0")
            for each in ("lo", "eth0"):
                _ip("-netns", name, "link", "set", each, "up")
            hosts.append(Host(address, ("ip", "netns", "exec", name), link))
        yield hosts


@contextlib.contextmanager
def on_loopback(count: int) -> Iterator[list[Host]]:
    """Return as many hosts that are this machine itself."""
    yield [Host(LOOPBACK)] * count


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
