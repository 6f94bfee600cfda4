"""Training steps on an accelerator: the library's beside the bare backbone's, on the JAX backend.

Source: this project.
Command: KERAS_BACKEND=jax python -m experiments.bench.device
    It needs the extra jax with the plugin of the device, and no TensorFlow.
Method: one batch lies on the device. Every timing is of some steps one after the other, compiled
    and waited for at the end as `fit` does it, of pairs of models in turn; as many come before it
    untimed, so that what it costs to change from one program to the other is left out. "Bare" is
    the same backbone in a Keras model without heads and logs; "written by hand" has two heads,
    masked losses and the loss in its logs; "coupled" is the default coupling with its judging,
    "believed" the same without.
Goals: a step coupled at most 1.005 of one uncoupled; the bare backbone's at least 0.98 of the
    library's.
Cost: about five minutes on one GPU, most of it compilation.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np

from experiments.bench.by_hand import TASKS, Bare, HandWritten, batch_of, resnet50
from experiments.bench.report import described, write
from experiments.bench.timing import Goal, Row, pair
from experiments.engine.options import main_guard
from mtl_dm.command_line import Parser
from mtl_dm.models import BACKBONES, Coupling, MultiTaskModel
from mtl_dm.outputs import prepare_output

POLICIES = ("mixed_bfloat16", "float32")
PAIRS = (
    ("coupled / uncoupled", "coupled", "uncoupled", Goal(1.005)),
    ("bare / coupled", "bare", "coupled", Goal(0.98, at_least=True)),
    ("bare / uncoupled", "bare", "uncoupled", Goal(0.98, at_least=True)),
    ("coupled / believed", "coupled", "believed", None),
    ("uncoupled / written by hand", "uncoupled", "by_hand", None),
    ("uncoupled / uncoupled again (what the machine adds)", "uncoupled", "again", None),
)


def models(backbone: Callable[[], keras.Model]) -> dict[str, Callable[[], keras.Model]]:
    """Return what makes the models that are compared, by the names of `PAIRS`."""
    believed = Coupling(trust=False, gate=False)
    return {
        "coupled": lambda: MultiTaskModel(backbone(), TASKS, [Coupling()]),
        "uncoupled": lambda: MultiTaskModel(backbone(), TASKS),
        "bare": lambda: Bare(backbone()),
        "believed": lambda: MultiTaskModel(backbone(), TASKS, [believed]),
        "by_hand": lambda: HandWritten(backbone()),
        "again": lambda: MultiTaskModel(backbone(), TASKS),
    }


def steps_of(model: keras.Model, batch: Any, steps: int) -> tuple[Callable[[], float], float]:
    """Return some training steps as one function, and the seconds that the first step took.

    Args:
        model: Not compiled.
        batch: Images, labels and masks, the same in every step.
        steps: In a row, as `fit` takes them: waited for at the end.
    """
    model.compile(optimizer=keras.optimizers.Adam(1e-3), jit_compile=True)
    inputs, labels, masks = batch
    started = time.perf_counter()
    model.train_on_batch(inputs, labels, masks)  # Not `fit`: that looks for data to judge by.
    first = time.perf_counter() - started
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    # A step takes the arrays of its state for its own: not those of the model's variables.
    state = tuple([jax.numpy.copy(each.value) for each in group] for group in groups)
    batches = itertools.repeat(jax.device_put(batch))

    def run() -> float:
        nonlocal state
        for _ in range(steps):
            logs, state = model.train_function(state, batches)
        return float(jax.block_until_ready((logs, state))[0]["loss"])

    run()
    return run, first


def difference(steps: int) -> float:
    """Return by how much the losses of a training here differ from those on the CPU, at most.

    The compact CNN in float32, coupled, from the same weights on the same batch; relative.
    """
    losses = []
    for device in (jax.devices()[0], jax.devices("cpu")[0]):
        with jax.default_device(device), jax.default_matmul_precision("highest"):
            keras.utils.set_random_seed(0)
            shape = (64, 64, 3)
            model = MultiTaskModel(BACKBONES.get("compact_cnn")(shape), TASKS, [Coupling()])
            model.compile(optimizer=keras.optimizers.SGD(1e-2), jit_compile=True)
            batch = batch_of(64, shape)
            logs = [model.train_on_batch(*batch, return_dict=True) for _ in range(steps)]
            losses.append(np.array([float(each["loss"]) for each in logs]))
    here, there = losses
    return float(np.max(np.abs(here / there - 1)))


def rows(
    backbone: Callable[[], keras.Model], batch: Any, steps: int, pairs: int, title: str
) -> Iterator[Row]:
    """Time the steps of every pair of models.

    Args:
        backbone: Makes a new one.
        batch: Images, labels and masks.
        steps: Of one timing.
        pairs: Timings of each pair.
        title: Backbone, sizes and policy, for the rows' names.
    """
    made: dict[str, Callable[[], float]] = {}
    makers = models(backbone)
    for name, one, other, goal in PAIRS:
        for each in {one: None, other: None}:
            if each not in made:
                made[each], first = steps_of(makers[each](), batch, steps)
                yield {"name": f"first step with compilation, {each}, {title}", "seconds": first}
        row = _pair(f"step {name}, {title}", made[one], made[other], pairs, goal)
        row |= {key: row[key] / steps for key in ("seconds", "seconds_of_other")}
        yield {**row, "images_per_second": len(batch[0]) / row["seconds"]}


def _pair(
    name: str,
    one: Callable[[], float],
    other: Callable[[], float],
    pairs: int,
    goal: Goal | None,
) -> Row:
    return pair(name, one, other, pairs, goal, before=lambda index: (one, other)[index]())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every measurement and write results.csv and report.md.

    Raises:
        ValueError: If the backend is not JAX.
    """
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="runs/device", help="folder (default %(default)s)")
    parser.add_argument("--backbone", default="resnet50", help="(default %(default)s)")
    parser.add_argument("--image_size", type=int, default=112, help="(default %(default)s)")
    parser.add_argument("--batch_size", type=int, default=256, help="(default %(default)s)")
    parser.add_argument("--policy", choices=POLICIES, default=POLICIES[0], help="of Keras")
    parser.add_argument("--steps", type=int, default=20, help="of one timing (default %(default)s)")
    parser.add_argument("--pairs", type=int, default=30, help="(default %(default)s)")
    options = parser.parse_args(arguments)
    if keras.backend.backend() != "jax":
        raise ValueError(f"This needs KERAS_BACKEND=jax, got {keras.backend.backend()!r}.")
    output = Path(options.output)
    prepare_output(output)
    shape = (options.image_size, options.image_size, 3)
    network = resnet50 if options.backbone == "resnet50" else BACKBONES.get(options.backbone)
    device = jax.devices()[0].device_kind
    title = f"{options.backbone}, {shape[0]} px, batch {options.batch_size}, {options.policy}"
    print(f"{title} on {device}", flush=True)
    apart = difference(5)
    print(f"losses of 5 steps differ from those on the CPU by {apart:.1e} at most", flush=True)
    before, done = keras.config.dtype_policy(), list[Row]()
    keras.config.set_dtype_policy(options.policy)
    try:
        batch = batch_of(options.batch_size, shape)
        for row in rows(lambda: network(shape), batch, options.steps, options.pairs, title):
            done.append(row)
            print(described(row), flush=True)
            write(done, output, device)
    finally:
        keras.config.set_dtype_policy(before)
    print(f"\nWritten: {output / 'report.md'}")


if __name__ == "__main__":
    main_guard(main)
