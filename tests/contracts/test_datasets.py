"""What every builder keeps to; a new entry of BUILDERS is tested by being there.

A builder of a raw database brings its fake files: tests/datasets/fakes/NAME.py.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from data_prep.build import build
from data_prep.check import check
from mtl_dm import data, datasets
from mtl_dm.datasets._check import CHECKERS
from mtl_dm.datasets.reading import SKIPPED_FILE, image_files
from tests.datasets import fakes

RAW = [entry for entry in datasets.BUILDERS if entry.MANUAL_DOWNLOAD_INSTRUCTIONS]
CASES = [(entry.name, layout) for entry in RAW for layout in fakes.layouts(entry.name)]


class Case:
    """One layout of one builder, its files written."""

    def __init__(self, name, layout, folder):
        self.id = name, layout
        self.layout = fakes.layouts(name)[layout]
        self.name = name
        self.full_name = f"{name}/{self.layout.config}" if self.layout.config else name
        self.folder = folder
        self.source = self.layout.write(folder / "raw")
        self._read = {}

    def build(self, data_dir="built"):
        builder = datasets.make_builder(self.full_name, self.folder / data_dir, self.source)
        build(builder, self.source, self.folder / data_dir)
        return datasets.make_builder(self.full_name, self.folder / data_dir)

    def records(self, split="all"):
        """Return the records of a case that is built, read once."""
        if split not in self._read:
            self._read[split] = records(self.builder, split)
        return self._read[split]

    def file_of(self, path):
        """Where the image of a record is; the root of a release may be below the source."""
        [found] = [file for file in self.source.parent.rglob("*") if file.match(path)]
        return found


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def built(request, tmp_path_factory):
    """A case that was built once, for tests that change none of its files."""
    case = Case(*request.param, tmp_path_factory.mktemp("built"))
    case.builder = case.build()
    return case


@pytest.fixture
def case(built, tmp_path):
    """The same case with files of its own, not built."""
    return Case(*built.id, tmp_path)


@pytest.fixture(params=datasets.names())
def builder(request, tmp_path):
    name = request.param
    config = ""
    if name in {entry.name for entry in RAW}:
        config = next(iter(fakes.layouts(name).values())).config
    if config:
        return Case(name, next(iter(fakes.layouts(name))), tmp_path).build()
    return datasets.make_builder(name, tmp_path)


def records(builder, split="all"):
    options = tfds.ReadConfig(interleave_cycle_length=1)
    return list(tfds.as_numpy(builder.as_dataset(split=split, read_config=options)))


def raw_records(builder):
    for split in builder.info.splits:
        options = tfds.ReadConfig(interleave_cycle_length=1)
        decoders = {"image": tfds.decode.SkipDecoding()}
        yield from tfds.as_numpy(
            builder.as_dataset(split=split, read_config=options, decoders=decoders)
        )


def skipped(builder):
    with (Path(builder.data_dir) / SKIPPED_FILE).open(encoding="utf-8", newline="") as file:
        return {row["path"]: row["reason"] for row in csv.DictReader(file)}


def counts(builder):
    return {name: split.num_examples for name, split in builder.info.splits.items()}


def test_says_which_tasks_it_has_and_has_a_feature_for_each(builder):
    features = builder.info.features
    for task in datasets.tasks_of(builder.info):
        feature = features[task.name]
        if task.kind == "multiclass":
            assert tuple(feature.names) == task.labels
        else:
            assert feature.shape == (task.size,)
            dtype = np.int8 if task.kind == "multilabel" else np.float32
            assert feature.np_dtype == dtype


def test_has_images_and_the_path_of_each(builder):
    assert builder.info.features["image"].shape[-1] == 3
    assert builder.info.features["path"].np_dtype in (object, np.str_, str)


def test_describes_itself_and_its_releases(builder):
    assert builder.info.description.strip()
    assert str(builder.version) in builder.RELEASE_NOTES


@pytest.mark.parametrize("entry", RAW, ids=lambda entry: entry.name)
def test_what_must_be_downloaded_has_a_citation_a_check_and_a_mapping(entry):
    assert entry.CITATION
    assert entry.LICENSE
    assert entry.name in CHECKERS
    # The README beside the builder says what each id of the release becomes.
    readme = (Path(sys.modules[entry.__module__].__file__).parent / "README.md").read_text()
    assert "| release |" in readme
    assert "data_prep.build" in readme


def test_unbuilt_data_have_no_splits(tmp_path):
    for entry in datasets.BUILDERS:
        if not entry.MANUAL_DOWNLOAD_INSTRUCTIONS or not any(
            layout.config for layout in fakes.layouts(entry.name).values()
        ):
            assert not datasets.make_builder(entry.name, tmp_path).info.splits


def test_builds_every_split_and_the_counts_add_up(built):
    builder = built.builder
    assert counts(builder) == built.layout.splits
    metadata = builder.info.metadata
    assert (metadata["skipped"], metadata["unlabelled_images"]) == (0, 0)
    assert metadata["rows"] == sum(built.layout.splits.values())
    assert skipped(builder) == {}


def test_says_how_often_each_label_is_there(built):
    builder = built.builder
    source = datasets.make_builder(built.full_name, built.folder / "built", built.source)
    assert source.release(built.source).tasks == builder.tasks
    lines = dict(line.split(": ", 1) for line in builder.info.metadata["labels"])
    assert list(lines) == [task.name for task in builder.tasks]
    for task in builder.tasks:
        labels = [record[task.name] for record in built.records()]
        if task.kind == "multiclass" and task.size <= 40:
            expected = [f"{name} {labels.count(k)}" for k, name in enumerate(task.labels)]
        elif task.kind == "regression" or task.size > 40:
            continue
        else:
            columns = np.stack(labels).T
            expected = [
                f"{name} {(column == 1).sum()} of {(column >= 0).sum()}"
                for name, column in zip(task.labels, columns, strict=True)
                if (column >= 0).any()
            ]
        assert lines[task.name].split("; ")[0] == ", ".join(expected)


def test_labels_keep_to_their_tasks(built):
    builder = built.builder
    annotated = dict.fromkeys((task.name for task in datasets.tasks_of(builder.info)), 0)
    for record in built.records():
        assert record["image"].dtype == np.uint8
        for task in datasets.tasks_of(builder.info):
            label = record[task.name]
            if task.kind == "multiclass":
                assert -1 <= label < task.size
                annotated[task.name] += label >= 0
            elif task.kind == "multilabel":
                assert set(label.tolist()) <= {-1, 0, 1}
                annotated[task.name] += (label >= 0).any()
            else:
                assert not np.isinf(label).any()
                annotated[task.name] += not np.isnan(label).all()
    assert all(annotated.values()), "fake files must annotate every task"


def test_no_image_is_in_two_splits_or_twice(built):
    paths = [record["path"].decode() for record in built.records()]
    assert len(paths) == len(set(paths))
    for path in paths:
        assert built.file_of(path).is_file()


def test_built_twice_is_the_same(built):
    # Records, their order and the images' bytes. Files differ between processes in the order in
    # which protocol buffers write a record's features.
    first, second = (list(raw_records(each)) for each in (built.builder, built.build("again")))
    assert len(first) == len(second) == sum(built.layout.splits.values())
    for one, other in zip(first, second, strict=True):
        for name, value in one.items():
            np.testing.assert_array_equal(value, other[name])


def test_bad_images_are_skipped_and_listed(built, case):
    image_paths = [record["path"].decode() for record in built.records("train")]
    truncated, missing = sorted(image_paths)[:2]
    data = case.file_of(truncated).read_bytes()
    case.file_of(truncated).write_bytes(data[: len(data) // 2])
    case.file_of(missing).unlink()
    builder = case.build()
    reasons = skipped(builder)
    assert "truncated" in reasons.pop(truncated)
    assert reasons == ({missing: "missing"} if case.layout.labels_in_files else {})
    metadata = builder.info.metadata
    assert metadata["skipped"] == 1 + len(reasons)
    assert metadata["rows"] == sum(counts(builder).values()) + metadata["skipped"]


def test_a_link_out_of_the_source_is_not_followed(built, case):
    path = built.records("train")[0]["path"].decode()
    file = case.file_of(path)
    file.rename(case.folder / "outside.jpg")
    file.symlink_to(case.folder / "outside.jpg")
    assert skipped(case.build()) == {path: "a symbolic link leads out of the source folder"}


def test_feeds_training(built):
    split = next(iter(built.layout.splits))
    name = f"{built.full_name}:{split}"
    source = data.load(name, data_dir=built.folder / "built", image_size=8)
    assert source.cardinality() == built.layout.splits[split]
    for image, labels, masks in source:
        assert image.shape == (8, 8, 3)
        assert labels.keys() == masks.keys()
        assert all(bool(tf.reduce_all(tf.math.is_finite(label))) for label in labels.values())


def test_the_check_agrees(built):
    report = check(built.name, built.source)
    assert report.usable
    rows = [fact for fact in report.facts if fact.endswith("rows.")]
    assert rows == [f"{split}: {count:,} rows." for split, count in built.layout.splits.items()]
    assert [fact for fact in report.facts if fact.endswith(" not annotated.")]
    assert not [line for line in report.warnings if "published" not in line and "split" not in line]


def test_the_check_finds_no_images(case):
    for path in list(image_files(case.source.parent)):
        (case.source.parent / path).unlink()
    report = check(case.name, case.source)
    assert not report.usable


def test_the_check_of_another_folder_says_what_was_expected(built, tmp_path):
    (tmp_path / "empty").mkdir()
    report = check(built.name, tmp_path / "empty")
    assert not report.usable
    assert "expected" in report.errors[0]
