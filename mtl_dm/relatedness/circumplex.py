"""Published coordinates of expressions in the plane of valence and arousal."""

from __future__ import annotations

import math

import numpy as np

from mtl_dm.relatedness.moments import Moments

CITATION = (
    "Russell: A circumplex model of affect, Journal of Personality and Social Psychology 39, 1980, "
    "Fig. 4, coordinates as a public program lists them (second-hand, not checked against the "
    "figure); neutral at the origin, the deviation and which word stands for which expression: "
    "this project."
)

COORDINATES = {
    "neutral": (0.0, 0.0),
    "happiness": (0.826, 0.526),
    "sadness": (-0.648, -0.267),
    "fear": (-0.340, 0.640),
    "anger": (-0.523, 0.585),
    "surprise": (0.158, 0.890),
}
"""Happy, Sad, Afraid, Angry and Astonished. The list has no word for disgust."""


def russell(deviation: float = 0.25) -> Moments:
    """Return valence and arousal of six expressions on Russell's circumplex.

    Disgust is not among them, and is left alone by a coupling. The source has coordinates and no
    spread: it is the same in every direction and for every expression.

    Args:
        deviation: Standard deviation of valence, and of arousal, within an expression, > 0; the
            default is this project's choice, not measured.

    Raises:
        ValueError: If it is not positive.
    """
    if not (math.isfinite(deviation) and deviation > 0):
        raise ValueError(f"deviation must be finite and > 0, got {deviation}.")
    covariance = np.repeat(deviation**2 * np.eye(2)[None], len(COORDINATES), axis=0)
    return Moments(
        tuple(COORDINATES),
        ("valence", "arousal"),
        np.array(list(COORDINATES.values())),
        covariance,
        CITATION,
    )
