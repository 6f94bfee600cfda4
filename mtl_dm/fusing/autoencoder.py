"""The autoencoders: networks that compress the sources' embeddings and restore them.

Shapes: B rows of a batch, N numbers of all sources, K of the common embedding.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from mtl_dm.fusing.sources import BATCH
from mtl_dm.fusing.stochastic import GaussianCode, MaskingNoise

Rows = Callable[[np.ndarray], np.ndarray]
"""Places -> standardised rows [B, N]."""


Noted = Callable[[int, int, float], object]
"""Called with the step, the steps at most, and the mean squared error of held-out rows."""
HELD_OUT, CHECKS, PATIENCE = 0.1, 40, 8
"""Share of the rows that tell when to stop (of LEAST_ROWS and more), how often they are asked if
nothing stops, and how many checks in a row may bring nothing."""
LEAST_ROWS = 20


class Training(NamedTuple):
    """How an autoencoder is trained.

    Attributes:
        steps: At most; five passes over 100,000 rows at the defaults.
        batch_size: Rows a step.
        learning_rate: Of Adam; it falls to 0 along a cosine.
        seed: Of weights, draws, order and which rows are held out.
        passes: Over the rows at most: of 100 rows 2,000 steps would be 2,000 passes.
    """

    steps: int = 2000
    batch_size: int = 256
    learning_rate: float = 1e-3
    seed: int = 0
    passes: int = 60

    def steps_of(self, rows: int) -> int:
        """Return the steps that some rows are trained for at most."""
        return min(self.steps, self.passes * max(1, rows // self.batch_size))


class Autoencoder:
    """G and its mirror, by gradient descent on |reconstructed - h|^2 (Vielzeuf et al. 2019, eq. 3).

    The squares are averaged over the numbers instead of summed, which scales the learning rate
    alone. Hidden layers are ReLUs, the embedding and the reconstruction linear (not printed).

    Args:
        inputs: N.
        widths: Of the encoder's layers, the last one K; the decoder mirrors them.
        masked: Share of the inputs that is set to 0 in training: a denoising autoencoder.
        deviation: Of the decoder of a variational one; None: the code is not drawn.
        seed: Of weights and draws.
    """

    def __init__(
        self,
        inputs: int,
        widths: Sequence[int],
        *,
        masked: float = 0.0,
        deviation: float | None = None,
        seed: int = 0,
    ) -> None:
        keras.utils.set_random_seed(seed)
        self.size = widths[-1]
        self.encoder = perceptron("encoder", inputs, widths)
        self.decoder = perceptron("decoder", self.size, [*widths[-2::-1], inputs])
        rows = keras.Input((inputs,))
        seen = MaskingNoise(masked, seed)(rows) if masked else rows
        codes = self.encoder(seen)
        if deviation is not None:
            hidden = self.encoder.layers[-2].output
            before = keras.Model(self.encoder.inputs, hidden)(seen)
            spread = layers.Dense(self.size, name="log_variance")(before)
            codes = GaussianCode(deviation, inputs, seed)([codes, spread])
        self._trained = keras.Model(rows, self.decoder(codes))

    def fit(
        self,
        rows: Rows,
        places: np.ndarray,
        training: Training,
        noted: Noted = lambda step, steps, error: None,
    ) -> list[float]:
        """Train on some rows until held-out ones are restored no better; return these errors.

        The weights of the smallest error are kept.

        Args:
            rows: Of what.
            places: Of the rows to train on.
            training: How.
            noted: Called with every error of held-out rows.

        Raises:
            ValueError: If the loss is no finite number.
        """
        trained, held = _parts(places, training.seed)
        steps = training.steps_of(len(trained))
        rate = keras.optimizers.schedules.CosineDecay(training.learning_rate, steps)
        # To compile takes XLA longer than such a network is trained.
        self._trained.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False)
        between, errors, best = max(1, steps // CHECKS), [], _Best()
        for step, chosen in enumerate(itertools.islice(_batches(trained, training), steps), 1):
            batch = rows(chosen)
            loss = float(self._trained.train_on_batch(batch, batch))
            if not np.isfinite(loss):
                raise ValueError(f"The loss of the autoencoder is {loss} in step {step}.")
            if step % between and step < steps:
                continue
            errors.append(self._error(rows, held) if len(held) else loss)
            noted(step, steps, errors[-1])
            if len(held) and best.is_over(errors[-1], self._trained):
                break
        if len(held):
            self._trained.set_weights(best.weights)
        return errors

    def _error(self, rows: Rows, places: np.ndarray) -> float:
        """Return the mean squared error of some rows, a batch at a time."""
        total = 0.0
        for start in range(0, len(places), BATCH):
            part = rows(places[start : start + BATCH])
            total += float(np.square(self.decode(self.encode(part)) - part).sum())
        return total / (len(places) * part.shape[1])

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """Return codes, float32 [B, K]."""
        return keras.ops.convert_to_numpy(self.encoder(rows, training=False))

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return rows, float32 [B, N]."""
        return keras.ops.convert_to_numpy(self.decoder(codes, training=False))


class _Best:
    """The weights of the smallest error so far."""

    def __init__(self) -> None:
        self.weights: list[np.ndarray] = []
        self._error, self._since = np.inf, 0

    def is_over(self, error: float, network: keras.Model) -> bool:
        """Note an error; return whether too many in a row were no better than an earlier one."""
        if error < self._error:
            self._error, self._since, self.weights = error, 0, network.get_weights()
        else:
            self._since += 1
        return self._since >= PATIENCE


def _parts(places: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on and those to stop by, of which few rows have none."""
    held = round(HELD_OUT * len(places)) if len(places) >= LEAST_ROWS else 0
    order = np.random.default_rng(seed).permutation(places)
    return np.sort(order[held:]), np.sort(order[:held])


def _batches(places: np.ndarray, training: Training) -> Iterator[np.ndarray]:
    """Yield batches of places without end, each place once before any comes again."""
    size = min(training.batch_size, len(places))
    order = np.random.default_rng(training.seed)
    while True:
        # The last ones that fill no batch come in another pass.
        mixed = order.permutation(places)[: len(places) // size * size]
        for chosen in mixed.reshape(-1, size):
            yield np.sort(chosen)  # Files are read from front to back.


def perceptron(name: str, inputs: int, widths: Sequence[int]) -> keras.Model:
    """Return fully connected layers, ReLUs between them and none behind the last.

    Args:
        name: Of the model.
        inputs: Numbers of a row.
        widths: Of the layers.
    """
    entry = x = keras.Input((inputs,))
    for place, width in enumerate(widths, start=1):
        activation = None if place == len(widths) else "relu"
        start = "glorot_uniform" if activation is None else "he_normal"
        x = layers.Dense(width, activation, kernel_initializer=start, name=f"{name}_{place}")(x)
    return keras.Model(entry, x, name=name)
