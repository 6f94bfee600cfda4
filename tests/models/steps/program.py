"""Trains some steps with every kind of balancing method; writes what came out to an .npz file.

    python -m tests.models.steps.program HOW RESULT

HOW is "one" (device) or "two" (replicas, on TensorFlow). Run in a process of its own: TensorFlow
fixes its devices when it starts, Keras its backend. The weights at the start are drawn by NumPy.
Most steps are not compiled, which takes longer than they do.
"""

import contextlib
import sys

import keras
import numpy as np

from mtl_dm.balancing import BALANCING, MGDA
from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.models import CentreLoss, Coupling
from tests.balancing import alone
from tests.balancing.methods import ALL, one_a_kind
from tests.models.cases import (
    AFFECT,
    EXPRESSION,
    TABLE,
    UNITS,
    coupled_model,
    dataset,
    random_batch,
)
from tests.models.providers import Ancestor, Centre, Raw

GATED = {"gated": BALANCING.get("equal"), "gated_mgda": MGDA}
"""With couplings behind gradient gates, and virtual rows."""
CENTRED = {"centred": lambda: BALANCING.get("dynamic")(variant="author"), "centred_mgda": MGDA}
"""With a term that has a state, a part of a task's."""
BRANCHED = {"ancestor_mgda": MGDA}
"""With features that other features are made of."""
VARIED = {
    **GATED,
    **CENTRED,
    **BRANCHED,
    "mgda_features": lambda: MGDA(scope="features"),
}
METHODS = {**ALL, **VARIED}
KINDS = one_a_kind({"mgda": MGDA, **ALL})
FULL, HALF = "float32", "mixed_float16"
CASES = [
    *((name, FULL, False) for name in (*KINDS, *VARIED)),
    *(
        (name, HALF, False)
        for name in ("equal", "mgda", "mgda_features", "gradnorm", "after", "gated", "centred")
    ),
    ("mgda", FULL, True),
]
"""Method, precision, and whether the step is compiled."""
ON_JAX = [case for case in CASES if case[0] == "mgda" or case[1] == FULL]
TASKS = (EXPRESSION, UNITS, AFFECT.replace(loss="ccc"))
ROWS, BATCH, GATED_EPOCHS = 16, 8, 2
"""Two steps: the second is weighed by what the first has left in memory. Gates need some more."""


def batches(virtual=False):
    """Labels on the replicas' halves of a batch are uneven, and the last batch has no affect."""
    x, labels, masks = random_batch(ROWS, seed=5, junk=np.nan, tasks=TASKS)
    masks["expression"][4:8] = 0
    masks["action_units"][0:3] = 0
    masks["affect"][8:] = 0
    if virtual:
        labels[VIRTUAL] = np.isin(np.arange(ROWS), [2, 3, 13]).astype(np.float32)
        masks[VIRTUAL] = 2.0 - labels[VIRTUAL]
    return x, labels, masks


def start(model):
    """Give the model the same weights on every backend; what methods remember stays as it is."""
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.5, variable.shape).astype(np.float32))
    for variable in model.balancing.trainable_variables:
        variable.assign(np.zeros(variable.shape, np.float32))
    for gate in model.gates.values():
        gate.opening.assign(0.5)


def key(name, precision, compiled):
    return f"{name} {precision}{' compiled' * compiled}"


def trained(name, precision, compiled):
    """What the weights and logs are after some steps."""
    keras.config.set_dtype_policy(precision)
    backbone = Ancestor() if name in BRANCHED else Raw(penalty=0.0)
    # Couplings have replicas and backends of their own under test.
    couplings = [Coupling(relatedness=TABLE)] if name in GATED else ()
    terms = [Centre(), *([CentreLoss(task="expression", name="code")] if name in CENTRED else [])]
    model = coupled_model(backbone, couplings, TASKS, balancing=METHODS[name](), terms=terms)
    model(keras.ops.zeros((1, 3)))
    start(model)
    optimizer = keras.optimizers.SGD(0.05)
    if precision == HALF:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=128.0)
    jit = compiled and keras.backend.backend() == "jax"
    model.compile(optimizer, jit_compile=jit, run_eagerly=not compiled)
    stream, epochs = batches(name in GATED), GATED_EPOCHS if name in GATED else 1
    logs = model.fit(dataset(stream, BATCH), epochs=epochs, verbose=0, shuffle=False).history
    values = {f"log/{log}": np.array(value) for log, value in logs.items()}
    for place, variable in enumerate(model.weights):
        values[f"weight/{place} {variable.name}"] = keras.ops.convert_to_numpy(variable)
    return values


def all_cases():
    return {
        f"{key(*case)}/{name}": value
        for case in (ON_JAX if keras.backend.backend() == "jax" else CASES)
        for name, value in trained(*case).items()
    }


def weighed(make):
    """What a method gives for some steps, and remembers of them, in any precision."""
    method = alone.prepare(make())
    weights = [alone.take(method, alone.seen(seed=seed)) for seed in range(2)]
    return {"weights": np.stack(weights), **dict(enumerate(alone.memory_of(method)))}


def all_weighed():
    keras.config.set_dtype_policy(FULL)
    return {
        f"{name}/{part}": value
        for name, make in ALL.items()
        for part, value in weighed(make).items()
    }


def overflowing():
    """What is left after a step whose gradients overflow on the second replica alone."""
    keras.config.set_dtype_policy(HALF)
    model = coupled_model(couplings=(), tasks=TASKS)
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05), initial_scale=128.0)
    model.compile(optimizer, run_eagerly=True)
    x, labels, masks = random_batch(BATCH, seed=5, tasks=TASKS)
    for mask in masks.values():
        mask[:] = 1
    x[-2] = 3e4
    model(x)
    start(model)  # With other weights they may not overflow.
    before = model.get_weights()
    model.fit(dataset((x, labels, masks), BATCH), verbose=0, shuffle=False)
    same = all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    return {"overflow": np.array([same, float(optimizer.dynamic_scale.numpy()) == 64.0])}


def uneven():
    """The logs of an epoch whose last batch has two rows on one replica and one on the other."""
    keras.config.set_dtype_policy(FULL)
    model = coupled_model(couplings=(), tasks=TASKS, terms=[Centre()])
    model(keras.ops.zeros((1, 3)))
    start(model)
    model.compile(keras.optimizers.SGD(0.05), run_eagerly=True)
    stream = dataset(random_batch(7, seed=5, tasks=TASKS), 4)
    logs = model.fit(stream, validation_data=stream, verbose=0, shuffle=False).history
    return {f"uneven/{name}": np.array(logs[name]) for name in ("loss", "val_loss")}


def two_replicas():
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    # Sums taken on one device: step by step, a collective operation traces a graph for each sum,
    # which is half of the time. The default is that of tests/training/replicas.py.
    sums = tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=sums).scope()


def main(how, result):
    with two_replicas() if how == "two" else contextlib.nullcontext():
        rest = {**overflowing(), **uneven()} if how == "two" else all_weighed()
        np.savez(result, **all_cases(), **rest)


if __name__ == "__main__":
    main(*sys.argv[1:])
