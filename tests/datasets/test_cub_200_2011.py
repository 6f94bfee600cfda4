import io
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from data_prep.build import build
from data_prep.check import check
from mtl_dm import Relatedness, datasets
from mtl_dm.datasets.cub_200_2011._names import ATTRIBUTES, SPECIES
from mtl_dm.datasets.cub_200_2011._reader import TASKS, read
from tests.datasets.fakes import cub_200_2011 as fakes

ALBATROSS = "images/001.Black_footed_Albatross/Black_Footed_Albatross_0001_796111.jpg"


@pytest.fixture
def folder(tmp_path):
    return fakes.write_cub(tmp_path / "raw") / "CUB_200_2011"


def built(source, data_dir):
    builder = datasets.make_builder("cub_200_2011", data_dir)
    build(builder, source, data_dir)
    return builder


def records(builder, split):
    found = tfds.as_numpy(builder.as_dataset(split=split))
    return {record["path"].decode(): record for record in found}


def replace(path, number, text):
    """Replace a line, counted from 1."""
    lines = path.read_text().splitlines()
    lines[number - 1 : number] = text if isinstance(text, list) else [text]
    return fakes.write_lines(path, lines)


def errors(source):
    report = check("cub_200_2011", source)
    assert not report.usable
    return report.errors


def warnings(source):
    return [line for line in read(source).warnings if "published" not in line]


def test_labels_boxes_and_split(folder, tmp_path):
    builder = built(folder, tmp_path / "built")
    train, test = records(builder, "train"), records(builder, "test")
    assert {record["category"] for record in train.values()} == {0, 16, 199}
    assert set(test) == {ALBATROSS, "images/073.Blue_Jay/Blue_Jay_0001_63260.jpg"}
    first = test[ALBATROSS]
    assert first["category"] == 0
    # Image 1, attributes 1 to 8: present (1 + number) % 2 = 0, 1, 0, 1, 0, 1, 0, 1; certainty
    # 1 + (1 + number // 2) % 4 = 2, 3, 3, 4, 4, 1, 1, 2, of which 1 is not visible.
    assert first["certainty"][:8].tolist() == [2, 3, 3, 4, 4, 1, 1, 2]
    assert first["attributes"][:8].tolist() == [0, 1, 0, 1, 0, -1, -1, 1]
    assert first["image"].shape == (16, 8, 3)  # the box of 8 x 16
    assert builder.info.features["category"].names[16] == "Cardinal"


def test_the_crop_is_the_box(folder, tmp_path):
    image = Image.new("RGB", (16, 24), "red")
    image.paste((0, 0, 255), (2, 3, 10, 19))  # the box (2, 3, 8, 16)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=100, subsampling=0)
    (folder / ALBATROSS).write_bytes(data.getvalue())
    pixels = records(built(folder, tmp_path / "built"), "test")[ALBATROSS]["image"]
    assert pixels.shape == (16, 8, 3)
    assert (np.abs(pixels.astype(int) - [0, 0, 255]) < 60).all()


def test_names_and_ids():
    # Spelt out: id in the release -> name.
    for key, name in {
        1: "Black_footed_Albatross",
        17: "Cardinal",
        200: "Common_Yellowthroat",
    }.items():
        assert SPECIES[key - 1] == name
    for key, name in {
        1: "has_bill_shape::curved_(up_or_down)",
        10: "has_wing_color::blue",
        55: "has_breast_pattern::solid",
        149: "has_eye_color::buff",
        219: "has_size::small_(5_-_9_in)",
        312: "has_wing_pattern::multi-colored",
    }.items():
        assert ATTRIBUTES[key - 1] == name
    assert (TASKS[0].size, TASKS[1].size) == (200, 312)


class TestAttributeLines:
    def labels(self, folder, text):
        """The label and the certainty of image 1, attribute 2 when its line is `text`."""
        replace(folder / "attributes" / "image_attribute_labels.txt", 2, text)
        rows = {row.path: row.labels for row in read(folder).splits["test"]()}
        return rows[ALBATROSS]["attributes"][1], rows[ALBATROSS]["certainty"][1]

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("1 2 1 4 0.5", (1, 4)),
            ("1 2 0 3 0.5", (0, 3)),
            ("1 2 1 2 0.5", (1, 2)),
            ("1 2 0 1 0.5", (-1, 1)),
            ("1 2 1 1 0.5", (-1, 1)),
            ("1  2\t1 4 0.5 ", (1, 4)),
            ("1 2 1 4 0 0.5", (1, 4)),  # more fields: the first four count
            ("1 2 0 3 0 0 2.25", (0, 3)),
        ],
    )
    def test_label(self, folder, line, expected):
        assert self.labels(folder, line) == expected
        assert warnings(folder) == []

    def test_extra_fields_that_make_no_label(self, folder):
        assert self.labels(folder, "1 2 0 0 3 0.5") == (-1, 0)
        assert warnings(folder)[0].startswith("1 attribute line(s) with more than 5 fields")

    def test_no_line(self, folder):
        assert self.labels(folder, []) == (-1, 0)
        assert warnings(folder) == [
            "1 label(s) of an image and an attribute are not there: unknown."
        ]

    def test_repeated(self, folder):
        assert self.labels(folder, ["1 2 1 4 0.5", "1 2 0 3 0.5"]) == (1, 4)
        assert warnings(folder) == ["1 attribute line(s) repeat an earlier one; the first counts."]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("1 2 1 4", "expected image, attribute, present, certainty and time, got 4 field(s)"),
            ("9 2 1 4 0.5", "the image '9' is not in images.txt"),
            ("1 313 1 4 0.5", "the attribute is '313'; expected a number from 1 to 312"),
            ("1 2 1 5 0.5", "the certainty is '5'; expected one of 1, 2, 3, 4"),
            ("1 2 -1 4 0.5", "present is '-1'; expected 0 or 1"),
        ],
    )
    def test_bad(self, folder, line, reason):
        path = replace(folder / "attributes" / "image_attribute_labels.txt", 2, line)
        assert errors(folder) == (f"{path}, line 2: {reason}",)

    def test_another_file_is_not_read_to_the_end(self, folder):
        fakes.write_lines(folder / "attributes" / "image_attribute_labels.txt", ["x y"] * 5000)
        assert errors(folder)[-1] == "... and 990 more bad lines."


class TestTables:
    @pytest.mark.parametrize(
        ("file", "line", "reason"),
        [
            ("image_class_labels.txt", "2 201", "class is '201'; expected a whole number from 1"),
            ("image_class_labels.txt", "2 0", "class is '0'"),
            ("image_class_labels.txt", "2 1 1", "expected an id and 1 field(s), got 2 field(s)"),
            ("image_class_labels.txt", "1 1", "the id 1 is there twice"),
            ("train_test_split.txt", "2 2", "is_training_image is '2'; expected one of 1, 0"),
            ("bounding_boxes.txt", "2 0 0 0 5", "width is '0'; expected a number from 1"),
            ("bounding_boxes.txt", "2 0 0 5 nan", "height is 'nan'"),
            ("bounding_boxes.txt", "2 0 0 5", "expected an id and 4 field(s), got 3 field(s)"),
            ("images.txt", "2", "expected an id and 1 field(s), got 0 field(s)"),
            ("images.txt", "2 ../x.jpg", "the path contains '..'"),
        ],
    )
    def test_bad_line(self, folder, file, line, reason):
        path = replace(folder / file, 2, line)
        error = errors(folder)[0]
        assert error.startswith(f"{path}, line 2: ")
        assert reason in error

    def test_an_image_without_a_box(self, folder):
        replace(folder / "bounding_boxes.txt", 2, [])
        [error] = errors(folder)
        assert (
            error == f"{folder}/images.txt, line 2: bounding_boxes.txt has no line on the image 2"
        )

    def test_other_names_warn_and_other_counts_do_not_pass(self, folder):
        path = replace(folder / "classes.txt", 17, "17 017.Northern_Cardinal")
        assert warnings(folder) == [
            "classes.txt names 1 of 200 otherwise than this package: 17 is Northern_Cardinal, here "
            "Cardinal."
        ]
        replace(path, 200, [])
        assert "classes.txt: expected the ids 1 to 200, got 199 id(s)" in errors(folder)[0]

    def test_no_attribute_names(self, folder):
        (folder.parent / "attributes.txt").unlink()
        [warning] = warnings(folder)
        assert warning.startswith("No attributes.txt in ")

    def test_missing_tables_are_all_named(self, folder):
        for name in ("classes.txt", "attributes/image_attribute_labels.txt"):
            (folder / name).unlink()
        [error] = errors(folder)
        assert "lacks classes.txt, attributes/image_attribute_labels.txt; expected all" in error


def test_a_relatedness_from_the_published_shares():
    default = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("MTL_DM_TEST_DATA", default))
    path = folder / "cub" / "class_attribute_labels_continuous.txt"
    if not path.is_file():
        pytest.skip("the real table is not here: set MTL_DM_TEST_DATA to the folder of cub/")
    shares = np.loadtxt(path) / 100
    relatedness = Relatedness(SPECIES, ATTRIBUTES, shares, shares, "Wah et al. 2011")
    # The order of species and attributes is the release's if these come out.
    color = [name for name in ATTRIBUTES if name.startswith("has_primary_color")]
    birds = ("Cardinal", "Blue_Jay", "American_Crow", "White_Pelican", "Yellow_Warbler")
    part = relatedness.restrict(classes=birds, attributes=color)
    best = [color[place].partition("::")[2] for place in np.argmax(part.conditional, axis=1)]
    assert best == ["red", "blue", "black", "white", "yellow"]
