"""The input pipeline beside the same operations in bare tf.data."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from experiments.bench import faces
from experiments.bench.by_hand import TASKS
from experiments.bench.timing import Goal, Row, pair
from mtl_dm import data, datasets
from mtl_dm.data.merging import SHUFFLE_BYTES

BATCH = 64

READ_AHEAD = 6
"""Batches that a pipeline may have ready."""


def rows(data_dir: str) -> Iterator[Row]:
    """Time reading, decoding, shuffling, batching and augmenting TFRecords."""
    cases = itertools.product((False, True), ((faces.FEW, 112, 20, 20), (faces.LARGE, 280, 6, 10)))
    for mixed, (config, side, batches, pairs) in cases:
        name = f"{faces.BenchFaces.name}/{config}"
        pipelines = [make(name, data_dir, side) for make in (_bare, ours)]
        if mixed:
            pipelines = [_mixed_by_hand(pipelines[0]), data.mix_augment(pipelines[1], 0)]
        title = f"speed of merge + augment{' + mix' * mixed} / bare tf.data, {side} px"
        row = _compared(title, pipelines, batches, pairs, Goal(0.97, at_least=True))
        yield {**row, "images_per_second": batches * BATCH / row["seconds_of_other"]}
    yield from parts(data_dir)


def parts(data_dir: str) -> Iterator[Row]:
    """Time what one of two and of four processes makes of every batch, by the whole batch."""
    name = f"{faces.BenchFaces.name}/{faces.FEW}"
    for processes, bound in ((2, 0.6), (4, 0.4)):
        part = data.Part(0, BATCH // processes, BATCH)
        pipelines = [ours(name, data_dir, 112, each) for each in (part, None)]
        title = f"time of one of {processes} processes' part of batches / all, 112 px"
        yield _compared(title, pipelines, 20, 20, Goal(bound))


def _compared(
    title: str, pipelines: Sequence[tf.data.Dataset], batches: int, pairs: int, goal: Goal
) -> Row:
    readers = [iter(each.prefetch(2)) for each in pipelines]
    # Two ready: autotuned buffers would be filled while the other pipeline is timed.
    for reader in readers:
        next(reader)  # The shuffle buffer is full from here on.

    def settle(index: int) -> None:
        # The one timed before fills its buffers during the pause, and not beside this one;
        # this one's are emptied: they were filled while nobody looked.
        time.sleep(0.3)
        for _ in range(READ_AHEAD):
            next(readers[index])

    one, other = (_reading(reader, batches) for reader in readers)
    return pair(title, one, other, pairs, goal, settle)


def ours(name: str, data_dir: str, side: int, part: data.Part | None = None) -> tf.data.Dataset:
    """Return the augmented batches of an endless stream, as a training reads them."""
    del side
    source = data.load(name, data_dir=data_dir, tasks=TASKS)
    batches = data.merge([source], BATCH, seed=0, repeat=True, part=part)
    return data.augment(batches, 0, part=part)


def _bare(name: str, data_dir: str, side: int) -> tf.data.Dataset:
    records = datasets.make_builder(name, data_dir).as_dataset(
        split="train", read_config=tfds.ReadConfig(try_autocache=False)
    )

    def element(example: dict[str, Any]) -> Any:
        units = example["action_units"]
        label = tf.cast(tf.maximum(units, 0), tf.float32)
        image = tf.cast(example["image"], tf.float32) / 127.5 - 1.0
        return image, {"action_units": label}, {"action_units": tf.cast(units >= 0, tf.float32)}

    elements = records.map(element, num_parallel_calls=tf.data.AUTOTUNE)
    buffer = SHUFFLE_BYTES // (side * side * 3 * 4)  # as large as that of merge
    batches = elements.shuffle(buffer, seed=0).repeat().batch(BATCH)
    return data.augment(batches, 0)


def _mixed_by_hand(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Return the same blends of batches that have one kind of label, written out."""

    def mix(inputs: Any, labels: Any, masks: Any) -> Any:
        order = tf.random.shuffle(tf.range(BATCH))
        first, second = order[: BATCH // 2], order[BATCH // 2 :]
        draws = tf.random.gamma([2, BATCH // 2], 0.2)
        share = (draws[0] / tf.reduce_sum(draws, axis=0))[:, None]

        def blend(values: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
            mixed = weight * tf.gather(values, first) + (1 - weight) * tf.gather(values, second)
            return tf.concat([values, mixed], axis=0)

        mask = masks["action_units"]
        both = tf.concat([mask, tf.gather(mask, first) * tf.gather(mask, second)], axis=0)
        label = {"action_units": blend(labels["action_units"], share)}
        return blend(inputs, share[..., None, None]), label, {"action_units": both}

    return batches.map(mix, num_parallel_calls=tf.data.AUTOTUNE)


def _reading(reader: Any, batches: int) -> Callable[[], None]:
    def read() -> None:
        for _ in range(batches):
            next(reader)

    return read
