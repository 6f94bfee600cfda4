"""Blends of the rows of a batch, two by two, and where their labels count; pure functions.

Shapes: B rows of a batch, P = B // 2 pairs, M labels of a task.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from mtl_dm.data.batch_parts import Part, drawn
from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.streams import mask_of


def mixed_batch(
    batch: tuple[Any, Any, Any],
    draws: tf.Tensor,
    alpha: float,
    virtual: float,
    real: float,
    block: int | None = None,
    part: Part | None = None,
) -> tuple[Any, Any, Any]:
    """Return a batch with a blend behind every second row, and the label `VIRTUAL`.

    Args:
        batch: (inputs, labels, masks), all inputs floats.
        draws: int64 [3, 2]; the same ones give the same blends.
        alpha: Of the distribution of shares.
        virtual: Weight of the virtual part.
        real: Weight of the real part.
        block: As for `pairs`.
        part: Whole blocks of a larger batch that this one is; None: it is the batch.
    """
    inputs, labels, masks = batch
    first, second = pairs(masks, draws[0], block, part)
    halves = None if part is None else Part(part.first // 2, part.rows // 2, part.whole // 2)
    share = drawn(lambda count: shares(count, draws[1:], alpha), tf.shape(first)[0], halves)
    mixed_labels, mixed_masks = blended_labels(labels, masks, first, second, share)
    blends = blended_inputs(inputs, first, second, share)
    zeros = tf.zeros_like(_rows(masks))
    labels, masks = {**labels, VIRTUAL: zeros}, {**masks, VIRTUAL: zeros + real}
    mixed_labels[VIRTUAL] = tf.ones_like(share)
    mixed_masks[VIRTUAL] = tf.ones_like(share) * virtual
    return tf.nest.map_structure(
        behind_pairs, (inputs, labels, masks), (blends, mixed_labels, mixed_masks)
    )


def pairs(
    masks: Mapping[str, tf.Tensor],
    draw: tf.Tensor,
    block: int | None = None,
    part: Part | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the rows [P] of the first and of the second partner of every pair.

    Rows are put into an order of chance within those that are annotated for the same tasks, and
    neighbours in it are partners. No row is in two pairs; pairs stand in the order of the batch.

    Args:
        masks: Of the batch, [B] or [B, M] by task.
        draw: int64 [2].
        block: Partners are of the same `block` rows, an even number; None: of the same batch.
        part: As for `mixed_batch`.
    """
    kind = tf.zeros_like(_rows(masks))
    for name in sorted(masks):
        rows = tf.reshape(masks[name] > 0, [tf.shape(kind)[0], -1])
        kind = 2.0 * kind + tf.cast(tf.reduce_any(rows, axis=1), tf.float32)
    # Two sorts: kind + chance in one number would lose the chance where there are many tasks.
    chance = drawn(lambda rows: tf.random.stateless_uniform([rows], draw), tf.size(kind), part)
    order = tf.argsort(chance)
    order = tf.gather(order, tf.argsort(tf.gather(kind, order), stable=True))
    if block is not None:
        order = tf.gather(order, tf.argsort(order // block, stable=True))
    count = tf.shape(order)[0] // 2
    partners = tf.reshape(order[: 2 * count], [count, 2])
    partners = tf.gather(partners, tf.argsort(tf.reduce_min(partners, axis=1)))
    return partners[:, 0], partners[:, 1]


def shares(count: tf.Tensor, draws: tf.Tensor, alpha: float) -> tf.Tensor:
    """Return draws of Beta(alpha, alpha), float32 [count], from two gamma variables each.

    Args:
        count: Number of them.
        draws: int64 [2, 2].
        alpha: > 0. As it falls to 0 both gamma variables vanish; the draw is then 0 or 1.
    """
    one, other = (
        tf.random.stateless_gamma([count], draw, tf.constant(alpha, tf.float64), dtype=tf.float64)
        for draw in tf.unstack(draws)
    )
    coin = tf.random.stateless_uniform([count], draws[0] + draws[1]) < 0.5
    # Equal, both are the smallest number that there is.
    return tf.cast(
        tf.where(one == other, tf.cast(coin, tf.float64), one / (one + other)), tf.float32
    )


def blended(values: tf.Tensor, first: tf.Tensor, second: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """Return share * values[first] + (1 - share) * values[second], [P, ...].

    Args:
        values: [B, ...], floats.
        first: [P].
        second: [P].
        share: [P], in [0, 1].
    """
    weight = tf.cast(_column(share, values), values.dtype)
    return weight * tf.gather(values, first) + (1 - weight) * tf.gather(values, second)


def blended_inputs(inputs: Any, first: tf.Tensor, second: tf.Tensor, share: tf.Tensor) -> Any:
    """Return the inputs of the blends, [P, ...] each.

    A frame of a stream, which an input with a mask of its own is, is there only where both parents
    have it: a share of what a mask says is no mask, and a share of nothing no value.

    Args:
        inputs: [B, ...], floats; one array or several by name.
        first: [P].
        second: [P].
        share: [P], in [0, 1].
    """
    blends = tf.nest.map_structure(lambda x: blended(x, first, second, share), inputs)
    if not isinstance(inputs, Mapping):
        return blends
    for stream in [name for name in inputs if mask_of(name) in inputs]:
        given, values = inputs[mask_of(stream)], blends[stream]
        mask = tf.minimum(tf.gather(given, first), tf.gather(given, second))
        there = (mask > 0)[(..., *[tf.newaxis] * (values.shape.rank - mask.shape.rank))]
        # Under a zero mask may stand anything, NaN too.
        blends |= {stream: tf.where(there, values, tf.zeros_like(values)), mask_of(stream): mask}
    return blends


def blended_labels(
    labels: Mapping[str, tf.Tensor],
    masks: Mapping[str, tf.Tensor],
    first: tf.Tensor,
    second: tf.Tensor,
    share: tf.Tensor,
) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """Return labels and masks of the blends: 0 under mask 0 unless both parents are annotated.

    A label that is no float (an identity) has no blend: it is missing.

    Args:
        labels: [B, ...] by name.
        masks: [B] or [B, M] by name.
        first: [P].
        second: [P].
        share: [P], in [0, 1].
    """
    mixed_labels, mixed_masks = {}, {}
    for name, label in labels.items():
        mask = tf.minimum(tf.gather(masks[name], first), tf.gather(masks[name], second))
        if label.dtype.is_floating:
            blend = blended(label, first, second, share)
            known = tf.reshape(mask > 0, _like(mask, blend))
            # A label under a zero mask may be anything, NaN too.
            mixed_labels[name] = tf.where(known, blend, tf.zeros_like(blend))
        else:
            mixed_labels[name] = tf.zeros_like(tf.gather(label, first))
            mask = tf.zeros_like(mask)
        mixed_masks[name] = mask
    return mixed_labels, mixed_masks


def behind_pairs(real: tf.Tensor, virtual: tf.Tensor) -> tf.Tensor:
    """Return [B + P, ...]: real rows in their order, a virtual one behind every second.

    Every replica that takes a part of the rows so gets some of both.

    Args:
        real: [B, ...].
        virtual: [P, ...].
    """
    count, rest = tf.shape(virtual)[0], real.shape[1:]
    paired = tf.reshape(real[: 2 * count], [count, 2, *rest])
    mixed = tf.reshape(tf.concat([paired, virtual[:, None]], axis=1), [3 * count, *rest])
    if real.shape[0] is None:
        return tf.concat([mixed, real[2 * count :]], axis=0)
    if real.shape[0] % 2:
        mixed = tf.concat([mixed, real[-1:]], axis=0)
    # Known rows let replicas cut a batch by them.
    return tf.ensure_shape(mixed, [real.shape[0] + real.shape[0] // 2, *rest])


def _rows(masks: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Return something float32 of shape [B]."""
    mask = tf.cast(next(iter(masks.values())), tf.float32)
    return mask if mask.shape.rank == 1 else mask[:, 0]


def _column(share: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    return tf.reshape(share, [-1] + [1] * (values.shape.rank - 1))


def _like(mask: tf.Tensor, values: tf.Tensor) -> list[int]:
    own = [-1 if size is None else size for size in mask.shape]
    return [-1, *own[1:]] + [1] * (values.shape.rank - mask.shape.rank)
