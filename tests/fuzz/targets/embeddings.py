"""Shards of embeddings that were computed before."""

from pathlib import Path

import numpy as np

from mtl_dm.encoders.cache import cached
from mtl_dm.encoders.encoder import Encoder, Preprocessing
from mtl_dm.encoders.images import ImageFolder
from mtl_dm.encoders.network import Network
from tests.datasets.fakes import write_image
from tests.fuzz.target import Read, Target, exchanged


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    for number in range(3):
        write_image(folder / "images" / f"{number}.jpg", number)
    network = Network(None, 3, lambda images: images.mean(axis=(1, 2)))
    encoder = Encoder("means", network, 4, Preprocessing(), "fingerprint")
    images = ImageFolder(folder / "images")

    def read(path: Path | None = None) -> None:
        del path
        cached(encoder, images, folder / "out", rows=2).rows(np.arange(3))

    read()
    return exchanged(sorted((folder / "out").iterdir()), read)


TARGET = Target(prepare)
