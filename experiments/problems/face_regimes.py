"""Real faces of which few have one of the two labels: who carries what, and what is known of both.

In the regimes of one database all training images are FER2013's, each content once. A seeded random
share of them carries its expression alone; all others carry their movements alone, those in which a
face was found (the rest has no label and is left out). "1% of classes" is a share of 1%, "1% of
movements" one of 99%: no image carries both labels, and what a smaller share keeps is among what a
larger one keeps. In "two databases" FER2013 carries expressions and LFW's training people carry
movements, whole.

A movement is there above the upper quartile, at least 0.1, of all training images of the database
that carries it: what a label means is fixed before it is made scarce.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.engine.problem import Given
from experiments.problems import facial_movements
from experiments.problems.real_faces import COUNTED, SOURCES, RealFacesProblem
from experiments.problems.real_faces_data import SPLIT_SEED
from experiments.problems.regimes import divided
from experiments.problems.variants import wrong

SHARES = {
    "1% of classes": 0.01,
    "1% of movements": 0.99,
    "10% of classes": 0.1,
    "10% of movements": 0.9,
}
"""Share of FER2013's training images that carry their expression alone."""
TWO_DATABASES = "two databases"
REGIMES = (*SHARES, TWO_DATABASES)
ONE_DATABASE = (SOURCES[0], "fer2013 (facial movements)")
PERMUTED = f"{COUNTED}; rows of the classes exchanged"


class FaceRegime(RealFacesProblem):
    """FER2013 in a regime of annotation, 14 movements; test images as `RealFacesProblem`.

    No thresholds are chosen: whoever has few labels of movements has none to choose them on.

    Args:
        data_dir: Folder of both databases.
        regime: One of `REGIMES`.
        test: "test", or "validation" to test on the held-out tenth of FER2013's Training.
        options: Fields of the configuration; the seed also draws who carries what.

    Raises:
        FileNotFoundError: If something is not there; it is named.
        ValueError: If a file is malformed or the regime is unknown.
    """

    calibrated = True

    def __init__(self, data_dir: str, regime: str, test: str, options: Mapping[str, Any]) -> None:
        if regime not in REGIMES:
            raise ValueError(f"Unknown regime {regime!r}. Known: {list(REGIMES)}.")
        super().__init__(data_dir, test, options, facial_movements.EVERY_TASK)
        self.names = {**self.names, "permuted": PERMUTED}
        if regime != TWO_DATABASES:
            train = self._faces.train
            kept = divided(contents(train.images), SHARES[regime], (SPLIT_SEED, self.config.seed))
            measured = kept.attributes[train.is_measured[kept.attributes]]
            self._parts = (train.take(kept.classes), train.take(measured))
            self._thresholds = facial_movements.thresholds(train.scores)
            self.config = self.config.replace(datasets=ONE_DATABASE)
        self.record = {
            **self.record,
            "regime": regime,
            "carry": self.carry,
            "movements": list(facial_movements.EVERY),
            "thresholds": [round(float(value), 4) for value in self._thresholds],
        }

    @property
    def carry(self) -> dict[str, int]:
        """How many training images carry the labels of each task."""
        return {
            task.name: len(part.images) for task, part in zip(self.tasks, self._parts, strict=True)
        }

    def validation(self, tasks: Any) -> None:
        """Return nothing."""
        del tasks

    def given(self, name: str) -> Given | None:
        """Return a relatedness as `RealFacesProblem`, or the counted one with other classes."""
        if name == PERMUTED:
            return Given(wrong(self._counted(), self.config.seed))
        return super().given(name)


def contents(images: np.ndarray) -> list[int]:
    """Return the rows of images that do not repeat an earlier one, in order.

    Args:
        images: uint8 [N, ...].
    """
    first: dict[bytes, int] = {}
    for row, image in enumerate(images):
        first.setdefault(image.tobytes(), row)
    return list(first.values())
