"""One training shared by 1, 2 and 4 hosts: input work, losses, and what happens when one is lost.

Source: this project.
Command: python -m experiments.bench.hosts
    As root, or whoever may make network namespaces; it needs the extra `jax`. Where they are not
    permitted it says so, every host is a launcher of its own on loopback, and no link is cut.
Method: every host is a network namespace with an address of its own on a bridge; all see one disk.
    On each `mtl_dm.launch` is started with --processes=1, as on several machines: a coupled
    training on drawn faces (64 px, MixAugment within four blocks, validation, judged tables),
    which CPUs compute and whose gradients go through the bridge. A second training has a plugin
    that counts the images that each process decodes. Processor and wall time are those of the last
    epoch with its validation, per step: earlier ones compile. All losses of all epochs, of training
    and validation, are compared with one host's. Then, with two hosts, once an epoch is saved: a
    process is killed, the link of one is cut, one stands still for a while; the same command goes
    on with what is left. At last a training is killed on two hosts, goes on on four, is killed
    there and ends on one.
Goals: of N processes each decodes 1/N of what one decodes; every loss is that of one host within
    0.001.
Cost: about 15 minutes on two quiet cores. All hosts share them: wall time says nothing of what
    several machines would take.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from experiments.bench.hosts import decoded, network
from experiments.bench.hosts.trainings import Launcher, Seen, saved, train
from experiments.engine.options import main_guard
from mtl_dm import data
from mtl_dm.command_line import Parser

COUNTS = (1, 2, 4)
TRAINED = tuple(
    f"synthetic_faces/{name}:train[:800]" for name in ("expression_only", "co_annotated")
)
VALIDATED = "synthetic_faces/fully_annotated:validation[:400]"
BATCH, EPOCHS, STEPS = 64, 3, 4
COUNTED_EPOCHS, COUNTED_STEPS = 2, 12
STILL_SECONDS = 20
"""How long a process stands still: less than after which it counts as dead."""

FLAGS = [
    f"--datasets={','.join(TRAINED)}",
    f"--validation={VALIDATED}",
    "--image_size=64",
    "--relatedness=facs",
    "--mix=mix_augment(blocks=4)",
    f"--batch_size={BATCH}",
    # Rounding grows with what a step moves: at ten times this rate it hides what is compared.
    "--learning_rate=0.0001",
    f"--epochs={EPOCHS}",
    f"--steps_per_epoch={STEPS}",
]


class Bench:
    """Trainings with the same flags, each in a folder of its own.

    Attributes:
        folder: For all of them.

    Args:
        folder: As above.
        data_dir: Of the data sets.
        joined: Makes so many hosts.
    """

    def __init__(
        self,
        folder: Path,
        data_dir: str,
        joined: Callable[[int], contextlib.AbstractContextManager[list[network.Host]]],
    ) -> None:
        self.folder, self._joined = folder, joined
        self._flags = [*FLAGS, f"--data_dir={data_dir}"]
        self._environment = {
            "JAX_PLATFORMS": "cpu",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            # What was compiled for so many hosts is not compiled again.
            "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
        }

    def train(
        self,
        name: str,
        count: int,
        act: Callable[[Sequence[Launcher], Sequence[network.Host]], None] | None = None,
        after: int = 1,
    ) -> Seen:
        """Train on so many hosts in the folder of this name; a training that it holds goes on.

        Args:
            name: Of the folder.
            count: Of hosts.
            act: Done once to the launchers and their hosts.
            after: The epoch that is saved by then.

        Raises:
            RuntimeError: If nothing was done to it and a command failed; the message has the last
                line of each.
        """
        with self._joined(count) as hosts:
            seen = train(
                hosts,
                self._flags,
                self.folder / name,
                act=None if act is None else lambda launchers: act(launchers, hosts),
                after=after,
                environment=self._environment,
            )
        if act is None:
            _require_success(name, seen)
        return seen

    def counted(self, count: int) -> list[Mapping[str, int]]:
        """Return the images that each of so many processes decodes in a short training."""
        name, folder = f"counted{count}", self.folder / f"counts{count}"
        folder.mkdir()
        with self._joined(count) as hosts:
            seen = train(
                hosts,
                [
                    *self._flags,
                    f"--epochs={COUNTED_EPOCHS}",
                    f"--steps_per_epoch={COUNTED_STEPS}",
                ],
                self.folder / name,
                own=[f"--plugin={decoded.__file__}"],
                environment={**self._environment, decoded.FOLDER: str(folder)},
            )
        _require_success(name, seen)
        files = (folder / f"{index}.json" for index in range(count))
        return [json.loads(each.read_text(encoding="utf-8")) for each in files]

    def difference(self, name: str) -> float:
        """Return the largest difference of a training's losses from those of one host.

        Raises:
            ValueError: If they are not the same losses.
        """
        one, other = (self._losses(each) for each in (timed_name(1), name))
        if set(one) != set(other):
            raise ValueError(f"{name} has other losses: {sorted(set(one) ^ set(other))}.")
        return max(float(np.abs(np.subtract(one[key], other[key])).max()) for key in one)

    def _losses(self, name: str) -> dict[str, list[float]]:
        record = json.loads((self.folder / name / "run.json").read_text(encoding="utf-8"))
        return {key: values for key, values in record["history"].items() if key.endswith("loss")}


def _require_success(name: str, seen: Seen) -> None:
    if any(end.status for end in seen.ends):
        raise RuntimeError(f"{name} failed: {[end.line for end in seen.ends]}")


def timed_name(count: int) -> str:
    """Return the folder of the training on so many hosts to which nothing happens."""
    return f"hosts{count}"


def counted(bench: Bench) -> Iterator[str]:
    """Yield lines with the images that each process decodes."""
    purposes = list(dict.fromkeys(decoded.PURPOSES.values()))
    trained = COUNTED_EPOCHS * COUNTED_STEPS * BATCH
    yield f"images decoded by each process, mean (of one host's), {trained:,} trained on by all"
    yield "hosts  " + "  ".join(f"{purpose:>15}" for purpose in purposes)
    alone: dict[str, float] = {}
    for count in COUNTS:
        found = bench.counted(count)
        means = {each: float(np.mean([one.get(each, 0) for one in found])) for each in purposes}
        alone = alone or means
        cells = [f"{mean:,.0f} ({mean / (alone[each] or 1):.2f})" for each, mean in means.items()]
        yield f"{count:5}  " + "  ".join(f"{cell:>15}" for cell in cells)


def timed(bench: Bench) -> Iterator[str]:
    """Yield lines with the time of a step and how far the losses are from those of one host."""
    yield "hosts  processor ms a step, each process  wall ms a step  losses, largest difference"
    for count in COUNTS:
        name = timed_name(count)
        seen = bench.train(name, count)
        begun, done = seen.epochs[EPOCHS - 1], seen.epochs[EPOCHS]
        used = [
            1000 * (end - start) / STEPS for start, end in zip(begun.cpu, done.cpu, strict=True)
        ]
        wall = 1000 * (done.moment - begun.moment) / STEPS
        shown = ", ".join(f"{each:,.0f}" for each in used)
        yield f"{count:5}  {shown:>34}  {wall:14,.0f}  {bench.difference(name):26.1e}"


def lost(bench: Bench, cut: bool) -> Iterator[str]:
    """Yield what happens to a training on two hosts that loses one, and what a restart ends in.

    Args:
        bench: Which has trained on one.
        cut: Whether a link can be cut.
    """

    def kill(launchers: Sequence[Launcher], hosts: Sequence[network.Host]) -> None:
        del hosts
        os.kill(launchers[-1].trainer(), signal.SIGKILL)

    def disconnect(launchers: Sequence[Launcher], hosts: Sequence[network.Host]) -> None:
        del launchers
        hosts[-1].set_link("down")

    cases = {"killed": kill, "cut off": disconnect} if cut else {"killed": kill}
    for name, act in cases.items():
        seen = bench.train(name, 2, act)
        yield f"process 1 of 2 is {name}:"
        for index, end in enumerate(seen.ends):
            yield f"  host {index}: {end.moment - seen.acted:.1f} s, exit status {end.status}"
            yield f"    {end.line}"
        bench.train(name, 2)
        yield f"  the same command goes on: losses differ by {bench.difference(name):.1e}"


def slow(bench: Bench) -> Iterator[str]:
    """Yield what a training on two hosts does while a process of one stands still."""
    name = "slow"

    def pause(launchers: Sequence[Launcher], hosts: Sequence[network.Host]) -> None:
        del hosts
        os.kill(launchers[-1].trainer(), signal.SIGSTOP)
        time.sleep(STILL_SECONDS)
        os.kill(launchers[-1].trainer(), signal.SIGCONT)

    seen = bench.train(name, 2, pause)
    _require_success(name, seen)
    waited = seen.epochs[2].moment - seen.epochs[1].moment
    usual = seen.epochs[3].moment - seen.epochs[2].moment
    yield (
        f"process 1 of 2 stands still for {STILL_SECONDS} s: that epoch takes {waited:.0f} s, the "
        f"next one {usual:.0f} s; losses differ by {bench.difference(name):.1e}"
    )


def restarted(bench: Bench) -> Iterator[str]:
    """Yield what a training ends in that goes on with other numbers of hosts."""
    name = "restarted"

    def stop(launchers: Sequence[Launcher], hosts: Sequence[network.Host]) -> None:
        del hosts
        for each in launchers:
            each.kill()

    bench.train(name, 2, stop, after=1)
    at_first = saved(bench.folder / name)
    bench.train(name, 4, stop, after=at_first + 1)
    then = saved(bench.folder / name)
    bench.train(name, 1)
    yield (
        f"on two hosts until epoch {at_first}, on four until {then}, on one to the end: losses "
        f"differ by {bench.difference(name):.1e}"
    )


def main() -> None:
    """Run every measurement and print it."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", default="build/datasets", help="(default %(default)s)")
    data_dir = parser.parse_args().data_dir
    for name in (*TRAINED, VALIDATED):
        data.load(name, data_dir=data_dir)  # Which builds it.
    obstacle = network.obstacle()
    if obstacle is not None:
        print(f"No network namespaces here ({obstacle}): hosts are launchers on loopback.")
    joined = network.joined if obstacle is None else network.on_loopback
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), str(Path(data_dir).resolve()), joined)
        for lines in (
            timed(bench), counted(bench), lost(bench, obstacle is None), slow(bench),
            restarted(bench),
        ):  # fmt: skip
            for line in lines:
                print(line, flush=True)
            print()


if __name__ == "__main__":
    main_guard(main)
