"""What all cells of one run of the study share, and where they leave what others need."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.transferring import images
from experiments.transferring.sizes import SIZES, Size
from experiments.transferring.sources import sources_of
from mtl_dm.distilling.run import split
from mtl_dm.encoders import Embeddings
from mtl_dm.files import written_beside
from mtl_dm.fusing import Sources
from mtl_dm.fusing.widths import layer_widths
from mtl_dm.runs.cells import file_safe

HELD_OUT = 0.1
"""Share of the unlabelled images on which reconstruction is measured."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """A run.

    Attributes:
        folder: Of the study.
        preset: A name of `SIZES`.
        data_dir: Folder of data, or "".
        mark: Of images, sizes and sources: what was made of others is not taken up.
    """

    folder: Path
    preset: str
    data_dir: str
    mark: str

    @property
    def size(self) -> Size:
        """How large it is."""
        return SIZES[self.preset]

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources."""
        return sources_of(self.preset)

    @property
    def pool(self) -> images.Pool:
        """The images."""
        return images.read(self.folder)

    def path(self, kind: str, name: str, seed: int, suffix: str) -> Path:
        """Return where something of a row and seed lies."""
        return self.folder / kind / f"{file_safe(name)}-seed{seed}-{self.mark}{suffix}"

    def features(self, name: str, seed: int) -> np.ndarray:
        """Return the features of all images, [R, D], mapped; of a source the seed is 0.

        Raises:
            FileNotFoundError: If they are not there.
        """
        path = self.path("features", name, 0 if name in self.sources else seed, ".npy")
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} is not there, though its cell is finished: delete the cell of "
                f"{name!r}, so that it is computed again."
            )
        return np.load(path, mmap_mode="r")

    def keep(self, kind: str, name: str, seed: int, suffix: str, write: Callable) -> Path:
        """Write something of a row whole: `write` is called with a path beside its place."""
        path = self.path(kind, name, seed, suffix)
        with written_beside(path) as written:
            write(written)
        return path

    def fused(self) -> Sources:
        """Return all sources side by side."""
        parts = []
        for name in self.sources:
            width = self.features(name, 0).shape[1]
            path = self.path("features", name, 0, ".npy")
            parts.append(Embeddings(name, (path,), (0, len(self.pool.images)), width))
        return Sources(tuple(parts))

    def width(self) -> int:
        """Return how many numbers the common embedding has, by the paper's factor."""
        return layer_widths(self.fused().width)[-1]

    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the unlabelled places to fit to and those to measure on."""
        places = self.pool.unlabelled
        fitted, tested = split(len(places), HELD_OUT, 0)
        return np.sort(places[fitted]), np.sort(places[tested])
