"""Mel-frequency cepstral coefficients of a sound, one row a video frame."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

_FLOOR = 1e-6
"""Least energy of a mel band before the logarithm: silence is no minus infinity."""


def mfcc(
    samples: np.ndarray,
    rate: int,
    frames: int,
    frames_per_second: float,
    *,
    coefficients: int = 40,
    seconds: float = 0.04,
) -> np.ndarray:
    """Return the coefficients of the sound around each video frame, by `tf.signal`.

    A frame has its own logarithm and floor, so that what else is in the recording changes nothing.

    Args:
        samples: [S], in [-1, 1].
        rate: Samples a second.
        frames: N, video frames from the beginning of the sound.
        frames_per_second: Of the video.
        coefficients: D, as many as mel bands from 20 Hz to half the rate.
        seconds: Length of sound around the middle of a frame; what reaches beyond the sound is
            silence.

    Returns:
        float32 [N, D]; NaN, which is missing, for frames whose middle lies beyond the sound.

    Raises:
        ValueError: If `samples` is not [S], or another argument is not above 0.
    """
    samples = np.asarray(samples, np.float32)
    if samples.ndim != 1:
        raise ValueError(f"samples must have the shape [S], got {samples.shape}.")
    given = {"rate": rate, "frames": frames, "frames_per_second": frames_per_second,
             "coefficients": coefficients, "seconds": seconds}  # fmt: skip
    for name, value in given.items():
        if not value > 0:
            raise ValueError(f"{name} must be above 0, got {value}.")
    length = max(2, round(seconds * rate))
    middles = np.round((np.arange(frames) + 0.5) / frames_per_second * rate).astype(np.int64)
    places = middles[:, None] + np.arange(length) - length // 2
    there = (places >= 0) & (places < len(samples))
    padded = np.append(samples, np.float32(0))
    pieces = padded[np.where(there, places, len(samples))] * np.hanning(length + 1)[:-1]
    points = 2 ** int(np.ceil(np.log2(length)))
    power = np.abs(np.fft.rfft(pieces, points)) ** 2
    bands = tf.signal.linear_to_mel_weight_matrix(
        coefficients, power.shape[1], rate, 20.0, rate / 2, tf.float64
    )
    energies = tf.math.log(tf.matmul(tf.constant(power), bands) + _FLOOR)
    found = tf.signal.mfccs_from_log_mel_spectrograms(tf.cast(energies, tf.float32)).numpy()
    found[middles >= len(samples)] = np.nan
    return found
