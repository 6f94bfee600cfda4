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

from mtl_dm.fusing.stochastic import GaussianCode, MaskingNoise
from mtl_dm.progress import counted

Rows = Callable[[np.ndarray], np.ndarray]
"""Places -> standardised rows [B, N]."""


class Training(NamedTuple):
    """How an autoencoder is trained.

    Attributes:
        steps: However many rows there are; five passes over 100,000 at the defaults.
        batch_size: Rows a step.
        learning_rate: Of Adam; it falls to 0 along a cosine.
        seed: Of weights, draws and order.
    """

    steps: int = 2000
    batch_size: int = 256
    learning_rate: float = 1e-3
    seed: int = 0


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

    def fit(self, rows: Rows, places: np.ndarray, training: Training) -> list[float]:
        """Train on some rows; return the loss of each step.

        Args:
            rows: Of what.
            places: Of the rows to train on.
            training: How.

        Raises:
            ValueError: If the loss is no finite number.
        """
        rate = keras.optimizers.schedules.CosineDecay(training.learning_rate, training.steps)
        # To compile takes XLA longer than such a network is trained.
        self._trained.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False)
        losses: list[float] = []
        steps = itertools.islice(_batches(places, training), training.steps)
        for chosen in counted(steps, "steps of the operator", training.steps):
            batch = rows(chosen)
            losses.append(float(self._trained.train_on_batch(batch, batch)))
            if not np.isfinite(losses[-1]):
                raise ValueError(
                    f"The loss of the autoencoder is {losses[-1]} in step {len(losses)}."
                )
        return losses

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """Return codes, float32 [B, K]."""
        return keras.ops.convert_to_numpy(self.encoder(rows, training=False))

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return rows, float32 [B, N]."""
        return keras.ops.convert_to_numpy(self.decoder(codes, training=False))


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
