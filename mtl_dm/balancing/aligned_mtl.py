"""Aligned-MTL: the gradients' principal components get one length."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

from mtl_dm.balancing._gradients import GradientBalancing, normalised
from mtl_dm.balancing._seen import Seen
from mtl_dm.balancing.spectrum import spectrum

SCALES = ("min", "median", "rmse")


@keras.saving.register_keras_serializable("mtl_dm")
class AlignedMTL(GradientBalancing):
    """d = sum_i (B 1)_i g_i with B = sigma V diag(values)^(-1/2) V', of condition number 1.

    Source: Senushkin et al. 2023 (Independent component alignment), eq. 8 to 11 and algorithm 1:
    of the eigenvalues and eigenvectors V of G, those above the largest times T times epsilon. The
    gradients' nearest orthogonal system, scaled by sigma, the least singular value that is left:
    more is not safe for every term. Weights may be negative.
    A term that is absent or without a gradient takes no part and has weight 0. As in the authors'
    code every term has the preference 1 (TorchJD: 1 / T), and the heads get the plain sum of the
    gradients. Deviation: epsilon is that of float32, since G is.
    Scopes: all; "features" is the authors' `Aligned-MTL-UB`, valid where terms share their images.

    Args:
        scale: sigma: the least of the singular values ("min", the paper), their lower median
            ("median") or the root of their mean square ("rmse"), as in the authors' code.
        **kwargs: As for `GradientBalancing`.

    Raises:
        ValueError: If the scale is unknown.
    """

    weighs_heads = False
    signed = True

    def __init__(self, scale: Literal["min", "median", "rmse"] = "min", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if scale not in SCALES:
            raise ValueError(f"scale of AlignedMTL must be one of {SCALES}, got {scale!r}.")
        self.scale = scale

    def weigh(self, seen: Seen) -> Any:
        """Return B 1."""
        gram, _ = normalised(seen.gram, seen.present)
        return aligned(gram, seen.present, self.scale)

    def get_config(self) -> dict[str, Any]:
        """Return the scale too."""
        return {**super().get_config(), "scale": self.scale}


def aligned(gram: Any, present: Any, scale: str) -> Any:
    """Return the row sums of B [T].

    Args:
        gram: [T, T], in any unit: B has none.
        present: [T], 1 for terms that take part.
        scale: As for `AlignedMTL`.
    """
    values, vectors, kept = spectrum(gram, present)
    inverse = kept / ops.sqrt(ops.where(kept > 0, values, 1.0))
    along = ops.sum(vectors * present[:, None], axis=0)
    sums = ops.sum(vectors * inverse * along, axis=1)
    return present * ops.sqrt(_square(values, kept, scale)) * sums


def _square(values: Any, kept: Any, scale: str) -> Any:
    """Return sigma^2 of the kept ones of ascending eigenvalues."""
    rank = ops.sum(kept)
    if scale == "rmse":
        return ops.sum(values * kept) / ops.maximum(rank, 1.0)
    below = ops.floor((rank - 1.0) / 2.0) if scale == "median" else 0.0
    place = values.shape[0] - rank + below
    at = ops.arange(values.shape[0], dtype="float32") == place
    return ops.sum(ops.where(at, values, 0.0))
