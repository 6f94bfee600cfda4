"""A source of clips: a static frame, the streams around it and their masks, from recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from mtl_dm.data.arrays import encode
from mtl_dm.data.built import IMAGE, network_input
from mtl_dm.data.windows import Recording, around, centres, stream_sizes, stream_window
from mtl_dm.labels import check_absence
from mtl_dm.streams import check_streams, mask_of
from mtl_dm.tasks import Task, by_name


class _Cut(NamedTuple):
    """A recording and the windows to cut from it, each when it is read: T windows hold a frame.

    Attributes:
        recording: As given.
        centres: int [M].
        labels: By task name, [M, ...].
        masks: Likewise.
    """

    recording: Recording
    centres: np.ndarray
    labels: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]


def clips(
    recordings: Sequence[Recording],
    tasks: Sequence[Task],
    *,
    window: int,
    streams: Sequence[str],
    image_size: int,
    stride: int = 1,
    pad: bool = False,
) -> tf.data.Dataset:
    """Return a source of (inputs, labels, masks) for `merge`, one element a window.

    Inputs are a dictionary: "image" is the frame in the middle as a network sees it, and each
    stream has values [T, D] and a mask [T] ("mfcc", "mfcc_mask"), 0 where the sequence has no
    frame or the stream no values. Labels are those of the frame in the middle.

    `mtl_dm.data.augment` mirrors, shifts and relights the image alone: streams that show the face
    too, as coefficients of a face model or an embedding of the expression, stay those of the frame
    as it was filmed. Where that matters, train with augment off.

    Args:
        recordings: The sequences; their windows follow each other.
        tasks: Tasks that a recording's labels may name; a task that a recording lacks is missing
            there, one that all lack is left out.
        window: T, odd.
        streams: Names of `mtl_dm.streams.STREAMS`.
        image_size: Side of the square images.
        stride: Frames from one window to the next.
        pad: Also take windows that reach beyond the ends.

    Raises:
        ValueError: If there is no recording, one is shorter than the window and `pad` is off, a
            stream is unknown or missing everywhere, or lengths, shapes or labels break their rule.
    """
    if not recordings:
        raise ValueError("recordings must not be empty.")
    sizes = stream_sizes(recordings, check_streams(streams))
    known = by_name(tasks)
    _check_labels(recordings, known)
    annotated = [task for task in tasks if any(task.name in each.labels for each in recordings)]
    cuts = []
    for each in recordings:
        middle = centres(len(each.frames), window, stride=stride, pad=pad, name=each.name)
        cuts.append(_cut(each, middle, annotated))
    return _source(cuts, window, sizes, image_size)


def _cut(recording: Recording, middle: np.ndarray, tasks: Sequence[Task]) -> _Cut:
    labels, masks = {}, {}
    for task in tasks:
        given = recording.labels.get(task.name)
        values = _missing(task, len(middle)) if given is None else np.asarray(given)[middle]
        labels[task.name], masks[task.name] = encode(task, values, len(middle))
    return _Cut(recording, middle, labels, masks)


def _streams(
    recording: Recording, centre: int, window: int, sizes: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """Return streams [T, D] and masks [T] around a frame, by name."""
    rows, inside = around(centre, window, len(recording.frames))
    found = {}
    for name, size in sizes.items():
        stream = recording.streams.get(name)
        found[name], found[mask_of(name)] = stream_window(stream, rows, inside, size)
    return found


def _missing(task: Task, count: int) -> np.ndarray:
    """Return labels of which every one is missing."""
    if task.kind == "multiclass":
        return np.full(count, -1)
    return np.full((count, task.size), np.nan)


def _check_labels(recordings: Sequence[Recording], known: Mapping[str, Task]) -> None:
    """Check the names and lengths of labels, and that absent attributes are there at all.

    Raises:
        ValueError: If one breaks its rule.
    """
    for each in recordings:
        unknown = sorted(set(each.labels) - set(known))
        if unknown:
            raise ValueError(
                f"Labels of {each.name!r} name unknown tasks {unknown}. Known: {sorted(known)}."
            )
        for name, values in each.labels.items():
            if len(values) != len(each.frames):
                raise ValueError(
                    f"Labels of {name!r} in {each.name!r} must be as many as its frames, "
                    f"{len(each.frames)}, got {len(values)}."
                )
    for name, task in known.items():
        given = [np.asarray(each.labels[name]) for each in recordings if name in each.labels]
        if given and task.kind == "multilabel":
            check_absence(f"Labels of {name!r}", np.concatenate(given))


def _source(
    cuts: Sequence[_Cut], window: int, sizes: Mapping[str, int], image_size: int
) -> tf.data.Dataset:
    def elements() -> Iterator[tuple[Any, Any, Any]]:
        for cut in cuts:
            for place, centre in enumerate(cut.centres):
                image = np.asarray(cut.recording.frames[centre])
                labels, masks = (
                    {name: values[place] for name, values in part.items()}
                    for part in (cut.labels, cut.masks)
                )
                streams = _streams(cut.recording, centre, window, sizes)
                yield {IMAGE: image, **streams}, labels, masks

    def spec(part: Mapping[str, np.ndarray]) -> dict[str, tf.TensorSpec]:
        return {name: tf.TensorSpec(each.shape[1:], each.dtype) for name, each in part.items()}

    def seen(inputs: Any, labels: Any, masks: Any) -> tuple[Any, Any, Any]:
        return {**inputs, IMAGE: network_input(inputs[IMAGE], image_size)}, labels, masks

    inputs = {IMAGE: tf.TensorSpec((None, None, 3), tf.uint8)}
    for name, size in sizes.items():
        inputs[name] = tf.TensorSpec((window, size), tf.float32)
        inputs[mask_of(name)] = tf.TensorSpec((window,), tf.float32)
    signature = (inputs, spec(cuts[0].labels), spec(cuts[0].masks))
    source = tf.data.Dataset.from_generator(elements, output_signature=signature)
    count = sum(len(cut.centres) for cut in cuts)
    counted = source.apply(tf.data.experimental.assert_cardinality(count))
    return counted.map(seen, num_parallel_calls=tf.data.AUTOTUNE)
