"""Trains some steps on the backend there is and writes what came out, an .npz file a case.

They start from the weights in a folder of .npz files, one a case of `CASES`; where one is missing
it is written.
"""

import json
from pathlib import Path

import keras
import numpy as np

from mtl_dm.models import BACKBONES, Coupling, MultiTaskModel
from mtl_dm.models.steps import backend
from tests.models.cases import (
    AFFECT,
    EXPRESSION,
    TABLE,
    UNITS,
    coupled_model,
    dataset,
    random_batch,
)

TASKS = (EXPRESSION, UNITS, AFFECT)
ROWS, BATCH, EPOCHS = 24, 8, 2
CASES = ("vectors", "vectors_bfloat16", "images", "images_bfloat16")


def vectors():
    model = coupled_model(tasks=TASKS)
    model(keras.ops.zeros((1, 3)))
    return model, random_batch(ROWS, seed=5, junk=np.nan, tasks=TASKS)


def images():
    """The compact CNN with batch normalisation, without dropout: its draws differ by backend."""
    backbone = BACKBONES.get("compact_cnn")((16, 16, 3), dropout=0.0)
    model = MultiTaskModel(backbone, (EXPRESSION, UNITS), [Coupling(relatedness=TABLE)])
    model(keras.ops.zeros((1, 16, 16, 3)))
    _, labels, masks = random_batch(ROWS, seed=6)
    pixels = np.random.default_rng(7).uniform(-1, 1, (ROWS, 16, 16, 3)).astype(np.float32)
    return model, (pixels, labels, masks)


def start_from(model, path):
    """Give the model the same weights on every backend."""
    if not path.exists():
        np.savez(path, *[keras.ops.convert_to_numpy(v) for v in model.weights])
    with np.load(path) as content:
        model.set_weights([content[f"arr_{index}"] for index in range(len(content.files))])


def trained(case, start):
    """Return weights, logits, logs and gradients after some steps."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("mixed_bfloat16" if case.endswith("bfloat16") else "float32")
    model, batch = images() if case.startswith("images") else vectors()
    start_from(model, start)
    adam = case == "vectors"
    # Adam divides by the root of a square: where a gradient is near 0, rounding alone decides its
    # direction. A large epsilon keeps the comparison about the arithmetic.
    optimizer = keras.optimizers.Adam(0.01, epsilon=1e-3) if adam else keras.optimizers.SGD(0.01)
    # On TensorFlow one case is compiled by XLA. The others' few steps are taken one by one: to
    # compile them takes longer.
    compiled = keras.backend.backend() == "jax" or case == "vectors"
    model.compile(optimizer=optimizer, jit_compile=compiled, run_eagerly=not compiled)
    stream = dataset(batch, BATCH)
    logs = model.fit(
        stream, epochs=EPOCHS, validation_data=stream, shuffle=False, verbose=0
    ).history
    values = {f"weight/{i}": keras.ops.convert_to_numpy(v) for i, v in enumerate(model.weights)}
    logits = model.predict(stream.map(lambda x, y, masks: x), verbose=0)
    values.update({f"logits/{name}": value for name, value in logits.items()})
    values.update({f"log/{name}": np.array(value) for name, value in logs.items()})
    if not case.endswith("bfloat16"):
        terms = [*(task.name for task in model.tasks), *model.coupling_names()]
        gradients = backend().term_gradients(model)(next(iter(stream)), terms)
        values.update({f"gradient/{name}": value for name, value in gradients.items()})
    values["about"] = np.array(json.dumps({"backend": keras.backend.backend()}))
    return values


def main(start, result):
    """Train from the weights in one folder; leave what came out in the other."""
    for case in CASES:
        np.savez(Path(result) / f"{case}.npz", **trained(case, Path(start) / f"{case}.npz"))
