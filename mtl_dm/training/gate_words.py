"""What the gradient gates have done, in words, while a model trains."""

from __future__ import annotations

from typing import Any

import keras

from mtl_dm.models.gradient_gate import in_words, openings, state_of


class GateWords(keras.callbacks.Callback):
    """Prints how far the gates are open after the last epoch, and where one has opened or closed.

    It acts on nothing and needs no memory: a training that goes on says once more what it finds.
    """

    def __init__(self) -> None:
        super().__init__()
        self._states: dict[str, str] | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Print a line if there is something new."""
        del logs
        found = openings(self.model.gates)
        states = {name: state_of(each) for name, each in found.items()}
        before = self._states or dict.fromkeys(states, "closed")
        self._states = states
        if states != before or epoch + 1 == self.params.get("epochs"):
            print(f"After epoch {epoch + 1}: {in_words(found)}.", flush=True)
