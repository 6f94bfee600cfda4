"""Batches of real images and virtual ones, blended from them. One function each, by name.

A way of mixing is called as form(batches, seed, start, part, **options) with the merged, augmented
batches, or the same part of each, and returns batches that hold the real rows and more. One that
can make parts by themselves says which, as `divides`; another gets whole batches. The label
`mtl_dm.losses.virtual.VIRTUAL` says which rows are virtual, and its mask what each part weighs:
the model does the rest.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from mtl_dm.data.batch_parts import Part
from mtl_dm.data.blending import mixed_batch
from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.registry import Registry

MIXING: Registry[Callable[..., tf.data.Dataset]] = Registry("way of mixing")

OWN_DRAWS = 2**40
"""Added to a seed: what augmentation draws of the same batch is something else."""


@MIXING.register("none")
def none(
    batches: tf.data.Dataset, seed: int, start: int, part: Part | None = None
) -> tf.data.Dataset:
    """Return the batches as they are."""
    del seed, start, part
    return batches


none.divides = lambda part: True  # type: ignore[attr-defined]


@MIXING.register("mix_augment")
def mix_augment(
    batches: tf.data.Dataset,
    seed: int,
    start: int = 0,
    part: Part | None = None,
    /,
    *,
    alpha: float = 0.2,
    virtual: float = 1.0,
    real: float = 2.0,
    blocks: int = 1,
) -> tf.data.Dataset:
    """Return batches in which every pair of real rows is followed by a blend of both.

    Source: Psaroudakis, Kollias 2022 (MixAugment), of which the abstract alone is at hand:
    virtual and real examples are trained on together and all contribute to the loss. Of a pair
    (i, j) the blend is that of mixup (Zhang et al. 2018),

        x = l x_i + (1 - l) x_j,   y = l y_i + (1 - l) y_j,   l ~ Beta(alpha, alpha),

    and the objective, term by term, virtual * mean over virtual rows + real * mean over real ones.
    Alpha and the weights are ours, as no source at hand prints them: 0.2 is mixup's usual one, and
    1 and 2 stand for L(x) + L(x_i) + L(x_j).

    A blend's label counts only where both parents are annotated, attribute by attribute. Partners
    are therefore drawn, by chance, among rows annotated for the same tasks as far as there are
    any: a face with an expression and one with action units would make a face with neither. What
    couples tasks sees real rows alone. All inputs must be numbers that can be blended; of a stream
    with a mask (see `mtl_dm.streams`) a frame is there where both parents have it, else 0 under
    mask 0.

    Args:
        batches: (inputs, labels, masks), of the endless stream.
        seed: Fixes every draw.
        start: Number of the first batch: batch n of the stream is always mixed alike.
        part: Whole blocks of larger batches that these are, and are mixed as; None: all.
        alpha: > 0; small: most blends are nearly one of the parents.
        virtual: Weight of the virtual part, >= 0.
        real: Weight of the real part, >= 0; not both 0.
        blocks: Equal parts of a batch within which partners are drawn, >= 1, each of an even
            number of rows: several processes divide the work where each has whole ones, and the
            result is that of one process. A block should hold several rows of every source, for
            a blend of rows that are annotated for different tasks has no label that counts.

    Raises:
        ValueError: If an option breaks its rule, an input is no float, or there is a label
            `VIRTUAL` already.
    """
    _check_options(alpha, virtual, real, blocks)
    _check_batches(batches.element_spec)
    alone = blocks == 1 and part is None
    block = None if alone else _block(batches.element_spec, blocks, part)

    def mix(element: tuple[Any, Any, Any], number: tf.Tensor) -> tuple[Any, Any, Any]:
        own = [seed + OWN_DRAWS, number]
        draws = tf.random.stateless_uniform([3, 2], own, None, None, tf.int64)
        return mixed_batch(element, draws, alpha, virtual, real, block, part)

    numbered = tf.data.Dataset.zip(batches, tf.data.Dataset.counter(start))
    return numbered.map(mix, num_parallel_calls=tf.data.AUTOTUNE)


def require_mix(text: str) -> None:
    """Check the options of a way of mixing before there are batches to mix.

    A way that has rules for its options carries what checks them as `check_options`.

    Args:
        text: "NAME" or "NAME(option=value, ...)".

    Raises:
        ValueError: As `Registry.spec`, or if an option breaks its rule.
    """
    spec = MIXING.spec(text)
    form = MIXING.get(spec.name)
    check = getattr(form, "check_options", None)
    if check is not None:
        named = inspect.signature(form).parameters.values()
        defaults = {each.name: each.default for each in named if each.kind is each.KEYWORD_ONLY}
        check(**{**defaults, **spec.options})


def _check_options(alpha: float, virtual: float, real: float, blocks: int) -> None:
    if not (math.isfinite(alpha) and alpha > 0):
        raise ValueError(f"mix_augment: alpha must be finite and > 0, got {alpha}.")
    for name, weight in (("virtual", virtual), ("real", real)):
        if not (math.isfinite(weight) and weight >= 0):
            raise ValueError(f"mix_augment: {name} must be finite and >= 0, got {weight}.")
    if not virtual + real > 0:
        raise ValueError("mix_augment: virtual and real are both 0: nothing would be trained.")
    if not (isinstance(blocks, int) and blocks >= 1):
        raise ValueError(f"mix_augment: blocks must be an integer >= 1, got {blocks!r}.")


def _divides(part: Part, *, blocks: int = 1, **others: Any) -> bool:
    """Return whether a part is made of whole blocks."""
    del others
    if part.whole % blocks:
        return False
    block = part.whole // blocks
    return part.first % block == part.rows % block == 0


def _block(spec: Any, blocks: int, part: Part | None) -> int:
    """Return the rows of a block."""
    known = tf.nest.flatten(spec)[0].shape[0]
    if part is not None and known not in (None, part.rows):
        raise ValueError(f"mix_augment: the batches have {known} rows, but {part} is given.")
    rows = known if part is None else part.whole
    if rows is None:
        raise ValueError(
            "mix_augment: blocks need batches whose rows are known: batch(N, drop_remainder=True)."
        )
    if rows % (2 * blocks):
        raise ValueError(
            f"mix_augment: {blocks} blocks need a batch_size that is a multiple of {2 * blocks}, "
            f"got {rows}."
        )
    if part is not None and not _divides(part, blocks=blocks):
        raise ValueError(f"mix_augment: {part} is not made of whole blocks of {rows // blocks}.")
    return int(rows // blocks)


mix_augment.check_options = _check_options  # type: ignore[attr-defined]
mix_augment.divides = _divides  # type: ignore[attr-defined]


def mixes_in_parts(text: str, part: Part) -> bool:
    """Return whether a way of mixing can make a part of every batch without the others.

    Args:
        text: As for `require_mix`.
        part: The part.

    Raises:
        ValueError: As `require_mix`.
    """
    require_mix(text)
    spec = MIXING.spec(text)
    own = getattr(MIXING.get(spec.name), "divides", None)
    return own is not None and bool(own(part, **spec.options))


def _check_batches(spec: Any) -> None:
    inputs, labels, _ = spec
    if not labels:
        raise ValueError("mix_augment needs batches with labels, got none.")
    if VIRTUAL in labels:
        raise ValueError(f"mix_augment names its own label {VIRTUAL!r}; the batches have one.")
    parts = inputs if isinstance(inputs, Mapping) else {"": inputs}
    for name, part in parts.items():
        if not part.dtype.is_floating:
            raise ValueError(
                f"mix_augment blends inputs, which must be floats; {name!r} is {part.dtype.name}. "
                "Leave that input out, or use mix=none."
            )
