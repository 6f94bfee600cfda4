"""Training steps: coupled, uncoupled, written by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from experiments.bench.by_hand import TASKS, HandWritten, HandWrittenWithLogs, batch_of, resnet50
from experiments.bench.timing import Goal, Row, pair
from mtl_dm.models import BACKBONES, Coupling, MultiTaskModel

SIZE = 112
COMPACT_BATCH, COMPACT_PAIRS = 32, 300
RESNET_BATCH, RESNET_PAIRS = 16, 80
FEATURES, TRUNK_BATCH, TRUNK_PAIRS = 1280, 64, 2000


def rows() -> Iterator[Row]:
    """Time the steps of every pair of models."""
    shape = (SIZE, SIZE, 3)
    compact = BACKBONES.get("compact_cnn")
    for name, network, count, pairs, bound in (
        ("compact CNN", compact, COMPACT_BATCH, COMPACT_PAIRS, 1.02),
        ("ResNet-50", resnet50, RESNET_BATCH, RESNET_PAIRS, 1.02),
    ):
        batch = _batch(count)
        coupled, first = step_of(MultiTaskModel(network(shape), TASKS, [Coupling()]), batch)
        plain, _ = step_of(MultiTaskModel(network(shape), TASKS), batch)
        yield {"name": f"first step with compilation, {name}, coupled", "seconds": first}
        row = pair(f"step coupled / uncoupled, {name}", coupled, plain, pairs, Goal(bound))
        yield {**row, "images_per_second": count / row["seconds"]}
    yield from _protected()
    ours, bare, logging, again = (
        step_of(model, _batch(COMPACT_BATCH))[0]
        for model in (
            MultiTaskModel(compact(shape), TASKS),
            HandWritten(compact(shape)),
            HandWrittenWithLogs(compact(shape)),
            HandWritten(compact(shape)),
        )
    )
    name = "step MultiTaskModel / written by hand, {}, compact CNN"
    yield pair(name.format("same logs"), ours, logging, COMPACT_PAIRS, Goal(1.02))
    yield pair(name.format("logging the loss only"), ours, bare, COMPACT_PAIRS, Goal(1.02))
    yield pair("step of two equal models (what the machine adds)", again, bare, COMPACT_PAIRS)


def _protected() -> Iterator[Row]:
    """Time the steps of a coupling that is judged beside those of one that is believed."""
    believed = Coupling(trust=False, gate=False)
    for name, shape, count, pairs, bound in (
        ("compact CNN", (SIZE, SIZE, 3), COMPACT_BATCH, COMPACT_PAIRS, 1.02),
        ("dense trunk", (FEATURES,), TRUNK_BATCH, TRUNK_PAIRS, 1.05),
    ):
        network = BACKBONES.get(name.replace(" ", "_").lower())
        judged, plain = (
            step_of(MultiTaskModel(network(shape), TASKS, [coupling]), _batch(count, shape))[0]
            for coupling in (Coupling(), believed)
        )
        yield pair(f"step judged / believed, {name}", judged, plain, pairs, Goal(bound))


def step_of(model: keras.Model, batch: Any) -> tuple[Callable[[], float], float]:
    """Return a training step as `fit` runs it, and the seconds that the first one took.

    Not `train_on_batch`: it sets every metric to zero before every step, which `fit` does once
    an epoch.

    Args:
        model: Not compiled.
        batch: Images, labels and masks, the same in every step.
    """
    stream = tf.data.Dataset.from_tensors(batch).repeat()
    model.compile(optimizer=keras.optimizers.Adam(1e-3), jit_compile=False)
    started = time.perf_counter()
    model.fit(stream, steps_per_epoch=1, shuffle=False, verbose=0)
    first = time.perf_counter() - started
    batches = iter(stream)
    return lambda: float(model.train_function(batches)["loss"]), first


def _batch(count: int, shape: tuple[int, ...] = (SIZE, SIZE, 3)) -> tuple[Any, Any, Any]:
    return tf.nest.map_structure(tf.constant, batch_of(count, shape))
