import os
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import tensorflow_datasets as tfds
from absl import logging

from mtl_dm.datasets import tasks_of
from mtl_dm.datasets.clothing_attributes import (
    ATTRIBUTES,
    CATEGORIES,
    TASKS,
    ClothingAttributes,
    read_labels,
)
from mtl_dm.datasets.clothing_attributes._images import check_no_extra_images
from mtl_dm.datasets.clothing_attributes._labels import locate
from tests.datasets.fakes import clothing_attributes as fakes

NAN = float("nan")


@pytest.fixture
def folder(tmp_path):
    return fakes.write_cad(tmp_path / "raw")


@pytest.fixture(scope="module")
def real_data():
    default = Path(__file__).parents[2].parent / "shared" / "data"
    data = Path(os.environ.get("MTL_DM_TEST_DATA", default))
    if not (data / "ClothingAttributeDataset").is_dir():
        pytest.skip("the real data set is not here: set MTL_DM_TEST_DATA to its parent folder")
    return data


def build(source: Path, data_dir: Path) -> ClothingAttributes:
    builder = ClothingAttributes(data_dir=str(data_dir))
    config = tfds.download.DownloadConfig(manual_dir=str(source), try_download_gcs=False)
    builder.download_and_prepare(download_config=config)
    return builder


def records(builder) -> list[dict]:
    """All records in the order of the label files, images as the stored bytes."""
    decoders = {"image": tfds.decode.SkipDecoding()}
    found = tfds.as_numpy(builder.as_dataset(split="all", decoders=decoders))
    return sorted(found, key=lambda record: record["index"])


class TestLabels:
    def test_names(self):
        assert len(ATTRIBUTES) == 29
        assert CATEGORIES == (
            "shirt",
            "sweater",
            "t_shirt",
            "outerwear",
            "suit",
            "tank_top",
            "dress",
        )
        assert ATTRIBUTES[2] == "female"
        assert [task.size for task in TASKS] == [7, 29]

    def test_category_counts_from_zero_and_nan_is_missing(self, folder):
        # File: 7, NaN, 1, 3.
        assert read_labels(folder).category.tolist() == [6, -1, 0, 2]

    def test_binary_attributes_are_active_at_two(self, folder):
        attributes = read_labels(folder).attributes
        assert attributes.dtype == np.int8
        # gender: 1, 2, NaN, 2; the file's order is the attributes' order.
        assert attributes[:, fakes.BINARY.index("gender")].tolist() == [0, 1, -1, 1]
        assert not np.delete(attributes[:, :23], 2, axis=1).any()

    def test_each_binary_file_fills_its_own_column(self, folder):
        for column, name in enumerate(fakes.BINARY):
            fakes.write_label(folder, name, [2 if column >> bit & 1 else 1 for bit in range(4)])
        binary = read_labels(folder).attributes[:, :23]
        # Rows 0 to 3 are the low bits of the column number: 0101..., 0011..., ...
        np.testing.assert_array_equal(
            binary, [[column >> bit & 1 for column in range(23)] for bit in range(4)]
        )

    def test_one_against_the_rest(self, folder):
        # Sleeves 1, 3, NaN, 2 and neckline NaN, 2, 1, 3.
        assert read_labels(folder).attributes[:, 23:].tolist() == [
            [1, 0, 0, -1, -1, -1],
            [0, 0, 1, 0, 1, 0],
            [-1, -1, -1, 1, 0, 0],
            [0, 1, 0, 0, 0, 1],
        ]
        assert ATTRIBUTES[23:26] == ("no_sleeves", "short_sleeves", "long_sleeves")
        assert ATTRIBUTES[26:] == ("v_shape_neckline", "round_neckline", "other_neckline")

    def test_folder_itself_or_its_parent(self, folder):
        assert locate(folder) == locate(folder.parent) == folder

    def test_no_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="expected a folder ClothingAttributeDataset"):
            locate(tmp_path)

    def test_every_missing_file_is_named(self, folder):
        for name in ("scarf", "neckline"):
            (folder / "labels" / f"{name}_GT.mat").unlink()
        with pytest.raises(FileNotFoundError, match=r"lacks 2 of 26.*scarf_GT.*neckline_GT"):
            read_labels(folder)

    @pytest.mark.parametrize(
        ("name", "value", "most"),
        [
            ("red", 3, 2),
            ("red", 0, 2),
            ("red", 1.5, 2),
            ("red", float("inf"), 2),
            ("red", -1, 2),
            ("neckline", 4, 3),
            ("category", 8, 7),
        ],
    )
    def test_value_out_of_range(self, folder, name, value, most):
        fakes.write_label(folder, name, [1, NAN, value, 1])
        message = rf"{name}_GT.mat: row 3 of GT is {value:g}.*from 1 to {most}"
        with pytest.raises(ValueError, match=message):
            read_labels(folder)

    def test_wrong_variable(self, folder):
        fakes.write_label(folder, "scarf", [1] * 4, variable="labels")
        with pytest.raises(ValueError, match=r"scarf_GT.mat: expected .*'GT', found \['labels'\]"):
            read_labels(folder)

    def test_lengths_disagree(self, folder):
        fakes.write_label(folder, "scarf", [1] * 3)
        with pytest.raises(ValueError, match=r"3 in scarf_GT.mat; 4 in .* and 20 more"):
            read_labels(folder)

    def test_wrong_shape(self, folder):
        scipy.io.savemat(folder / "labels" / "red_GT.mat", {"GT": np.ones((2, 2))})
        with pytest.raises(ValueError, match=r"red_GT.mat: GT must be N x 1, got \(2, 2\)"):
            read_labels(folder)

    def test_text_instead_of_numbers(self, folder):
        scipy.io.savemat(folder / "labels" / "red_GT.mat", {"GT": "yes"})
        with pytest.raises(ValueError, match=r"red_GT.mat: GT must hold numbers"):
            read_labels(folder)

    @pytest.mark.parametrize("content", [b"", b"not a mat file" * 20, None])
    def test_damaged_file(self, folder, content):
        path = folder / "labels" / "red_GT.mat"
        path.write_bytes(path.read_bytes()[:150] if content is None else content)
        with pytest.raises(ValueError, match=r"red_GT.mat: not a readable MATLAB"):
            read_labels(folder)

    def test_empty_data_set(self, folder):
        for name in fakes.FILES:
            fakes.write_label(folder, name, [])
        with pytest.raises(ValueError, match="data set is empty"):
            read_labels(folder)


class TestImages:
    def test_more_images_than_labels(self, folder):
        with pytest.raises(ValueError, match=r"1 image\(s\) beyond the 3 label rows: 000004.jpg"):
            check_no_extra_images(folder, 3)

    def test_other_files_are_left_alone(self, folder):
        (folder / "images" / "Thumbs.db").write_bytes(b"")
        check_no_extra_images(folder, 4)

    def test_no_image_folder(self, folder):
        (folder / "images").rename(folder / "pictures")
        with pytest.raises(FileNotFoundError, match="images is missing"):
            check_no_extra_images(folder, 4)

    def test_no_readable_image(self, folder, tmp_path):
        for path in (folder / "images").iterdir():
            path.unlink()
        with pytest.raises(ValueError, match=r"none of its 4 row.*000004.jpg, missing"):
            build(folder, tmp_path / "built")


class TestBuilder:
    def test_registered_with_instructions(self):
        assert tfds.builder_cls("clothing_attributes") is ClothingAttributes
        assert "images/000001.jpg" in ClothingAttributes.MANUAL_DOWNLOAD_INSTRUCTIONS

    def test_round_trip(self, folder, tmp_path):
        build(folder.parent, tmp_path / "built")
        builder = tfds.builder("clothing_attributes", data_dir=str(tmp_path / "built"))
        found = records(builder)
        assert [record["index"] for record in found] == [0, 1, 2, 3]
        assert [record["category"] for record in found] == [6, -1, 0, 2]
        assert found[0]["attributes"].tolist() == [0] * 23 + [1, 0, 0, -1, -1, -1]
        assert found[2]["attributes"].tolist()[2] == -1
        for number, record in enumerate(found, start=1):
            assert record["path"].decode() == f"images/{number:06d}.jpg"
            assert record["image"] == fakes.jpeg(number)  # copied, not encoded again
        assert tasks_of(builder.info) == TASKS
        assert "eccv2012" in builder.info.citation

    def test_decoded_image(self, folder, tmp_path):
        builder = build(folder, tmp_path / "built")
        [first, *_] = tfds.as_numpy(builder.as_dataset(split="train"))
        assert first["image"].shape == (24, 16, 3)
        assert first["image"].dtype == np.uint8

    def test_built_twice_is_the_same(self, folder, tmp_path):
        contents = []
        for name in ("a", "b"):
            built = Path(build(folder, tmp_path / name).data_dir)
            contents.append([path.read_bytes() for path in sorted(built.glob("*.tfrecord*"))])
        assert contents[0] == contents[1] != []

    def test_skipped_images_are_counted_and_listed(self, folder, tmp_path, monkeypatch):
        warnings = []
        monkeypatch.setattr(logging, "warning", lambda text, *args: warnings.append(text % args))
        path = folder / "images" / "000002.jpg"
        path.write_bytes(path.read_bytes()[:-30])
        (folder / "images" / "000004.jpg").unlink()
        builder = build(folder, tmp_path / "built")
        assert [record["index"] for record in records(builder)] == [0, 2]
        reloaded = tfds.builder("clothing_attributes", data_dir=str(tmp_path / "built"))
        assert reloaded.info.metadata["skipped"] == 2
        assert (Path(builder.data_dir) / "skipped.csv").read_text() == (
            "path,reason\nimages/000002.jpg,truncated or damaged image\nimages/000004.jpg,missing\n"
        )
        assert "Skipped images/000004.jpg: missing" in warnings

    def test_bad_labels_leave_no_data_set(self, folder, tmp_path):
        fakes.write_label(folder, "red", [1, 2, 3, 1])
        with pytest.raises(ValueError, match=r"red_GT.mat: row 3"):
            build(folder, tmp_path / "built")
        assert list((tmp_path / "built" / "clothing_attributes").iterdir()) == []

    def test_expected_bytes(self, folder):
        written = sum(len(fakes.jpeg(number)) for number in range(1, 5))
        assert ClothingAttributes.expected_bytes(folder.parent) == written


class TestRealData:
    def raw(self, folder, name):
        return scipy.io.loadmat(folder / "labels" / f"{name}_GT.mat")["GT"][:, 0]

    def test_labels(self, real_data):
        folder = real_data / "ClothingAttributeDataset"
        labels = read_labels(locate(real_data))
        assert labels.category.shape == (1856,)
        assert labels.attributes.shape == (1856, 29)
        assert round(np.mean(labels.category == -1) * 100) == 41
        # Counted in the files: 134 shirts ... 260 dresses.
        assert np.bincount(labels.category + 1).tolist() == [752, 134, 88, 108, 220, 232, 62, 260]
        complete = (labels.category != -1) & (labels.attributes != -1).all(axis=1)
        assert complete.sum() == 331
        raw = np.stack([self.raw(folder, name) for name in fakes.BINARY], axis=1)
        assert np.array_equal(labels.attributes[:, :23] == 1, raw == 2)
        assert np.array_equal(labels.attributes[:, :23] == -1, np.isnan(raw))
        sleeves = self.raw(folder, "sleevelength")
        for value in (1, 2, 3):
            assert np.array_equal(labels.attributes[:, 22 + value] == 1, sleeves == value)

    def test_build(self, real_data, tmp_path):
        builder = build(real_data, tmp_path)
        assert builder.info.splits["all"].num_examples == 1856
        assert builder.info.metadata["skipped"] == 0
        found = records(builder)
        assert [record["index"] for record in found] == list(range(1856))
        labels = read_labels(locate(real_data))
        np.testing.assert_array_equal([r["category"] for r in found], labels.category)
        np.testing.assert_array_equal([r["attributes"] for r in found], labels.attributes)
        last = real_data / "ClothingAttributeDataset" / "images" / "001856.jpg"
        assert found[-1]["image"] == last.read_bytes()
