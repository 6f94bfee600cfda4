"""How fast the library is beside the obvious alternative.

Source: this project.
Command: make bench
Method: pairs are timed in turn in one run, so that whatever else the machine does hits both; the
    median of the pairs' ratios is reported with its 95% interval, all of which has to keep the
    goal. Times are of this machine, ratios travel. All data is written for the run, into a
    temporary folder.
Goals: coupled / uncoupled and MultiTaskModel / a hand-written two-head model at most 1.02; the
    input pipeline at least 0.97 of the same operations in bare tf.data, blends too; of one of two
    processes at most 0.6, of four 0.4 of one's time; memory flat within 10% while the data grows
    ten times; import at most 1.1 of importing Keras. A step
    that balances 2, 10 or 40 tasks at most 1.7, 6.8 or 24 plain ones by full gradients, 1.0, 1.1
    or 1.4 by gradients at the features; training grows by at most 1.2 of the plain memory.
Peers: TorchJD's steps over its own plain ones, on the same network in the same run, where it can be
    installed.
Cost: about 20 minutes on two cores, with the peers.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import mtl_dm as mtl_dm  # Before the rest: it brings Keras without its chatter.
from experiments.bench import (
    balancing,
    balancing_memory,
    faces,
    imports,
    memory,
    peers,
    pipelines,
    steps,
)
from experiments.bench.report import described, write
from experiments.bench.timing import Row
from experiments.engine.options import main_guard
from mtl_dm.command_line import Parser
from mtl_dm.outputs import prepare_output


def measurements(data_dir: str) -> Iterator[Row]:
    """Run everything, data first: it is written into `data_dir`."""
    yield from imports.rows()
    faces.register()
    faces.prepare(data_dir)
    yield from memory.rows(data_dir)
    yield from pipelines.rows(data_dir)
    yield from steps.rows()
    yield from balancing.rows()
    yield from balancing_memory.rows()
    yield from peers.memory(balancing_memory.CASES["reference"][0])


def main() -> None:
    """Run every measurement and write results.csv and report.md."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="runs/bench", help="folder for the results")
    output = Path(parser.parse_args().output)
    prepare_output(output)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for row in measurements(folder):
            rows.append(row)
            print(described(row), flush=True)
            # Each time: what is measured outlives a fault in what follows.
            write(rows, output, f"{os.cpu_count()} cores")
    print(f"\nWritten: {output / 'report.md'}")


if __name__ == "__main__":
    main_guard(main)
