"""How fast the library is beside the obvious alternative.

Source: this project.
Command: make bench
Method: pairs are timed in turn in one run, so that whatever else the machine does hits both; the
    ratio of their medians is reported. Times are of this machine, ratios travel.
Goals: coupled / uncoupled at most 1.03 (compact CNN) and 1.01 (ResNet-50); MultiTaskModel / a
    hand-written two-head model at most 1.02; the input pipeline at least 0.95 of the same
    operations in bare tf.data; import at most 1.1 of importing Keras.
Cost: about 5 minutes on two cores.
"""

from __future__ import annotations

import argparse
import io
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
import tensorflow_datasets as tfds
from keras import ops

from experiments.study import main_guard
from mtl_dm import data, datasets
from mtl_dm.files import write_atomically
from mtl_dm.models import BACKBONES, Coupling, MultiTaskModel
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task

TASKS = (
    Task.multiclass("expression", EXPRESSIONS),
    Task.multilabel("action_units", ACTION_UNITS),
)
SIZE = 112

Row = dict[str, Any]


class HandWritten(keras.Model):
    """The same two heads and losses as a user would write them, with Keras's own functions."""

    def __init__(self, backbone: keras.Model) -> None:
        super().__init__()
        self.backbone = backbone
        self.heads = {task.name: keras.layers.Dense(task.size, name=task.name) for task in TASKS}

    def call(self, inputs: Any, training: bool | None = None) -> dict[str, Any]:
        """Return the logits of both heads."""
        features = self.backbone(inputs, training=training)
        return {name: head(features) for name, head in self.heads.items()}

    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, **_: Any) -> Any:
        """Return the masked cross entropies, each averaged over its annotated images."""
        mask = sample_weight["expression"]
        classes = keras.losses.categorical_crossentropy(
            y["expression"], y_pred["expression"], from_logits=True
        )
        total = ops.sum(classes * mask) / ops.maximum(ops.sum(mask), 1.0)
        mask = sample_weight["action_units"]
        entries = ops.binary_crossentropy(
            y["action_units"], y_pred["action_units"], from_logits=True
        )
        units = ops.sum(entries * mask, axis=-1) / ops.maximum(ops.sum(mask, axis=-1), 1.0)
        labelled = ops.max(mask, axis=-1)
        return total + ops.sum(units * labelled) / ops.maximum(ops.sum(labelled), 1.0)


def batch(count: int) -> tuple[Any, Any, Any]:
    """Return random images, labels and masks: half for each task."""
    rng = np.random.default_rng(0)
    first = np.arange(count) < count // 2
    images = rng.uniform(-1, 1, (count, SIZE, SIZE, 3)).astype(np.float32)
    labels = {
        "expression": np.eye(7, dtype=np.float32)[rng.integers(0, 7, count)],
        "action_units": rng.integers(0, 2, (count, 17)).astype(np.float32),
    }
    masks = {
        "expression": first.astype(np.float32),
        "action_units": np.repeat(~first[:, None], 17, axis=1).astype(np.float32),
    }
    return tf.nest.map_structure(tf.constant, (images, labels, masks))


def step_of(model: keras.Model, count: int) -> tuple[Callable[[], None], float]:
    """Return a training step and the seconds that the first one took."""
    images, labels, masks = batch(count)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), jit_compile=False)

    def step() -> None:
        model.train_on_batch(images, labels, sample_weight=masks)

    started = time.perf_counter()
    step()
    return step, time.perf_counter() - started


def pair(name: str, one: Callable[[], None], other: Callable[[], None], repeats: int) -> Row:
    """Return the medians of two functions timed in turn, and their ratio."""
    times: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats):
        # The order alternates: the second of a pair finds warmer caches.
        for index in (0, 1) if repeat % 2 else (1, 0):
            started = time.perf_counter()
            (one, other)[index]()
            times[index].append(time.perf_counter() - started)
    medians = [statistics.median(each) for each in times]
    return {
        "name": name,
        "seconds": medians[0],
        "seconds_of_other": medians[1],
        "ratio": medians[0] / medians[1],
        "pairs": repeats,
    }


def resnet50(shape: tuple[int, ...]) -> keras.Model:
    """Return a ResNet-50 without weights, pooled to features."""
    return keras.applications.ResNet50(
        include_top=False, weights=None, input_shape=shape, pooling="avg"
    )


def steps() -> Iterator[Row]:
    """Time training steps: coupled, uncoupled, hand-written."""
    shape = (SIZE, SIZE, 3)
    compact = BACKBONES.get("compact_cnn")
    for name, network, count, repeats in (
        ("compact CNN", compact, 32, 60),
        ("ResNet-50", resnet50, 16, 10),
    ):
        coupled, first = step_of(MultiTaskModel(network(shape), TASKS, [Coupling()]), count)
        plain, _ = step_of(MultiTaskModel(network(shape), TASKS), count)
        yield {"name": f"first step with compilation, {name}, coupled", "seconds": first}
        yield pair(f"step coupled / uncoupled, {name}", coupled, plain, repeats)
    plain, _ = step_of(MultiTaskModel(compact(shape), TASKS), 32)
    written, _ = step_of(HandWritten(compact(shape)), 32)
    yield pair("step MultiTaskModel / hand-written, compact CNN", plain, written, 60)


def pipelines(data_dir: str) -> Iterator[Row]:
    """Time reading, decoding, batching and augmenting TFRecords at 112 px."""
    name, size = "synthetic_faces/action_units_only", 64
    source = data.load(name, data_dir=data_dir, tasks=TASKS)
    builder = datasets.make_builder(name, data_dir)

    def element(example: dict[str, Any]) -> Any:
        units = example["action_units"]
        label = tf.cast(tf.maximum(units, 0), tf.float32)
        image = tf.cast(example["image"], tf.float32) / 127.5 - 1.0
        return image, {"action_units": label}, {"action_units": tf.cast(units >= 0, tf.float32)}

    def bare() -> Any:
        records = builder.as_dataset(
            split="train", read_config=tfds.ReadConfig(try_autocache=False)
        )
        elements = records.map(element, num_parallel_calls=tf.data.AUTOTUNE)
        batches = elements.shuffle(1700, seed=0).repeat().batch(size)
        return data.augment(batches, 0).prefetch(tf.data.AUTOTUNE)

    def ours() -> Any:
        stream = data.merge([source], size, seed=0, repeat=True)
        return data.augment(stream, 0).prefetch(tf.data.AUTOTUNE)

    readers = [iter(make()) for make in (bare, ours)]
    for reader in readers:
        next(reader)  # The shuffle buffer is full from here on.

    def read(reader: Any) -> Callable[[], None]:
        def fifty() -> None:
            for _ in range(50):
                next(reader)

        return fifty

    one, other = map(read, readers)
    row = pair("speed of merge + augment / bare tf.data, 112 px", one, other, 8)
    row["images_per_second"] = 50 * size / row["seconds_of_other"]
    yield row


def imports() -> Iterator[Row]:
    """Time importing the package beside importing Keras."""

    def run(module: str) -> Callable[[], None]:
        command = [sys.executable, "-c", f"import {module}"]

        def start() -> None:
            subprocess.run(command, check=True, capture_output=True)

        return start

    yield pair("import mtl_dm / import keras", run("mtl_dm"), run("keras"), 4)


def main() -> None:
    """Run every measurement and write runs/bench/results.csv."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", default="runs/bench", help="folder for results.csv")
    parser.add_argument("--data_dir", default="build/datasets", help="folder of built data sets")
    options = parser.parse_args()
    rows = []
    for part in (imports(), pipelines(options.data_dir), steps()):
        for row in part:
            rows.append(row)
            ratio = f"  ratio {row['ratio']:.3f}" if "ratio" in row else ""
            print(f"{row['name']}: {row['seconds']:.3f} s{ratio}", flush=True)
    frame = pd.DataFrame(rows)
    buffer = io.StringIO()
    frame.to_csv(buffer, index=False)
    write_atomically(Path(options.output) / "results.csv", buffer.getvalue())
    print(f"\n{frame.to_string(index=False)}")


if __name__ == "__main__":
    main_guard(main)
