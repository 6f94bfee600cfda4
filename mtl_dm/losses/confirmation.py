"""Whether other labelled images confirm the gradient of a coupling: the sums of a gradient gate.

A coupling is judged by its gradient over the weights of a head, without the part of the features
that all images share: a wrong table whose marginals are right has that part right too. At step k

    G_k = h~' dL_task / dz        C_k = h~' d(gated couplings) / dz
    u_k = cos(C_{k-1}, G_k)       v_k = cos(G_{k-1}, G_k)       w_k = |G_k| max(0, v~_k)^2

with h~ the centred features, z the logits of the head and v~_k the running mean of v before the
step, v itself in the first. u says whether the labelled images of this step confirm what the
couplings asked for in the last one, v how well they confirm what the task itself asked for. Images
that are memorised confirm nothing: their gradient makes up for what the couplings have moved, so
that u falls below 0 with a right table too where classes are many and rare. There v~ falls to 0 as
well, and w with it.

Shapes: B images of this replica, D features, L labels of a head, H heads. Everything is float32.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops

from mtl_dm.losses._checks import require_shape
from mtl_dm.losses.reduction import global_sum

KEPT = 0.98
"""Of the running mean of v, a step: it is of the last fifty."""
LEAST_STEPS = 5.0
"""Of which a standard error is worth something."""
CLOSED_BELOW, OPEN_ABOVE = 2.0, 3.0
"""Standard errors."""
SOME = 0.1
"""Of the task's own confirmation."""
ROUNDING = 1e-6


class Evidence(NamedTuple):
    """What the steps so far say of heads' couplings: sums over the steps, [H] or scalars.

    Attributes:
        steps: Their number.
        own: Running sum of v_k, of which every step forgets 1 - `KEPT`.
        w: Of w_k.
        w2: Of w_k^2.
        wu: Of w_k u_k.
        w2u: Of w_k^2 u_k.
        w2u2: Of w_k^2 u_k^2.
        wv: Of w_k v_k.
    """

    steps: Any
    own: Any
    w: Any
    w2: Any
    wu: Any
    w2u: Any
    w2u2: Any
    wv: Any


def centred(features: Any, counted: Any = None) -> Any:
    """Return features minus their mean over the global batch.

    Args:
        features: [B, D].
        counted: [B], 1 for images to look at, 0 for others, which become 0; None: all.

    Returns:
        [B, D].
    """
    features = ops.cast(features, "float32")
    require_shape("features", features, (None, None))
    if counted is None:
        images = global_sum(ops.cast(ops.shape(features)[0], "float32"))
        return features - global_sum(ops.sum(features, axis=0)) / images
    counted = ops.cast(counted, "float32")[:, None]
    images = ops.maximum(global_sum(ops.sum(counted)), 1.0)
    # Not (features - mean) * counted: an infinite feature times 0 is NaN.
    seen = ops.where(counted > 0, features, 0.0)
    return seen - counted * (global_sum(ops.sum(seen, axis=0)) / images)


def head_gradients(features: Any, at_logits: Any) -> Any:
    """Return gradients over a head's weights, of the global batch.

    Args:
        features: [B, D], centred.
        at_logits: [B, K], gradients at logits.

    Returns:
        [K, D].
    """
    at_logits = ops.cast(at_logits, "float32")
    require_shape("gradient at the logits", at_logits, (features.shape[0], None))
    return global_sum(ops.matmul(ops.transpose(at_logits), features))


class Compared(NamedTuple):
    """The gradients of a step beside those of the step before, of H heads.

    Attributes:
        u: [H], cosine of the couplings' last gradient and the task's own; 0 where one is nothing.
        v: [H], cosine of the task's last gradient and its own now, likewise.
        own: [H], |G_k|.
        coupled: [H], |C_k|.
        judged: [H], whether none of the three gradients of u and v is nothing.
        unasked: [H], whether the task has had no label, so that nobody can be asked.
    """

    u: Any
    v: Any
    own: Any
    coupled: Any
    judged: Any
    unasked: Any


def compared(products: Any) -> Compared:
    """Compare gradients by their inner products.

    Args:
        products: [H, 4, 4], between the task's own last gradient, the couplings' last one, and the
            two of this step, in this order.
    """
    require_shape("inner products", products, (None, 4, 4))
    lengths = ops.sqrt(ops.diagonal(products, axis1=1, axis2=2))
    last, now = lengths[:, :2], lengths[:, 2:3]
    cosines = ops.divide_no_nan(products[:, :2, 2], last * now)
    judged = ops.all(lengths[:, :3] > 0, axis=1)
    unasked = ops.logical_and(lengths[:, 0] == 0, lengths[:, 2] == 0)
    return Compared(cosines[:, 1], cosines[:, 0], lengths[:, 2], lengths[:, 3], judged, unasked)


def with_step(evidence: Evidence, u: Any, v: Any, length: Any) -> Evidence:
    """Return the evidence with one step more.

    Args:
        evidence: So far.
        u: How far the task confirms the couplings, in [-1, 1].
        v: How far it confirms itself, likewise.
        length: |G_k| >= 0.
    """
    passed = 1.0 - ops.power(ops.convert_to_tensor(KEPT, dtype="float32"), evidence.steps)
    before = ops.where(evidence.steps > 0, ops.divide_no_nan(evidence.own, passed), v)
    w = length * ops.square(ops.maximum(before, 0.0))
    own = KEPT * evidence.own + (1.0 - KEPT) * v
    wu, w2 = w * u, w * w
    sums = (w, w2, wu, w2 * u, wu * wu, w * v)
    totals = [total + more for total, more in zip(evidence[2:], sums, strict=True)]
    return Evidence(evidence.steps + 1.0, own, *totals)


def discounted(evidence: Evidence, share: Any) -> Evidence:
    """Return evidence in which every step so far has its weight w_k times a share.

    For couplings that have been replaced in part: the opening stays as it is, whatever the share
    above 0, until there are other steps, whose weight is larger; of nothing nothing is known.

    Args:
        evidence: Of the steps so far.
        share: In [0, 1].
    """
    once, twice = share, share * share
    steps, own, w, w2, wu, w2u, w2u2, wv = evidence
    return Evidence(
        steps, own, once * w, twice * w2, once * wu, twice * w2u, twice * w2u2, once * wv
    )


def opening(evidence: Evidence) -> Any:
    """Return how much of the couplings' gradient a head gets, in [0, 1], until labels confirm it.

    Source: this project. With z of `standing` and

        rho = sum w_k u_k / sum w_k v_k,
        s = clip(z - 2, 0, 1) clip(rho, 0, 1)

    z is large where the confirmation is no accident, rho where it is as good as the task's own. It
    does not depend on the units of |G|. Steps are taken to be independent.

    Args:
        evidence: Of the steps so far; where there are too few the opening is 0.
    """
    confirmed = ops.divide_no_nan(evidence.wu, evidence.wv)
    rho = ops.where(evidence.wv > 0, ops.clip(confirmed, 0.0, 1.0), 1.0)
    return _ramp(standing(evidence)) * rho


def remaining(evidence: Evidence) -> Any:
    """Return how much of the couplings' gradient a head gets, in [0, 1], until labels refute it.

    Source: this project, for couplings whose table labels have confirmed already. With z of
    `standing` above a tenth of what the task confirms of itself, `SOME`,

        s = 1 - clip(-z - 2, 0, 1)

    A wrong table is not worse than chance everywhere; a right one is confirmed about a quarter as
    well as the task itself.

    Args:
        evidence: Of the steps so far; where there are too few the opening is 1.
    """
    return 1.0 - _ramp(-standing(evidence, SOME))


def standing(evidence: Evidence, share: float = 0.0) -> Any:
    """Return how many standard errors the mean of u is above a share of that of v.

    With u and v the weighted means of u_k and v_k and e the standard error of u,

        e^2 = sum w_k^2 (u_k - u)^2 / (sum w_k)^2 / (1 - 1 / n),    n = (sum w_k)^2 / sum w_k^2
        z = (u - share max(0, v)) / e

    Args:
        evidence: Of the steps so far; where n, the number of steps that it is worth, is below
            `LEAST_STEPS` z is 0.
        share: In [0, 1].
    """
    worth = ops.divide_no_nan(ops.square(evidence.w), evidence.w2)
    mean = ops.divide_no_nan(evidence.wu, evidence.w)
    squares = evidence.w2u2 - mean * (2.0 * evidence.w2u - mean * evidence.w2)
    # Differences of sums in float32 are no better than this.
    squares = ops.maximum(squares, ROUNDING * evidence.w2u2)
    above = evidence.wu - share * ops.maximum(evidence.wv, 0.0)
    z = above * ops.sqrt(ops.divide_no_nan(worth - 1.0, worth * squares))
    return ops.where(worth >= LEAST_STEPS, z, 0.0)


def _ramp(z: Any) -> Any:
    return ops.clip((z - CLOSED_BELOW) / (OPEN_ABOVE - CLOSED_BELOW), 0.0, 1.0)
