"""How to predict."""

from __future__ import annotations

import dataclasses
import os

from mtl_dm import faces
from mtl_dm.files import MAX_PIXELS
from mtl_dm.memory import machine_bytes
from mtl_dm.predicting.finding import SIDES
from mtl_dm.predicting.rows import FORMATS

MOST_THREADS = 1024

PHOTOS = 4
"""How often a thread may hold a photo: decoded, with its colours in order, turned, shrunk."""


@dataclasses.dataclass(frozen=True)
class Options:
    """How to predict.

    Args:
        engine: Name of the detector.
        form: One of `FORMATS`.
        fps: Frames to take of a second of video; 0: all.
        sides: Long sides at which faces are looked for, in turn.
        min_score: What a face must score.
        batch_size: Faces a batch.
        pictures: Whether to write annotated photos.
        threads: That look for faces, as many that predict and as many that draw; 0: one a core.

    Raises:
        ValueError: If a value is out of range.
    """

    engine: str = faces.DEFAULT
    form: str = "csv"
    fps: float = 1.0
    sides: tuple[int, ...] = SIDES
    min_score: float = faces.MIN_SCORE
    batch_size: int = 32
    pictures: bool = True
    threads: int = 0

    def __post_init__(self) -> None:
        faces.ENGINES.get(self.engine)
        if self.form not in FORMATS:
            raise ValueError(f"--format must be one of {', '.join(FORMATS)}, not {self.form!r}.")
        if not 0 <= self.fps < float("inf"):
            raise ValueError(f"--fps must be 0 or more, not {self.fps}.")
        if not self.sides or min(self.sides) < 32:
            raise ValueError(f"--sides must be numbers from 32 on, not {self.sides}.")
        if not 0 < self.min_score <= 1:
            raise ValueError(f"--min_score must be in (0, 1], not {self.min_score}.")
        if self.batch_size < 1:
            raise ValueError(f"--batch_size must be at least 1, not {self.batch_size}.")
        if not 0 <= self.threads <= MOST_THREADS:
            raise ValueError(f"--threads must be 0 to {MOST_THREADS:,}, not {self.threads:,}.")

    def threads_that_fit(self) -> int:
        """Return how many threads do each thing: no more than memory has largest photos for."""
        wanted = self.threads or os.cpu_count() or 1
        return max(1, min(wanted, machine_bytes() // (PHOTOS * 3 * MAX_PIXELS)))
