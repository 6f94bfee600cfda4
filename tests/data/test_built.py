import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from data_prep.build import FILE_FORMATS, build
from mtl_dm import data, datasets
from mtl_dm.data import built
from mtl_dm.data.damaged import damage_named
from mtl_dm.datasets import ClothingAttributes, SyntheticFaces
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
from tests.built_faces import ANNOTATED, CO_ANNOTATED, COUNTS, EXPRESSIONS_ONLY, UNITS_ONLY
from tests.datasets.fakes import clothing_attributes as fakes

EXPRESSION = Task.multiclass("expression", EXPRESSIONS)
UNITS = Task.multilabel("action_units", ACTION_UNITS)
PAIR = (EXPRESSION, UNITS)
EMOTIONET = [f"AU{number}" for number in (1, 2, 4, 5, 6, 9, 12, 17, 20, 25, 26)]


def whole(source):
    """Everything of a source as arrays."""
    (element,) = source.batch(1000).as_numpy_iterator()
    return element


class TestElements:
    @pytest.mark.parametrize("name", [EXPRESSIONS_ONLY, UNITS_ONLY, CO_ANNOTATED])
    def test_keep_the_contract(self, faces, name):
        source = data.load(name, data_dir=faces)
        count = COUNTS[name.split("/")[1].removesuffix("_64px")]["train"]
        assert int(source.cardinality()) == count
        image, labels, masks = source.element_spec
        assert image.shape == (64, 64, 3)
        tasks = data.tasks_in(name, data_dir=faces)
        assert set(labels) == set(masks) == {task.name for task in tasks}
        images, labels, masks = whole(source)
        assert len(images) == count
        assert images.dtype == np.float32
        assert -1 <= images.min() < -0.5
        assert 0.5 < images.max() <= 1
        for task in tasks:
            label, mask = labels[task.name], masks[task.name]
            assert label.dtype == mask.dtype == np.float32
            assert label.shape == (count, task.size)
            assert mask.shape == (count, *task.mask_shape)
            assert set(np.unique(mask)) <= {0.0, 1.0}
            entries = mask[:, None] if mask.ndim == 1 else mask
            assert (label[np.broadcast_to(entries == 0, label.shape)] == 0).all()

    def test_images_are_the_stored_ones(self, faces):
        stored = tfds.load(CO_ANNOTATED, split="train", data_dir=faces)
        by_path = {
            entry["path"]: entry["image"].astype(np.float32) / 127.5 - 1
            for entry in tfds.as_numpy(stored)
        }
        paths = data.raw_features(CO_ANNOTATED, ["path"], data_dir=faces)["path"]
        images = whole(data.load(CO_ANNOTATED, data_dir=faces))[0]
        for path, image in zip(paths, images, strict=True):
            np.testing.assert_allclose(image, by_path[path], atol=1e-6)

    def test_masks_are_what_the_sets_annotate(self, faces):
        _, labels, masks = whole(data.load(EXPRESSIONS_ONLY, data_dir=faces, tasks=PAIR))
        assert masks["expression"].all()
        assert not masks["action_units"].any()
        np.testing.assert_array_equal(labels["expression"].sum(axis=1), 1)
        _, labels, masks = whole(data.load(UNITS_ONLY, data_dir=faces, tasks=PAIR))
        assert not masks["expression"].any()
        np.testing.assert_array_equal(
            masks["action_units"], np.tile(np.isin(ACTION_UNITS, EMOTIONET), (64, 1))
        )
        assert labels["action_units"].any()

    def test_only_the_tasks_asked_for(self, faces):
        pose = Task.multiclass("pose", ["left", "right"])
        source = data.load(EXPRESSIONS_ONLY, data_dir=faces, tasks=(EXPRESSION, pose))
        assert set(source.element_spec[1]) == set(source.element_spec[2]) == {"expression"}

    def test_image_size(self, faces):
        small = whole(data.load(CO_ANNOTATED, data_dir=faces, image_size=16))[0]
        full = whole(data.load(CO_ANNOTATED, data_dir=faces))[0]
        assert small.shape == (80, 16, 16, 3)
        assert small.dtype == np.float32
        assert np.abs(small).max() <= 1
        # Antialiased: near the mean of each block, which picking pixels would not be.
        blocks = full.reshape(80, 16, 4, 16, 4, 3).mean(axis=(2, 4))
        assert np.abs(small - blocks).mean() < 0.03
        assert np.abs(full[:, ::4, ::4] - blocks).mean() > np.abs(small - blocks).mean()

    def test_only_keeps_rows(self, faces):
        name = f"{ANNOTATED}:test"
        identities = data.raw_features(name, ["identity"], data_dir=faces)["identity"]
        chosen = np.unique(identities)[1:3]
        kept = np.isin(identities, chosen)
        assert 0 < kept.sum() < len(kept)
        source = data.load(name, data_dir=faces, only=("identity", chosen.tolist()))
        assert int(source.cardinality()) == kept.sum()
        images, labels, _ = whole(source)
        everything = whole(data.load(name, data_dir=faces))
        np.testing.assert_array_equal(images, everything[0][kept])
        np.testing.assert_array_equal(labels["expression"], everything[1]["expression"][kept])

    def test_inputs_become_a_dictionary(self, faces):
        names = ("image", "identity")
        inputs, labels, _ = whole(data.load(CO_ANNOTATED, data_dir=faces, inputs=names))
        image, want, _ = whole(data.load(CO_ANNOTATED, data_dir=faces))
        assert set(inputs) == set(names)
        np.testing.assert_array_equal(inputs["image"], image)
        raw = data.raw_features(CO_ANNOTATED, ["identity"], data_dir=faces)
        np.testing.assert_array_equal(inputs["identity"], raw["identity"])
        np.testing.assert_array_equal(labels["expression"], want["expression"])
        numbers = data.load(CO_ANNOTATED, data_dir=faces, inputs=["identity"])
        assert set(whole(numbers)[0]) == {"identity"}

    @pytest.mark.parametrize(
        ("inputs", "message"),
        [
            (["image", "voice"], r"has no features \['voice'\]\. Known: \['action_units', 'at"),
            (["path"], "'path' cannot be an input"),
            ([], "at least one feature"),
        ],
    )
    def test_inputs_that_are_none(self, faces, inputs, message):
        with pytest.raises(ValueError, match=message):
            data.load(CO_ANNOTATED, data_dir=faces, inputs=inputs)

    @pytest.mark.parametrize(
        ("name", "bad", "message"),
        [
            ("expression", 7, r"must lie in \[-1, 6\], got 7 in row 0 \(80 such"),
            ("expression", -2, r"must lie in \[-1, 6\], got -2 in row 0"),
            ("action_units", [0] * 16 + [2], r"must lie in \[0, 1\] where annotated, got 2\.0"),
            ("action_units", [-3] + [0] * 16, r"must lie in \[0, 1\] where annotated, got -3\.0"),
            ("valence_arousal", [0, np.inf], r"must lie in \[-1, 1\] .* got inf in row 0"),
        ],
    )
    @pytest.mark.parametrize("one_hot", [True, False])
    def test_a_stored_label_that_is_none_is_named(
        self, faces, monkeypatch, name, bad, message, one_hot
    ):
        read = built._examples

        def damaged(*args, **options):
            def damage(example):
                return {**example, name: tf.constant(bad, example[name].dtype)}

            return read(*args, **options).map(damage)

        monkeypatch.setattr(built, "_examples", damaged)
        with pytest.raises(ValueError, match=f"Labels of '{name}' {message}"):
            data.label_arrays(CO_ANNOTATED, data_dir=faces, one_hot=one_hot)

    def test_only_of_a_feature_that_is_none(self, faces):
        with pytest.raises(ValueError, match=r"has no features \['index'\]"):
            data.load(CO_ANNOTATED, data_dir=faces, only=("index", [1]))

    def test_only_nothing(self, faces):
        with pytest.raises(ValueError, match="has no example left"):
            data.load(CO_ANNOTATED, data_dir=faces, only=("identity", [-5]))

    def test_the_same_order_twice_and_for_every_reader(self, faces):
        images, labels, masks = whole(data.load(CO_ANNOTATED, data_dir=faces))
        again = whole(data.load(CO_ANNOTATED, data_dir=faces))
        np.testing.assert_array_equal(images, again[0])
        arrays = data.label_arrays(CO_ANNOTATED, data_dir=faces)
        assert set(arrays) == set(labels)
        for name, (label, mask) in arrays.items():
            np.testing.assert_array_equal(label, labels[name])
            np.testing.assert_array_equal(mask, masks[name])
            assert label.dtype == mask.dtype == np.float32
        ids, mask = data.label_arrays(CO_ANNOTATED, data_dir=faces, one_hot=False)["expression"]
        np.testing.assert_array_equal(ids, data.class_ids(*arrays["expression"]))
        np.testing.assert_array_equal(mask, arrays["expression"][1])


@pytest.fixture
def copied(faces, tmp_path):
    """A folder of built data whose files a test may damage, and a file of records in it."""
    shutil.copytree(Path(faces, EXPRESSIONS_ONLY), tmp_path / EXPRESSIONS_ONLY)
    [records] = (tmp_path / EXPRESSIONS_ONLY).rglob("*.tfrecord*")
    return tmp_path, records


def _cut_between_records(content):
    return content[: int.from_bytes(content[:8], "little") + 16]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[: len(content) // 2], "truncated record at "),
        (lambda content: content[:99] + bytes([content[99] ^ 1]) + content[100:], "corrupted reco"),
        (_cut_between_records, "it holds 1 records, not 48)"),
        (None, "missing)"),
    ],
)
def test_a_damaged_file_of_records_is_named(copied, damage, reason):
    folder, records = copied
    whole_file = records.read_bytes()
    records.unlink()
    if damage is not None:
        records.write_bytes(damage(whole_file))
    with pytest.raises(ValueError, match=r"is damaged: .* and build it again") as raised:
        data.label_arrays(EXPRESSIONS_ONLY, data_dir=folder)
    assert f"{records} ({reason}" in str(raised.value)


def test_a_damaged_description_of_a_built_data_set_is_named(copied):
    folder, records = copied
    about = records.with_name("dataset_info.json")
    about.write_bytes(about.read_bytes()[:50])
    with pytest.raises(ValueError, match=r"is damaged: its dataset_info\.json cannot be read"):
        data.label_arrays(EXPRESSIONS_ONLY, data_dir=folder)


def test_an_error_that_is_none_of_the_files_stays(faces):
    builder, split = built.open_built(EXPRESSIONS_ONLY, faces)
    with pytest.raises(tf.errors.InvalidArgumentError), damage_named(builder, split):
        tf.ensure_shape(tf.zeros(2), (3,))


def test_merged_masks_are_complementary(faces):
    sources = [
        data.load(name, data_dir=faces, tasks=[task], image_size=16)
        for name, task in zip((EXPRESSIONS_ONLY, UNITS_ONLY), PAIR, strict=True)
    ]
    known = np.isin(ACTION_UNITS, EMOTIONET)
    for images, labels, masks in data.merge(sources, 8, shares=(1, 1)):
        expression, units = masks["expression"].numpy(), masks["action_units"].numpy()
        assert images.shape[1:] == (16, 16, 3)
        np.testing.assert_array_equal(units, (1 - expression)[:, None] * known)
        np.testing.assert_array_equal(labels["expression"].numpy().sum(axis=1), expression)
        assert not labels["action_units"].numpy()[expression == 1].any()


class TestNames:
    def test_a_single_split_may_be_left_out(self, faces):
        named = data.label_arrays(f"{EXPRESSIONS_ONLY}:train", data_dir=faces)
        short = data.label_arrays(EXPRESSIONS_ONLY, data_dir=faces)
        np.testing.assert_array_equal(named["expression"][0], short["expression"][0])

    def test_splits_differ(self, faces):
        counts = {
            split: int(data.load(f"{ANNOTATED}:{split}", data_dir=faces).cardinality())
            for split in ("validation", "test")
        }
        assert counts == COUNTS["fully_annotated"]

    @pytest.mark.parametrize("split", ["", ":", ":train"])
    def test_one_of_several_splits_must_be_named(self, faces, split):
        with pytest.raises(ValueError, match=r"has the splits \['validation', 'test'\]"):
            data.load(f"{ANNOTATED}{split}", data_dir=faces)

    def test_unknown_data_set(self, faces):
        for read in (data.load, data.label_arrays, data.tasks_in):
            with pytest.raises(
                ValueError,
                match=r"Unknown data set 'imagenet'. Known: .*clothing_attributes",
            ):
                read("imagenet", data_dir=faces)

    def test_unknown_configuration_lists_the_known(self, faces):
        with pytest.raises(ValueError, match=r"(?s)nothing.*co_annotated_64px"):
            data.load("synthetic_faces/nothing", data_dir=faces)

    def test_unknown_feature_lists_the_known(self, faces):
        with pytest.raises(ValueError, match=r"no features \['pose'\]. Known: .*'identity'"):
            data.raw_features(CO_ANNOTATED, ["identity", "pose"], data_dir=faces)

    def test_other_labels_of_a_task(self, faces):
        other = Task.multiclass("expression", ["neutral", "bored"])
        for read in (data.load, data.label_arrays):
            with pytest.raises(ValueError, match="other labels for the task 'expression'"):
                read(CO_ANNOTATED, data_dir=faces, tasks=[other])


def test_tasks_in(faces):
    tasks = {task.name: task for task in data.tasks_in(CO_ANNOTATED, data_dir=faces)}
    assert set(tasks) == {"expression", "action_units", "valence_arousal", "attributes"}
    assert tasks["expression"] == EXPRESSION
    assert tasks["action_units"] == UNITS


def test_raw_features(faces):
    raw = data.raw_features(UNITS_ONLY, ["expression", "action_units", "path"], data_dir=faces)
    assert set(raw) == {"expression", "action_units", "path"}
    assert (raw["expression"] == -1).all()
    assert raw["action_units"].dtype == np.int8
    assert len(set(raw["path"])) == 64


@pytest.fixture(scope="module")
def clothing(tmp_path_factory):
    """Four images, the second truncated."""
    folder = fakes.write_cad(tmp_path_factory.mktemp("raw"))
    path = folder / "images" / "000002.jpg"
    path.write_bytes(path.read_bytes()[:-40])
    (folder / "images" / "000004.jpg").write_bytes(fakes.jpeg(9, height=30, width=30))
    built = tmp_path_factory.mktemp("built")
    builder = ClothingAttributes(data_dir=str(built))
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=str(folder), try_download_gcs=False)
    )
    return str(built)


class TestClothingAttributes:
    NAME = "clothing_attributes"

    def test_a_truncated_image_is_skipped_and_counted(self, clothing):
        builder = tfds.builder(self.NAME, data_dir=clothing)
        assert builder.info.metadata["skipped"] == 1
        source = data.load(self.NAME, data_dir=clothing, image_size=16)
        assert int(source.cardinality()) == 3
        assert whole(source)[0].shape == (3, 16, 16, 3)
        raw = data.raw_features(self.NAME, ["index"], data_dir=clothing)
        assert sorted(raw["index"]) == [0, 2, 3]

    def test_missing_labels_have_mask_zero(self, clothing):
        _, labels, masks = whole(data.load(self.NAME, data_dir=clothing, image_size=16))
        order = np.argsort(data.raw_features(self.NAME, ["index"], data_dir=clothing)["index"])
        # Rows 0, 2, 3 of the files.
        assert labels["category"].argmax(axis=1)[order].tolist() == [6, 0, 2]
        assert masks["category"].tolist() == [1, 1, 1]
        female = fakes.BINARY.index("gender")
        assert masks["attributes"][order, female].tolist() == [1, 0, 1]
        assert labels["attributes"][order, female].tolist() == [0, 0, 1]
        assert masks["attributes"][order, 23:26].tolist() == [[1] * 3, [0] * 3, [1] * 3]
        assert masks["attributes"][order, 26:].tolist() == [[0] * 3, [1] * 3, [1] * 3]
        assert not labels["attributes"][masks["attributes"] == 0].any()

    def test_only_by_index(self, clothing):
        source = data.load(
            self.NAME, data_dir=clothing, image_size=16, only=("index", np.array([3, 2, 1]))
        )
        assert int(source.cardinality()) == 2
        assert sorted(whole(source)[1]["category"].argmax(axis=1)) == [0, 2]

    def test_images_of_several_sizes_need_one(self, clothing):
        with pytest.raises(ValueError, match="differ in size: image_size must be given"):
            data.load(self.NAME, data_dir=clothing)

    def test_unbuilt_tells_how_to_build(self, tmp_path):
        command = f"python -m data_prep.build --dataset={self.NAME} --source=DIR --data_dir="
        for read in (data.load, data.label_arrays):
            with pytest.raises(FileNotFoundError, match=command):
                read(self.NAME, data_dir=tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_drawn_faces_are_built_on_first_use(tmp_path, monkeypatch):
    whole = next(each for each in SyntheticFaces.BUILDER_CONFIGS if each.image_size == 64)
    few = dataclasses.replace(whole, counts={"train": 3})
    monkeypatch.setattr(SyntheticFaces, "builder_configs", {few.name: few})
    for _ in range(2):
        source = data.load(f"synthetic_faces/{few.name}:train", data_dir=tmp_path)
        assert len(list(source)) == 3
    assert (tmp_path / "synthetic_faces").is_dir()


def test_records_by_place_are_the_records_in_a_stream(tmp_path):
    source = fakes.write_cad(tmp_path / "raw")
    folders = {name: tmp_path / name for name in FILE_FORMATS}
    for file_format, folder in folders.items():
        builder = datasets.make_builder("clothing_attributes", folder, source, file_format)
        build(builder, source, folder)
    for name in ("clothing_attributes", "clothing_attributes:train[1:]"):
        stream, places = (
            data.load(name, data_dir=folder, image_size=8) for folder in folders.values()
        )
        assert places.element_spec == stream.element_spec
        assert places.cardinality() == stream.cardinality()
        for one, other in zip(stream, places, strict=True):
            tf.nest.map_structure(np.testing.assert_array_equal, one, other)
    merged = [
        list(data.merge([data.load(name, data_dir=folder, image_size=8)], 2, seed=3).take(3))
        for folder in folders.values()
    ]
    tf.nest.map_structure(np.testing.assert_array_equal, *merged)
    rows = [data.raw_features(name, ["index"], data_dir=folder) for folder in folders.values()]
    np.testing.assert_array_equal(rows[0]["index"], rows[1]["index"])


@pytest.mark.parametrize("side", [24, 16])
def test_a_batch_becomes_inputs_as_its_images_do(side):
    images = np.random.default_rng(0).integers(0, 256, (3, 24, 24, 3), np.uint8)
    inputs = data.network_input(images, side).numpy()
    assert inputs.shape == (3, side, side, 3)
    expected = [data.network_input(image, side).numpy() for image in images]
    np.testing.assert_array_equal(inputs, expected)
