"""What makes an autoencoder a denoising or a variational one: layers that draw in training."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("mtl_dm")
class MaskingNoise(keras.layers.Layer):
    """Sets a share of the inputs to 0 in training (Vincent et al. 2010, masking noise).

    Args:
        share: That is set to 0, in [0, 1).
        seed: Of the draws.
        **kwargs: As for `keras.layers.Layer`.

    Raises:
        ValueError: If the share is outside.
    """

    def __init__(self, share: float, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= share < 1:
            raise ValueError(f"The share of masked numbers must lie in [0, 1), got {share}.")
        self.share, self.seed = share, seed
        self._draws = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return inputs [B, N], some of them 0; unlike dropout the others are not scaled."""
        if not training:
            return inputs
        drawn = keras.random.uniform(ops.shape(inputs), seed=self._draws)
        return ops.where(drawn < self.share, ops.zeros_like(inputs), inputs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().get_config(), "share": self.share, "seed": self.seed}


@keras.saving.register_keras_serializable("mtl_dm")
class GaussianCode(keras.layers.Layer):
    """Draws a code around its mean in training, with the divergence from N(0, 1) as a loss.

    Kingma and Welling 2014, eq. 10 and appendix B: z = m + exp(s / 2) * e, e ~ N(0, 1), and
    KL = 1/2 sum(m^2 + exp(s) - s - 1) over the numbers of the code. A decoder of standard
    deviation d has -log p = 1/2 |x - y|^2 / d^2; all times 2 d^2 / N, which turns the first term
    into the mean squared error that is trained, the loss is 2 d^2 / N * KL.

    The log variance s has weights of its own in a layer here, used in training alone: the encoder
    that is kept has as many parameters as the autoencoder's.

    Args:
        deviation: d, about the error that is expected, above 0.
        inputs: N, the numbers that are reconstructed.
        seed: Of the draws.
        **kwargs: As for `keras.layers.Layer`.

    Raises:
        ValueError: If the deviation is not above 0.
    """

    def __init__(self, deviation: float, inputs: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not deviation > 0:
            raise ValueError(f"deviation must be above 0, got {deviation}.")
        self.deviation, self.inputs, self.seed = deviation, inputs, seed
        self._draws = keras.random.SeedGenerator(seed)

    def call(self, values: tuple[Any, Any], training: bool = False) -> Any:
        """Return codes [B, K].

        Args:
            values: Means and log variances, [B, K] each.
            training: Whether to draw.
        """
        mean, log_variance = values
        divergence = 0.5 * ops.sum(
            ops.square(mean) + ops.exp(log_variance) - log_variance - 1.0, axis=-1
        )
        self.add_loss(2 * self.deviation**2 / self.inputs * ops.mean(divergence))
        if not training:
            return mean
        drawn = keras.random.normal(ops.shape(mean), seed=self._draws)
        return mean + ops.exp(0.5 * log_variance) * drawn

    def compute_output_shape(self, shapes: Any) -> Any:
        """Return the shape of the codes."""
        return shapes[0]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {
            **super().get_config(),
            "deviation": self.deviation,
            "inputs": self.inputs,
            "seed": self.seed,
        }
