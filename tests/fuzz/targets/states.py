"""States of a training: network, optimizer, balancing method, couplings and their gates."""

from pathlib import Path

import keras

from mtl_dm import relatedness
from mtl_dm.balancing import BALANCING
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
from mtl_dm.training.resuming import Progress, restore_state, save_state
from tests.fuzz.target import Read, Target, members


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    backbone = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    tasks = (
        Task.multiclass("expression", EXPRESSIONS),
        Task.multilabel("action_units", ACTION_UNITS),
    )
    couplings = [Coupling(relatedness=relatedness.facs(), trust=True)]
    model = MultiTaskModel(backbone, tasks, couplings, balancing=BALANCING.create("dwa"))
    model.compile(optimizer=keras.optimizers.SGD(0.1))
    model(keras.ops.zeros((1, 4)))
    model.optimizer.build(model.trainable_variables)
    save_state(folder, model, Progress(3, 0.5, 1.0, {"loss": [1.0, 0.5, 0.2]}))
    (path,) = (folder / "state").glob("*.npz")
    return members(path, lambda: restore_state(folder, model))


TARGET = Target(prepare)
