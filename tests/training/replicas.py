"""Trains on one device and on two replicas; prints a line of JSON: by backbone the largest
difference between the weights, between the logs and between the gradients of single terms.

Run in a process of its own: TensorFlow fixes its devices when it starts, and a second strategy
in a process takes up the collective operations of the first, so that all cases share one.
"""

import functools
import json
import tempfile

import keras
import numpy as np
import tensorflow as tf

from mtl_dm import data
from mtl_dm.models import BACKBONES, Coupling, MultiTaskModel
from mtl_dm.models.backbones import example_of
from mtl_dm.models.steps import backend
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
from mtl_dm.training import fitting
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.resuming import Progress, restore_state, save_state

TASKS = (
    Task.multiclass("expression", EXPRESSIONS),
    Task.multilabel("action_units", ACTION_UNITS),
)
MIXES = {"dense_trunk": "mix_augment", "compact_cnn": "none"}
"""How the images of a backbone are mixed."""
# The default, printed forms of single images, and those whose sums, and factors by the rule, run
# over all replicas. Every form alone: tests/losses/test_replicas.py.
COUPLINGS = [
    Coupling(),
    Coupling(name="paper", matching_form="paper", co_annotation_form="paper"),
    Coupling(name="batch", matching_form="batch", co_annotation_form="posterior"),
]


def trained(strategy, backbone):
    rng = np.random.default_rng(0)
    example = example_of(backbone, BACKBONES.get(backbone))
    shape = example.shape
    inputs = rng.uniform(-1, 1, (64, *shape)).astype(np.float32)
    # 5 of 8 places: the replicas' halves hold different numbers of each task's labels.
    sources = [
        data.from_arrays(inputs[:40], {"expression": rng.integers(0, 7, 40)}, TASKS),
        data.from_arrays(inputs[40:], {"action_units": rng.integers(-1, 2, (24, 17))}, TASKS),
    ]
    config = TrainConfig(
        datasets=("a", "b"),
        batch_size=8,
        epochs=1,
        steps_per_epoch=3,
        strategy=strategy,
        augment=False,
        mix=MIXES[backbone],
    )
    with fitting.settings(config):
        # Dropout draws on each replica for itself; everything else must agree.
        network = BACKBONES.get(backbone)(shape, **example.exact)
        model = MultiTaskModel(network, TASKS, COUPLINGS)
        stream, steps = fitting.training_stream(sources, config)
        # Without Adam's division small differences stay small.
        # One device takes its steps one by one: to compile them takes longer.
        eagerly = strategy == "none"
        model.compile(keras.optimizers.SGD(0.05), jit_compile=False, run_eagerly=eagerly)
        history = model.fit(stream, steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False)
        with tempfile.TemporaryDirectory() as folder:
            save_state(folder, model, Progress(epochs=1))
            restore_state(folder, model)
        for gate in model.gates.values():  # So few steps open none.
            gate.opening.assign(0.5)
        terms = [*(task.name for task in TASKS), *model.coupling_names()]
        gradients = backend().term_gradients(model)(next(iter(stream)), terms)
    return [weight.numpy() for weight in model.weights], history.history, gradients


def differences(backbone):
    one, one_logs, one_gradients = trained("none", backbone)
    two, two_logs, two_gradients = trained("mirrored", backbone)
    return {
        "weights": max(float(np.abs(a - b).max()) for a, b in zip(one, two, strict=True)),
        "logs": max(
            abs(one_logs[name][0] - two_logs[name][0]) / max(1.0, abs(one_logs[name][0]))
            for name in one_logs
        ),
        "gradients": max(
            float(np.linalg.norm(one_gradients[name] - two_gradients[name]))
            / float(np.linalg.norm(one_gradients[name]))
            for name in one_gradients
        ),
    }


def main():
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy
    shared = functools.cache(lambda *devices: strategy(list(devices)))
    tf.distribute.MirroredStrategy = lambda devices: shared(*devices)
    print(json.dumps({name: differences(name) for name in MIXES}))


if __name__ == "__main__":
    main()
