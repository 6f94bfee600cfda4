"""Memory that balancing methods take in training; run as a program, that of one process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import keras
import tensorflow as tf

from experiments.bench.by_hand import resnet50
from experiments.bench.many_tasks import batch_of, network, tasks_of
from experiments.bench.peak import peak
from experiments.bench.reference import BATCH, LEARNING_RATE, SIZE
from experiments.bench.timing import Goal, Row
from mtl_dm.balancing import BALANCING
from mtl_dm.command_line import Parser
from mtl_dm.models import MultiTaskModel

STEPS = 2
CASES = {"reference": (10, BATCH, SIZE), "ResNet-50": (10, 16, 112)}
"""By network: tasks, images of a batch and their size."""

METHODS = {"reference": ("mgda(scope=features)", "mgda"), "ResNet-50": ("mgda",)}
"""By network: one of a kind, as methods differ in small matrices only."""

PLAIN = "equal"
GOAL = Goal(1.2)


def rows() -> Iterator[Row]:
    """Measure how processes grow while they train, with each method over the plain one."""
    for case, (count, *_) in CASES.items():
        plain = _growth(case, PLAIN)
        for method in METHODS[case]:
            grown = _growth(case, method)
            yield {
                "name": f"memory of training {method} / plain, {count} tasks, {case}",
                "ratio": grown / plain,
                **GOAL.fields(grown / plain),
                "megabytes": grown,
                "megabytes_of_other": plain,
            }


def _growth(case: str, method: str) -> float:
    command = [sys.executable, "-m", "experiments.bench.balancing_memory", case, method]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Train a few steps and print by how many megabytes the peak is above the built model."""
    parser = Parser(description=main.__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("method")
    options = parser.parse_args()
    count, images, size = CASES[options.case]
    tasks = tasks_of(count)
    backbone = network() if options.case == "reference" else resnet50((size, size, 3))
    model = MultiTaskModel(backbone, tasks, balancing=BALANCING.create(options.method))
    batch = batch_of(tasks, images, size)
    model.compile(keras.optimizers.Adam(LEARNING_RATE), jit_compile=False)
    model(batch[0][:1])
    # The moments of the weights are the optimizer's, whatever the method.
    model.optimizer.build(model.trainable_variables)
    before = peak()
    stream = tf.data.Dataset.from_tensors(batch).repeat()
    model.fit(stream, steps_per_epoch=STEPS, shuffle=False, verbose=0)
    print(peak() - before)


if __name__ == "__main__":
    main()
