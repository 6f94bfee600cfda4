"""How long all epochs of a training will take, said after each one or so."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import keras

from mtl_dm.progress import BETWEEN_SECONDS, FIRST_SECONDS, spoken


class TimeLeft(keras.callbacks.Callback):
    """Says after an epoch how long the others will take, where Keras says it of an epoch alone.

    The first epoch of a start, which compiles, counts only until there is a second one.

    Args:
        total: Epochs of all stages.
        say: Writes a line.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        total: int,
        say: Callable[[str], object] = print,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._total, self._say, self._clock = total, say, clock
        self._ends: list[float] = []
        self._said = 0.0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start the clock."""
        del logs
        self._ends = [self._clock()]
        self._said = self._ends[0] + FIRST_SECONDS - BETWEEN_SECONDS

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Say what is left, not too often."""
        del logs
        now = self._clock()
        self._ends.append(now)
        left = self._total - epoch - 1
        if left <= 0 or now < self._said + BETWEEN_SECONDS:
            return
        self._said = now
        first = 0 if len(self._ends) == 2 else 1
        each = (now - self._ends[first]) / (len(self._ends) - 1 - first)
        self._say(f"{epoch + 1} of {self._total} epochs, about {spoken(each * left)} left")
