"""Files of weights that a network starts from."""

from pathlib import Path

import keras

from mtl_dm.models.backbones._weight_files import input_mode_in, stored_in
from tests.fuzz.target import Read, Target, exchanged


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    paths = [folder / name for name in ("net.keras", "net.weights.h5", "old.h5")]
    model.save(paths[0])
    model.save_weights(paths[1])
    model.save(paths[2])

    def read(path: Path) -> None:
        input_mode_in(str(path))
        stored_in(path)

    return exchanged(paths, read)


TARGET = Target(prepare)
