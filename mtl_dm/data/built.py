"""Sources from data sets that TFDS has built."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from mtl_dm import datasets
from mtl_dm.data.arrays import encode
from mtl_dm.data.damaged import damage_named
from mtl_dm.data.deferred import deferred
from mtl_dm.data.outline import chosen_split, how_to_build
from mtl_dm.data.subset import fits, widened
from mtl_dm.datasets.building import building, prepare
from mtl_dm.progress import progress
from mtl_dm.tasks import Task, by_name

IMAGE = "image"
"""Name of the images among the features of a data set and among several inputs."""

_BLOCK = 64  # records that are read together where they are read by place


def load(
    name: str,
    *,
    data_dir: str | Path,
    tasks: Sequence[Task] | None = None,
    image_size: int | None = None,
    only: tuple[str, Sequence[int]] | None = None,
    inputs: Sequence[str] | None = None,
) -> tf.data.Dataset:
    """Return a source (image, labels, masks) for `merge` from a built data set.

    Images are decoded and resized while they stream. Missing is class id -1, an attribute of -1, a
    value that is NaN: they come under mask 0. Labels are not checked again here; `label_arrays`,
    which every command reads first, does it. A data set that needs no download is built on the way.

    Args:
        name: "name[/config][:split]"; the split may be left out where there is only one, and a
            part of it be meant, "emotionet/manual:train[:70%]" (as TFDS counts).
        data_dir: Folder that holds built data sets.
        tasks: Tasks to read; those that the data set lacks are left out of the labels, and labels
            of a task that it does not know are missing. None: all as they are.
        image_size: Side of the square images; None: as stored, which must be one size.
        only: A feature and the integer values to keep (a fold: ("index", rows)).
        inputs: Features that become the first component, a dictionary by these names: "image" as
            the network sees it, numbers as stored. None: those that the data set says a network
            sees; where it says none, the image alone, in no dictionary.

    Raises:
        FileNotFoundError: If the data set must be built from a download first.
        ValueError: If a name is unknown or no example is left.
    """
    builder, split = open_built(name, data_dir)
    wanted, own = _shared_tasks(builder, tasks)
    if inputs is None:
        inputs = datasets.inputs_of(builder.info)
    names = [IMAGE] if inputs is None else list(inputs)
    _check_inputs(builder, names)
    examples = _examples(builder, split)
    size = builder.info.splits[split].num_examples
    if only is not None:
        feature, values = only
        _require_features(builder, [feature])
        keep = tf.constant(np.unique(np.asarray(values, dtype=np.int64)))
        examples = examples.filter(
            lambda example: tf.reduce_any(keep == tf.cast(example[feature], tf.int64))
        )
        stored = _raw(builder, split, [feature])[feature]
        size = int(np.isin(stored, keep.numpy()).sum())
    if size == 0:
        raise ValueError(f"The data set {name!r} has no example left to read.")
    side = image_size or (builder.info.features[IMAGE].shape[0] if IMAGE in names else 0)
    if side is None:
        raise ValueError(f"The images of {name!r} differ in size: image_size must be given.")

    decode: Any = builder.info.features[IMAGE].decode_example if IMAGE in names else None

    def element(example: dict[str, Any]) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        labels, masks = {}, {}
        for task in wanted:
            value = widened(own[task.name], task, example[task.name])
            labels[task.name], masks[task.name] = _annotation(task, value)
        parts = {
            part: network_input(decode(example[part]), side) if part == IMAGE else example[part]
            for part in names
        }
        return parts[IMAGE] if inputs is None else parts, labels, masks

    # Decoded last, so that photos are shuffled as they are stored.
    return deferred(examples, element, size)


def label_arrays(
    name: str, *, data_dir: str | Path, tasks: Sequence[Task] | None = None, one_hot: bool = True
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return float32 labels and masks of every example by task name; images stay unread.

    Every label is checked (see `mtl_dm.labels`).

    Args:
        name: As for `load`.
        data_dir: As for `load`.
        tasks: As for `load`.
        one_hot: Otherwise classes are int64 ids [N], -1 where missing: of the 10,177 identities
            of CelebA's training images that is a megabyte instead of 6.6 GB.

    Raises:
        FileNotFoundError: If the data set must be built first.
        ValueError: If a name is unknown, a stored label breaks its rule (its row is named), or a
            file of records is damaged.
    """
    builder, split = open_built(name, data_dir)
    wanted, own = _shared_tasks(builder, tasks)
    arrays = _raw(builder, split, [task.name for task in wanted])
    length = builder.info.splits[split].num_examples
    found = {task.name: widened(own[task.name], task, arrays[task.name]) for task in wanted}
    return {task.name: encode(task, found[task.name], length, one_hot=one_hot) for task in wanted}


def tasks_in(name: str, *, data_dir: str | Path) -> tuple[Task, ...]:
    """Return the tasks that a data set has features for."""
    return datasets.tasks_of(open_built(name, data_dir)[0].info)


def image_side(name: str, *, data_dir: str | Path) -> int | None:
    """Return the side of a data set's images as stored; None: they differ in size.

    Args:
        name: As for `load`.
        data_dir: As for `load`.
    """
    return open_built(name, data_dir)[0].info.features[IMAGE].shape[0]


def split_in(name: str, *, data_dir: str | Path) -> str:
    """Return the split that a name of a data set means."""
    return open_built(name, data_dir)[1]


def raw_features(name: str, features: Sequence[str], *, data_dir: str | Path) -> dict[str, Any]:
    """Return features of every example as arrays, in file order; images stay unread.

    Args:
        name: As for `load`.
        features: Names of features of fixed shape.
        data_dir: As for `load`.

    Raises:
        FileNotFoundError: If the data set must be built first.
        ValueError: If a name is unknown, or a file of records is damaged.
    """
    builder, split = open_built(name, data_dir)
    _require_features(builder, features)
    return _raw(builder, split, features)


def _require_features(builder: tfds.core.DatasetBuilder, names: Sequence[str]) -> None:
    known = builder.info.features
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(
            f"The data set {builder.info.full_name!r} has no features {unknown}. Known: "
            f"{sorted(known)}."
        )


def _check_inputs(builder: tfds.core.DatasetBuilder, names: Sequence[str]) -> None:
    """Check that features can be the inputs of a network."""
    if not names:
        raise ValueError("inputs must name at least one feature, got none.")
    _require_features(builder, names)
    for name in names:
        feature = builder.info.features[name]
        if name != IMAGE and (feature.dtype == tf.string or None in feature.shape):
            raise ValueError(
                f"The feature {name!r} cannot be an input: it must hold numbers of a fixed shape, "
                f"got {feature}."
            )


def _raw(
    builder: tfds.core.DatasetBuilder, split: str, names: Sequence[str]
) -> dict[str, np.ndarray]:
    if not names:
        return {}
    examples = _examples(builder, split)
    chosen = examples.map(lambda example: {name: example[name] for name in names}).batch(4096)
    parts = []
    with (
        damage_named(builder, split),
        progress("rows of labels read", builder.info.splits[split].num_examples) as done,
    ):
        for part in chosen.as_numpy_iterator():
            parts.append(part)
            done(len(part[names[0]]))
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def stored_texts(builder: tfds.core.DatasetBuilder, split: str, feature: str) -> Iterator[bytes]:
    """Yield a text of every example, in file order, read as far as it is asked for.

    Nothing else of an example is parsed and no graph traced: it costs little beside the reading.

    Args:
        builder: Of the data set, built.
        split: Of it.
        feature: A `tfds.features.Text`.

    Raises:
        ValueError: If a file of records is damaged.
    """
    wanted = {feature: tf.io.FixedLenFeature([], tf.string)}
    with damage_named(builder, split):
        for part in builder.info.splits[split].file_instructions:
            records = tf.data.TFRecordDataset(str(part.filename)).skip(part.skip)
            for batch in records.take(part.take).batch(256):
                yield from tf.io.parse_example(batch, wanted)[feature].numpy()


def open_built(name: str, data_dir: str | Path) -> tuple[tfds.core.DatasetBuilder, str]:
    """Return the builder, its data built, and the split that `name` means.

    Raises:
        FileNotFoundError: If the data set must be built first.
        ValueError: If the name or the split is unknown.
    """
    name, _, split = name.partition(":")
    builder = datasets.make_builder(name, data_dir)
    if not builder.info.splits:
        if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
            raise FileNotFoundError(
                f"The data set {name!r} is not built in {data_dir}. Build it with: "
                f"{how_to_build(name, data_dir)}"
            )
        # No look at a public bucket: these data sets cannot be there, and a cluster may be offline.
        config = tfds.download.DownloadConfig(try_download_gcs=False)
        with building(builder, wait=True):
            builder = datasets.make_builder(name, data_dir)  # Somebody else may have built it.
            prepare(builder, config)
    return builder, chosen_split(name, split, list(builder.info.splits))


def _examples(builder: tfds.core.DatasetBuilder, split: str) -> tf.data.Dataset:
    """Return the examples in file order, images as stored."""
    decoders = {IMAGE: tfds.decode.SkipDecoding()} if IMAGE in builder.info.features else None
    if builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD:
        return _by_place(builder, builder.as_data_source(split, decoders=decoders))
    return builder.as_dataset(
        split=split,
        # File order, whatever the machine: `merge` shuffles by its own seed.
        read_config=tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1),
        decoders=decoders,
    )


def _by_place(builder: tfds.core.DatasetBuilder, source: Any) -> tf.data.Dataset:
    """Return the stream of a format of random access, which TFDS gives by place alone."""
    specs = builder.info.features.get_tensor_spec()
    if IMAGE in specs:
        specs[IMAGE] = tf.TensorSpec((), tf.string)

    def examples() -> Iterator[dict[str, Any]]:
        for first in range(0, len(source), _BLOCK):
            yield from source.__getitems__(range(first, min(first + _BLOCK, len(source))))

    stream = tf.data.Dataset.from_generator(examples, output_signature=specs)
    return stream.apply(tf.data.experimental.assert_cardinality(len(source)))


def _shared_tasks(
    builder: tfds.core.DatasetBuilder, tasks: Sequence[Task] | None
) -> tuple[list[Task], dict[str, Task]]:
    """Return the tasks to read, and by name all tasks as the data set has them."""
    own = by_name(datasets.tasks_of(builder.info))
    if tasks is None:
        return list(own.values()), own
    for task in tasks:
        if task.name in own and not fits(own[task.name], task):
            raise ValueError(
                f"The data set {builder.info.full_name!r} has other labels for the task "
                f"{task.name!r}: {list(own[task.name].labels)}, wanted {list(task.labels)}."
            )
    return [task for task in tasks if task.name in own], own


def _annotation(task: Task, value: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the label and the mask of one example, as `encode` does for arrays, unchecked.

    A check of every image would cost some percent of a stream's speed: `label_arrays` checks.
    """
    if task.kind == "multiclass":
        # one_hot gives zeros for -1.
        return tf.one_hot(value, task.size), tf.cast(value >= 0, tf.float32)
    value = tf.cast(value, tf.float32)
    present = ~tf.math.is_nan(value)
    if task.kind == "multilabel":
        present &= value >= 0
    return tf.where(present, value, 0.0), tf.cast(present, tf.float32)


def network_input(image: tf.Tensor, side: int) -> tf.Tensor:
    """Return a uint8 image as float32 [side, side, 3] in [-1, 1], as every network here sees it.

    Args:
        image: uint8 [height, width, 3], or a batch of such.
        side: Of the network's input.
    """
    if image.shape[-3:-1] != (side, side):
        # Rounding in the resampling may leave the range by a hair.
        image = tf.clip_by_value(tf.image.resize(image, (side, side), antialias=True), 0.0, 255.0)
    shape = (*image.shape[:-3], side, side, 3)
    return tf.ensure_shape(tf.cast(image, tf.float32) / 127.5 - 1.0, shape)
