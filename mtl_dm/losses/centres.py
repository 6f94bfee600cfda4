"""Centre loss: embeddings of a class are pulled towards its centre, which follows them.

Source: Wen, Zhang, Li, Qiao 2016 (ECCV), as Ming et al. 2019 use it for identities.

Shapes: B images, K classes, D numbers of an embedding.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from mtl_dm.losses._checks import require_shape
from mtl_dm.losses.reduction import global_sum

FORMS = ("squared", "norm")
SMALL = 1e-12
"""A squared distance below this has no gradient in the form "norm": a root has none at 0."""


def centre_loss(embeddings: Any, centres: Any, labels: Any, form: str = "squared") -> Any:
    """Return how far each embedding x is from the centre c_y of its class y, [B] float32.

    squared: |x - c_y|^2 / 2 (Wen et al. 2016, eq. 2, of one image; the authors' code of Ming et
    al.). norm: |x - c_y|, eq. 4 of Ming et al. 2019 as printed. Centres are constants in it.

    Args:
        embeddings: [B, D].
        centres: [K, D].
        labels: [B, K], one-hot; all 0 where there is none, and soft ones mean a mix of centres.
        form: One of `FORMS`.

    Raises:
        ValueError: If the form is unknown or shapes do not fit.
    """
    if form not in FORMS:
        raise ValueError(f"The form of a centre loss must be one of {FORMS}, got {form!r}.")
    require_shape("labels", labels, (embeddings.shape[0], centres.shape[0]))
    embeddings = ops.cast(embeddings, "float32")
    own = ops.matmul(ops.cast(labels, "float32"), ops.stop_gradient(centres))
    square = ops.sum(ops.square(embeddings - own), axis=-1)
    if form == "squared":
        return square / 2.0
    far = square > SMALL
    return ops.where(far, ops.sqrt(ops.where(far, square, 1.0)), 0.0)


def moved_centres(centres: Any, embeddings: Any, labels: Any, weights: Any, rate: float) -> Any:
    """Return centres moved towards the mean embedding of their class over the global batch.

    c_k <- c_k - r (1/n_k) sum_{i: y_i = k} (c_k - x_i) with n_k images of the class; a class
    without an image keeps its centre. r is the authors' 1 - alfa = 0.5. Deviation from Wen et al.
    2016, eq. 4: they divide by 1 + n_k, Ming et al.'s code by n_k.

    Args:
        centres: c, [K, D].
        embeddings: x, [B, D] of this replica.
        labels: [B, K].
        weights: [B], > 0 for images that count.
        rate: r in (0, 1].
    """
    counted = ops.cast(labels, "float32") * ops.cast(weights > 0, "float32")[:, None]
    embeddings = ops.stop_gradient(ops.cast(embeddings, "float32"))
    images = global_sum(ops.sum(counted, axis=0))[:, None]
    sums = global_sum(ops.matmul(ops.transpose(counted), embeddings))
    means = sums / ops.where(images > 0, images, 1.0)
    return ops.where(images > 0, centres - rate * (centres - means), centres)
