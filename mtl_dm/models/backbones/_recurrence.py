"""Bidirectional GRUs over several sequences at once, with missing frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

_UNROLLED = 16


@keras.saving.register_keras_serializable("mtl_dm")
class ParallelGRU(keras.layers.Layer):
    """A bidirectional GRU for each of several sequences [B, T, D] of equally many frames.

    The same as a `keras.layers.Bidirectional(GRU(units))` a sequence with its mask, in Keras's
    form (reset after the recurrent map, two biases). All directions of all sequences take a step
    together, which on a CPU is several times faster to trace and to run than layer by layer. A
    frame that is missing is passed over, and its output is 0.

    Args:
        units: Of one direction.
        **kwargs: As for `keras.layers.Layer`.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, sequences_shape: Sequence[Any], present_shape: Sequence[Any]) -> None:
        """Create the weights: two directions a sequence, forward first."""
        del present_shape
        width = 3 * self.units
        self._kernels, self._recurrent, self._biases = [], [], []
        for place, shape in enumerate(sequences_shape):
            for name in (f"forward_{place}", f"backward_{place}"):
                kernel = self._add(f"{name}_kernel", (shape[-1], width), "glorot_uniform")
                back = self._add(f"{name}_recurrent_kernel", (self.units, width), "orthogonal")
                self._kernels.append(kernel)
                self._recurrent.append(back)
                self._biases.append(self._add(f"{name}_bias", (2, width), "zeros"))

    def _add(self, name: str, shape: tuple[int, ...], initializer: str) -> Any:
        return self.add_weight(name=name, shape=shape, initializer=initializer)

    @property
    def kernels(self) -> list[Any]:
        """The matrices that a frame and a state are multiplied by, of all directions."""
        return [*self._kernels, *self._recurrent]

    def call(self, sequences: Sequence[Any], present: Sequence[Any]) -> list[Any]:
        """Return [B, T, 2 * units] of each sequence.

        Args:
            sequences: [B, T, D] each.
            present: bool [B, T] each.
        """
        given, there = [], []
        for place, (sequence, frames) in enumerate(zip(sequences, present, strict=True)):
            for direction in (0, 1):
                cell = 2 * place + direction
                moved = ops.matmul(sequence, self._kernels[cell]) + self._biases[cell][0]
                given.append(ops.flip(moved, axis=1) if direction else moved)
                there.append(ops.flip(frames, axis=1) if direction else frames)
        outputs = self._steps(
            ops.transpose(ops.stack(given), (2, 0, 1, 3)),
            ops.transpose(ops.stack(there), (2, 0, 1))[..., None],
        )
        return [
            self._output(outputs[:, 2 * place], outputs[:, 2 * place + 1], frames)
            for place, frames in enumerate(present)
        ]

    def _steps(self, given: Any, there: Any) -> Any:
        """Return the states of all directions, [T, G, B, units].

        Args:
            given: [T, G, B, 3 * units], what the frames add to the gates.
            there: bool [T, G, B, 1].
        """
        recurrent = ops.concatenate([kernel[None] for kernel in self._recurrent])
        bias = ops.concatenate([bias[None, 1:] for bias in self._biases])
        start = ops.zeros_like(given[0, ..., : self.units])

        def step(state: Any, frame: tuple[Any, Any]) -> tuple[Any, Any]:
            moved, has = frame
            back = ops.matmul(state, recurrent) + bias
            gates = ops.sigmoid(moved[..., : 2 * self.units] + back[..., : 2 * self.units])
            update, reset = gates[..., : self.units], gates[..., self.units :]
            fresh = ops.tanh(moved[..., 2 * self.units :] + reset * back[..., 2 * self.units :])
            state = ops.where(has, fresh + update * (state - fresh), state)
            return state, state

        if given.shape[0] > _UNROLLED:
            return ops.scan(step, start, (given, there))[1]
        states = []
        for place in range(given.shape[0]):
            start, state = step(start, (given[place], there[place]))
            states.append(state)
        return ops.stack(states)

    def _output(self, forward: Any, backward: Any, present: Any) -> Any:
        both = ops.concatenate([forward, ops.flip(backward, axis=0)], axis=-1)
        both = ops.transpose(both, (1, 0, 2))
        return ops.where(present[..., None], both, ops.zeros_like(both))

    def compute_output_spec(self, sequences: Sequence[Any], present: Sequence[Any]) -> list[Any]:
        """Return the shapes of the results."""
        del present
        return [
            keras.KerasTensor((*each.shape[:2], 2 * self.units), dtype=self.compute_dtype)
            for each in sequences
        ]

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to build the same layer."""
        return {**super().get_config(), "units": self.units}
