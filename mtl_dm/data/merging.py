"""Several sources, each annotated for its own tasks, become one stream of mixed batches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_dm.data.batch_parts import Part
from mtl_dm.data.batch_sizes import bytes_of
from mtl_dm.data.deferred import parts_of

SHUFFLE_BYTES = 256 * 1024**2
"""Memory that the elements in the shuffle buffer of one source may take, as they are in batches."""

_SOURCES = "_mtl_dm_sources"
"""Attribute of a stream, as `deferred` has one."""


def merge(
    sources: Sequence[tf.data.Dataset],
    batch_size: int,
    *,
    shares: Sequence[float] | None = None,
    seed: int = 0,
    repeat: bool = False,
    start: int = 0,
    part: Part | None = None,
) -> tf.data.Dataset:
    """Return shuffled batches in which every source has a fixed number of places.

    An element of a source is (input, labels, masks) as in docs/guide/python.md, with labels and
    masks of its own tasks only; tasks that it lacks and another source has are added under a zero
    mask. An epoch ends when the largest source (per its share) was seen once; smaller ones repeat,
    shuffled anew. The order follows from `seed`. One epoch has an order of its own each time it
    is read, the same ones each time the program runs (where TensorFlow's global seed is set, it
    has a say too); the endless stream is always the same.

    Args:
        sources: Unbatched data sets of known size whose inputs agree in structure and shape.
        batch_size: Elements per batch over all sources, at least one each.
        shares: Part of a batch per source, > 0, in any unit; None: proportional to size. They
            are rounded to whole places in a batch, at least one each.
        seed: Fixes the order.
        repeat: Return an endless stream instead of one epoch.
        start: Batches of the endless stream to leave out at its beginning, which costs reading
            less than one pass: a training goes on where it stopped.
        part: Rows of every batch of the endless stream; the others are not made, of a photo
            that is: not decoded. None: all.

    Returns:
        Batched (inputs, labels, masks). Every batch has the same number of elements of each
        source, except the last of an epoch, which may be smaller.

    Raises:
        ValueError: If there is no source, one is empty, endless or of unknown size, the inputs
            or the labels of a task do not fit each other, or `batch_size`, `shares`, `start` or
            `part` break their rule.
    """
    sources = list(sources)
    sizes, places = _plan(sources, batch_size, shares)
    if start < 0 or (start and not repeat):
        raise ValueError(f"start must be >= 0, and 0 without repeat, got {start}.")
    if part is not None and not (repeat and part.whole == batch_size):
        raise ValueError(f"part must be one of {batch_size} rows, with repeat, got {part}.")
    labels, masks = union(sources)
    order = interleaving(places)
    own = order if part is None else part.of(order)
    length = tf.data.INFINITE_CARDINALITY if repeat else epoch_length(order, sizes, places)

    def elements(base: Any) -> tf.data.Dataset:
        streams = [
            completed(
                _passes(source, size, base + index, start * place, _wanted(order, index, part)),
                labels,
                masks,
            )
            for index, (source, size, place) in enumerate(zip(sources, sizes, places, strict=True))
        ]
        if len(streams) == 1:  # Nothing to choose from: choosing costs time an element.
            return streams[0].take(length)
        choice = tf.data.Dataset.from_tensor_slices(own).repeat().take(length)
        return tf.data.Dataset.choose_from_datasets(streams, choice)

    if repeat:
        merged = elements(seed * 1009)
    else:
        # One draw an epoch. Sources that reshuffle by themselves would draw again whenever they
        # are read ahead into their next pass, which is a matter of timing.
        draw = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).take(1)
        merged = draw.flat_map(elements)
    # Choosing hides the size, which a progress bar needs.
    merged = merged.apply(tf.data.experimental.assert_cardinality(length))
    batches = merged.batch(len(own), num_parallel_calls=tf.data.AUTOTUNE)
    setattr(batches, _SOURCES, sources)
    return batches


def sources_of(stream: tf.data.Dataset) -> list[tf.data.Dataset] | None:
    """Return what `merge` made a stream of; None: it was not made by `merge`, or was changed since.

    Who looks at every image once wants these: in the stream smaller sources repeat.
    """
    return getattr(stream, _SOURCES, None)


def steps_per_epoch(
    sources: Sequence[tf.data.Dataset], batch_size: int, shares: Sequence[float] | None = None
) -> int:
    """Return the batches until the largest source (per its share) was seen once.

    Args:
        sources: As for `merge`.
        batch_size: As for `merge`.
        shares: As for `merge`.

    Raises:
        ValueError: As `merge`.
    """
    sizes, places = _plan(list(sources), batch_size, shares)
    return -(-epoch_length(interleaving(places), sizes, places) // batch_size)


def _plan(
    sources: Sequence[tf.data.Dataset], batch_size: int, shares: Sequence[float] | None
) -> tuple[list[int], list[int]]:
    """Return the size and the places in a batch of every source."""
    if not sources:
        raise ValueError("merge needs at least one source, got none.")
    sizes = [_size(index, source) for index, source in enumerate(sources)]
    return sizes, places_per_batch(sizes if shares is None else shares, batch_size, len(sources))


def _wanted(order: np.ndarray, source: int, part: Part | None) -> np.ndarray | None:
    """Return which of a source's places in a batch a part has, bool; None: all.

    A part without any asks for no element of the source, and none must be looked for.
    """
    if part is None:
        return None
    rows = np.flatnonzero(order == source)
    wanted = (rows >= part.first) & (rows < part.first + part.rows)
    return None if wanted.all() or not wanted.any() else wanted


def _passes(
    source: tf.data.Dataset, size: int, seed: Any, consumed: int, wanted: np.ndarray | None
) -> tf.data.Dataset:
    """Return an endless stream of shuffled passes over a source.

    Args:
        source: Of `size` elements.
        size: Number of elements.
        seed: Integer or tensor; fixes the order of every pass.
        consumed: Elements to leave out at the beginning.
        wanted: Which of as many elements as it has entries are made, again and again; None: all.
    """
    # Shuffled before tasks are added: smaller elements, more of them in the buffer.
    buffer = min(size, max(1, SHUFFLE_BYTES // bytes_of(source.element_spec)))
    first, offset = divmod(consumed, size)
    # Of a deferred source what it is made of, in the same order: smaller still.
    shuffled, make = parts_of(source)

    def shuffled_pass(number: tf.Tensor) -> tf.data.Dataset:
        # A seed inside this function's graph alone, so that the program's does not matter.
        tf.compat.v1.set_random_seed(1)
        own = seed + number * 2**20
        return shuffled.shuffle(buffer, seed=own, reshuffle_each_iteration=False)

    # Each pass is shuffled by its own number, so that any of them can be the first.
    passes = tf.data.Dataset.range(first, np.iinfo(np.int64).max).flat_map(shuffled_pass)
    passes = passes.skip(offset)
    if wanted is not None:
        kept = tf.constant(wanted)
        numbered = passes.enumerate()
        numbered = numbered.filter(lambda number, _: kept[number % len(wanted)])
        passes = numbered.map(lambda _, element: element)
    return passes if make is None else passes.map(make, num_parallel_calls=tf.data.AUTOTUNE)


def places_per_batch(shares: Sequence[float], batch_size: int, sources: int) -> list[int]:
    """Return how many places of a batch each source gets: largest remainders, at least one.

    Args:
        shares: One positive number a source.
        batch_size: Places to give away.
        sources: Number of sources, to check `shares` against.

    Raises:
        ValueError: If a rule above is broken.
    """
    if not isinstance(batch_size, (int, np.integer)) or batch_size < sources:
        raise ValueError(
            f"batch_size must be an integer of at least the number of sources, {sources}, "
            f"got {batch_size!r}."
        )
    if len(shares) != sources:
        raise ValueError(f"shares needs one number per source, {sources}, got {len(shares)}.")
    if not all(math.isfinite(share) and share > 0 for share in shares):
        raise ValueError(f"shares must be finite and > 0, got {list(shares)}.")
    exact = np.array(shares, dtype=np.float64) / sum(shares) * batch_size
    places = np.maximum(np.floor(exact).astype(int), 1)
    while places.sum() < batch_size:
        places[np.argmax(exact - places)] += 1
    while places.sum() > batch_size:  # Sources raised to one place took too many.
        places[np.argmax(np.where(places > 1, places - exact, -np.inf))] -= 1
    return [int(place) for place in places]


def interleaving(places: Sequence[int]) -> np.ndarray:
    """Return the sources of one batch in order, each spread evenly: int64 [sum(places)].

    Even spreading keeps the shares right in a last, smaller batch too.
    """
    middles = [
        ((place + 0.5) / count, source)
        for source, count in enumerate(places)
        for place in range(count)
    ]
    return np.array([source for _, source in sorted(middles)], dtype=np.int64)


def epoch_length(order: np.ndarray, sizes: Sequence[int], places: Sequence[int]) -> int:
    """Return the number of elements until the largest source per its share was seen once.

    Sources that tie, as all do under proportional shares without rounding, are all seen once.
    """
    ratios = [Fraction(size, count) for size, count in zip(sizes, places, strict=True)]
    ends = []
    for source in (index for index, ratio in enumerate(ratios) if ratio == max(ratios)):
        whole, rest = divmod(sizes[source] - 1, places[source])
        ends.append(whole * len(order) + int(np.flatnonzero(order == source)[rest]) + 1)
    return max(ends)


def _size(index: int, source: tf.data.Dataset) -> int:
    size = int(source.cardinality())
    if size == tf.data.UNKNOWN_CARDINALITY:
        raise ValueError(
            f"Source {index} has an unknown size; state it with "
            "source.apply(tf.data.experimental.assert_cardinality(n))."
        )
    if size == tf.data.INFINITE_CARDINALITY:
        raise ValueError(f"Source {index} is endless; merge repeats sources itself.")
    if size == 0:
        raise ValueError(f"Source {index} is empty.")
    return size


def union(
    sources: Sequence[tf.data.Dataset],
) -> tuple[dict[str, tf.TensorSpec], dict[str, tf.TensorSpec]]:
    """Return the label and the mask specs of every task.

    Raises:
        ValueError: If a source's elements are malformed or do not fit those of the others.
    """
    labels: dict[str, tf.TensorSpec] = {}
    masks: dict[str, tf.TensorSpec] = {}
    first_inputs = None
    for index, source in enumerate(sources):
        spec = source.element_spec
        if not (isinstance(spec, tuple) and len(spec) == 3 and _are_mappings(spec[1:])):
            raise ValueError(
                f"Source {index} must have elements (input, labels, masks) with dictionaries of "
                f"labels and masks by task name, got {spec}."
            )
        inputs, own_labels, own_masks = spec
        if first_inputs is None:
            first_inputs = inputs
        _require_equal(f"The input of source {index}", inputs, first_inputs)
        if set(own_labels) != set(own_masks):
            raise ValueError(
                f"Source {index} has labels for {sorted(own_labels)} but masks for "
                f"{sorted(own_masks)}."
            )
        for name in own_labels:
            _check_mask(index, name, own_labels[name], own_masks[name])
            _require_equal(
                f"The label of task {name!r} in source {index}",
                own_labels[name],
                labels.setdefault(name, own_labels[name]),
            )
            _require_equal(
                f"The mask of task {name!r} in source {index}",
                own_masks[name],
                masks.setdefault(name, own_masks[name]),
            )
    return labels, masks


def _are_mappings(values: Sequence[Any]) -> bool:
    return all(isinstance(value, Mapping) for value in values)


def _check_mask(index: int, name: str, label: tf.TensorSpec, mask: tf.TensorSpec) -> None:
    # [] for one class out of K, else one entry a label.
    if mask.shape.rank != 0 and mask.shape != label.shape:
        raise ValueError(
            f"The mask of task {name!r} in source {index} must have shape () or that of the "
            f"label, {label.shape}, got {mask.shape}."
        )


def _require_equal(what: str, have: Any, want: Any) -> None:
    if tf.nest.map_structure(_shape_and_type, have) != tf.nest.map_structure(_shape_and_type, want):
        raise ValueError(f"{what} is {have}, but an earlier source has {want}.")


def _shape_and_type(spec: tf.TensorSpec) -> str:
    return f"{spec.dtype.name}{spec.shape}"


def completed(
    stream: tf.data.Dataset, labels: Mapping[str, Any], masks: Mapping[str, Any]
) -> tf.data.Dataset:
    """Return the stream with the tasks of `labels` that its elements lack, under a zero mask."""

    def with_zeros(own: Mapping[str, Any], specs: Mapping[str, tf.TensorSpec]) -> dict[str, Any]:
        return {
            name: own.get(name, tf.zeros(spec.shape, spec.dtype)) for name, spec in specs.items()
        }

    if set(stream.element_spec[1]) == set(labels):
        return stream
    # Not in parallel: handing an element to another thread costs more than adding zeros to it.
    return stream.map(
        lambda inputs, own_labels, own_masks: (
            inputs,
            with_zeros(own_labels, labels),
            with_zeros(own_masks, masks),
        )
    )
