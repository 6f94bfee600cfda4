"""Learning the relatedness of a coupling while the model trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_dm.relatedness import Estimator, drifted, learn
from mtl_dm.training.observing import LIMIT, observe


def schedule(epochs: int) -> tuple[int, int]:
    """Return after how many epochs a relatedness is learned first, and how often from then on.

    About a quarter of the training makes predictions worth learning from; as many estimates as
    fit before the last epoch, three of a training of 4, 8, 12 epochs, follow the model as it gets
    better.

    Raises:
        ValueError: If there is no time between two epochs.
    """
    if epochs < 2:
        raise ValueError(
            f"A relatedness is learned between epochs: it needs at least 2, got epochs {epochs}."
        )
    quarter = max(1, epochs // 4)
    return quarter, quarter


class LearnRelatedness(keras.callbacks.Callback):
    """Replaces the relatedness of learned couplings by what labels and predictions say of it.

    Until the first estimate the couplings are off (warm-up): the start may know nothing. After it
    the relatedness in use is replaced every few epochs by `mtl_dm.relatedness.learn`, unless the
    new one has drifted, which keeps the one in use (`mtl_dm.relatedness.drifted`); a start that is
    the same for every class stays off then. All that it changes are weights of the model, so that
    a training that was killed resumes exactly.

    Args:
        sources: The training data, unbatched.
        first: Epochs before the first estimate, at least 1.
        every: Epochs between estimates, at least 1.
        epochs: Epochs of the whole training, of which `fit` may do one stage; None: those that
            `fit` does.
        estimator: Settings; None: the defaults.
        limit: Most images a source that are looked at.
        verbose: Print a line for every estimate.

    Raises:
        ValueError: If `first` or `every` is below 1.
    """

    def __init__(
        self,
        sources: Sequence[tf.data.Dataset],
        first: int,
        every: int,
        *,
        epochs: int | None = None,
        estimator: Estimator | None = None,
        limit: int = LIMIT,
        verbose: bool = True,
    ) -> None:
        super().__init__()
        for name, value in (("first", first), ("every", every)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1 epoch, got {value}.")
        self._sources = sources
        self._first = first
        self._every = every
        self._epochs = epochs
        self._estimator = estimator
        self._limit = limit
        self._verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Keep learned couplings off until there is an estimate."""
        del logs
        if epoch == 0:
            for index in self._learned():
                for name in self.model.coupling_names(index):
                    self.model.term_scales[name].assign(0.0)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Learn where the schedule says so; not after the last epoch, which nothing follows."""
        del logs
        done = epoch + 1
        last = self.params.get("epochs") if self._epochs is None else self._epochs
        if done < self._first or (done - self._first) % self._every or done == last:
            return
        for index in self._learned():
            self._update(done, index)

    def _end_warm_up(self, index: int) -> None:
        """Switch a coupling on; a term that runs keeps what the validation gate has left of it."""
        for name in self.model.coupling_names(index):
            scale = self.model.term_scales[name]
            if not keras.ops.convert_to_numpy(scale):
                scale.assign(1.0)

    def _learned(self) -> list[int]:
        return [index for index, each in enumerate(self.model.couplings) if each.learned]

    def _update(self, epoch: int, index: int) -> None:
        coupling, live = self.model.couplings[index], self.model.live_relatedness[str(index)]
        seen = observe(self.model, self._sources, coupling, self._limit)
        new = learn(seen, coupling.relatedness, self._estimator)
        if drifted(seen, new, live.value(), self._estimator):
            said = "explains the class labels worse than the one in use, which is kept"
        else:
            live.assign(new)
            said = f"learned from {len(seen.class_labels):,} images"
        if np.ptp(live.value().conditional, axis=0).any():
            self._end_warm_up(index)
        if self._verbose:
            print(f"After epoch {epoch}: relatedness {said}.", flush=True)
