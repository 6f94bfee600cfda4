"""Peak memory while a data set grows ten times; run as a program, that of one process."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator

from experiments.bench import faces, pipelines
from experiments.bench.peak import peak
from experiments.bench.timing import Goal, Row
from mtl_dm.command_line import Parser

BATCHES = 150
"""Read of either data set: buffers grow for a while, as tf.data tunes them."""

PROCESSES = 3


def rows(data_dir: str) -> Iterator[Row]:
    """Measure the largest resident set of processes that stream as much of each data set."""
    names = (faces.FEW, faces.MANY)
    found = [[_peak(name, data_dir) for name in names] for _ in range(PROCESSES)]
    of_few, of_many = (statistics.median(each) for each in zip(*found, strict=True))
    ratio = of_many / of_few
    many, few = faces.RECORDS[faces.MANY], faces.RECORDS[faces.FEW]
    yield {
        "name": f"peak memory streaming {many:,} / {few:,} records, 112 px",
        "ratio": ratio,
        **Goal(1.1).fields(ratio),
        "pairs": PROCESSES,
        "megabytes": of_many,
        "megabytes_of_other": of_few,
    }


def _peak(config: str, data_dir: str) -> float:
    command = [sys.executable, "-m", "experiments.bench.memory", config, data_dir]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Stream batches of a data set of the bench and print the peak memory in megabytes."""
    parser = Parser(description=main.__doc__)
    parser.add_argument("config", choices=faces.RECORDS)
    parser.add_argument("data_dir")
    options = parser.parse_args()
    faces.register()
    name = f"{faces.BenchFaces.name}/{options.config}"
    for _ in pipelines.ours(name, options.data_dir, 112).prefetch(2).take(BATCHES):
        pass
    print(peak())


if __name__ == "__main__":
    main()
