import csv
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from data_prep.build import build
from data_prep.check import check
from mtl_dm import datasets
from mtl_dm.datasets._check import CHECKERS
from mtl_dm.datasets.affectnet._arrays import read_value
from mtl_dm.datasets.affectnet._labels import CLASSES
from mtl_dm.datasets.affectnet._reader import read
from tests.datasets.fakes import affectnet as fakes
from tests.datasets.fakes import write_image

# The release's id -> id in neutral, happiness, sadness, fear, anger, surprise, disgust.
IDS = {0: 0, 1: 1, 2: 2, 3: 5, 4: 3, 5: 6, 6: 4}


def built(source, data_dir, name="affectnet"):
    builder = datasets.make_builder(name, data_dir)
    build(builder, source, data_dir)
    return builder


def records(builder, split):
    return {
        record["path"].decode(): record for record in tfds.as_numpy(builder.as_dataset(split=split))
    }


def skipped(builder):
    with (Path(builder.data_dir) / "skipped.csv").open(encoding="utf-8", newline="") as file:
        return {row["path"]: row["reason"] for row in csv.DictReader(file)}


def manual(parent, lines, header=True):
    """A 2017 release whose training.csv has the given lines, and no validation.csv."""
    write_image(parent / "Manually_Annotated_Images/1/a.jpg", 1)
    fakes.write_table(parent / "Manually_Annotated_file_lists/training.csv", lines, header)
    return parent


def errors(source, name="affectnet"):
    report = CHECKERS.get(name)(source)
    assert not report.usable
    return report.errors


@pytest.mark.parametrize(
    ("write", "path"),
    [
        (fakes.write_2017, "Manually_Annotated_Images/{folder}/training{number:04x}.jpg"),
        (
            fakes.write_2017_nested,
            "Manually_Annotated/Manually_Annotated_Images/{folder}/training{number:04x}.jpg",
        ),
        (fakes.write_2021, "train_set/images/{number}.jpg"),
    ],
)
def test_labels_of_every_release(write, path, tmp_path):
    found = records(built(write(tmp_path / "raw"), tmp_path / "built"), "train")
    assert len(found) == len(fakes.TRAIN)
    for number, (expression, valence, arousal) in enumerate(fakes.TRAIN):
        record = found[path.format(folder=number % 3 + 1, number=number)]
        assert record["expression"] == IDS[expression]
        expected = [np.nan if value == -2 else value for value in (valence, arousal)]
        np.testing.assert_allclose(record["valence_arousal"], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("write", "year"),
    [
        (fakes.write_2017, "2017, manually annotated,"),
        (fakes.write_automatic, "2017, automatically annotated,"),
        (fakes.write_2021, "2021,"),
    ],
)
def test_the_check_says_which_release_is_there(write, year, tmp_path):
    report = check("affectnet", write(tmp_path))
    assert report.facts[0].startswith(f"AffectNet, release of {year} in")


def test_published_counts(tmp_path):
    assert check("affectnet", fakes.write_2017(tmp_path / "a")).warnings == (
        "8 rows in train where 414,799 were published.",
        "3 rows in validation where 5,500 were published.",
    )
    assert check("affectnet", fakes.write_2021(tmp_path / "b")).warnings == (
        "8 rows in train where 287,651 were published.",
        "3 rows in validation where 3,999 were published.",
    )
    assert not check("affectnet", fakes.write_automatic(tmp_path / "c")).warnings


def test_other_expressions_are_skipped_with_their_meaning(tmp_path):
    rows = [(7, -0.5, 0.1), (8, -2, -2), (9, -2, -2), (10, -2, -2), (1, 0.5, 0.1)]
    lines = [fakes.line(f"1/{row[0]}.jpg", row) for row in rows]
    source = manual(tmp_path / "raw", lines)
    for row in rows:
        write_image(source / f"Manually_Annotated_Images/1/{row[0]}.jpg", row[0])
    builder = built(source, tmp_path / "built")
    assert skipped(builder) == {
        f"Manually_Annotated_Images/1/{number}.jpg": (
            f"training.csv, line {line}: expression is {number} ({meaning}), outside the 7"
        )
        for line, number, meaning in [
            (2, 7, "contempt"),
            (3, 8, "none"),
            (4, 9, "uncertain"),
            (5, 10, "non-face"),
        ]
    }
    assert builder.info.metadata["rows"] == 5
    assert builder.info.metadata["unlabelled_images"] == 1  # a.jpg
    assert "No validation.csv: no validation split." in check("affectnet", source).warnings


def test_contempt_in_2021(tmp_path):
    source = fakes.write_2021(tmp_path / "raw")
    fakes.write_annotation(source / "train_set/annotations", 3, "7", "-0.5", "0.1")
    builder = built(source, tmp_path / "built")
    assert skipped(builder) == {
        "train_set/images/3.jpg": "3_exp.npy: expression is 7 (contempt), outside the 7"
    }


def test_crop_to_the_face(tmp_path):
    source = fakes.write_2017(tmp_path / "raw")  # images of 24 x 16, boxes from (2, 3)
    whole = records(built(source, tmp_path / "built"), "validation")
    faces = records(built(source, tmp_path / "built", "affectnet/manual_faces"), "validation")
    for path, record in faces.items():
        assert record["image"].shape == (12, 10, 3)
        crop = whole[path]["image"][3:15, 2:12].astype(int)
        assert np.abs(record["image"] - crop).mean() < 8  # encoded twice
    automatic = fakes.write_automatic(tmp_path / "auto")
    found = records(built(automatic, tmp_path / "built", "affectnet/automatic_faces"), "train")
    assert {record["image"].shape for record in found.values()} == {(12, 10, 3)}


@pytest.mark.parametrize(
    "box", [(0, 0, 0, 0), (1, 1, -4, 5), ("", "", "", ""), ("NULL", "NULL", "NULL", "NULL")]
)
def test_no_face_box(box, tmp_path):
    lines = [fakes.line("1/a.jpg", (0, 0, 0), box), fakes.line("1/b.jpg", (1, 0, 0))]
    source = manual(tmp_path / "raw", lines)
    write_image(source / "Manually_Annotated_Images/1/b.jpg", 2)
    assert len(records(built(source, tmp_path / "built"), "train")) == 2
    builder = built(source, tmp_path / "built", "affectnet/manual_faces")
    assert skipped(builder) == {
        "Manually_Annotated_Images/1/a.jpg": "training.csv, line 2: no face box to crop to"
    }


def test_a_box_that_is_no_number_matters_to_crops_only(tmp_path):
    source = manual(tmp_path, [fakes.line("1/a.jpg", (0, 0, 0), ("left", 1, 5, 5))])
    assert CHECKERS.get("affectnet/manual")(source).usable
    [error] = errors(source, "affectnet/manual_faces")
    assert error.endswith("training.csv, line 2: face_x is 'left'; expected a number")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (fakes.line("1/a.jpg", (11, 0, 0)), "expression is '11'; expected one of 0, 1, 2, 3"),
        (fakes.line("1/a.jpg", ("", 0, 0)), "expression is ''; expected one of 0, 1"),
        (fakes.line("1/a.jpg", (1, 1.5, 0)), "valence is '1.5'; expected a number from -1 to 1"),
        (fakes.line("1/a.jpg", (1, 0, "nan")), "arousal is 'nan'; expected a number from -1"),
        (fakes.line("../a.jpg", (1, 0, 0)), "the path contains '..'"),
        (fakes.line("/1/a.jpg", (1, 0, 0)), "the path '/1/a.jpg' is absolute"),
        (fakes.line("1/a.jpg", (1, 0)), "expected 9 column(s)"),
        (fakes.line("1/a.jpg", (1, 0, 0, 0)), "got 10 column(s)"),
    ],
)
@pytest.mark.parametrize("header", [True, False])
def test_bad_lines(line, reason, header, tmp_path):
    source = manual(tmp_path / "raw", [line, fakes.line("1/a.jpg", (0, 0, 0))], header)
    [error] = errors(source)
    assert f"training.csv, line {1 + header}: " in error
    assert reason in error
    with pytest.raises(ValueError, match=r"training\.csv, line"):
        built(source, tmp_path / "built")
    assert not (tmp_path / "built/affectnet/manual/1.0.0").exists()


def test_a_header_that_lacks_a_column(tmp_path):
    source = manual(tmp_path, [])
    table = source / "Manually_Annotated_file_lists/training.csv"
    table.write_text(fakes.HEADER.replace(",valence", "") + "\n")
    assert "the header lacks ['valence']" in errors(source)[0]


def test_byte_order_mark_crlf_and_backslashes(tmp_path):
    source = manual(tmp_path, [])
    text = "\r\n".join([fakes.HEADER, fakes.line("1\\a.jpg", (4, 0, 0))])
    table = source / "Manually_Annotated_file_lists/training.csv"
    table.write_text("\ufeff" + text, encoding="utf-8", newline="")
    [row] = read(source).splits["train"]()
    assert (row.path, row.labels["expression"]) == ("Manually_Annotated_Images/1/a.jpg", 3)


class TestArrays:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("3", "3"),
            (3, "3"),
            (np.int64([7]), "7"),
            (b"-0.25", "-0.25"),
            (0.5, "0.5"),
            (" 1", "1"),
        ],
    )
    def test_one_value(self, value, text, tmp_path):
        np.save(tmp_path / "a.npy", value)
        assert read_value(tmp_path / "a.npy") == text

    def test_whole_number_as_a_real_one(self, tmp_path):
        source = fakes.write_2021(tmp_path)
        fakes.write_annotation(source / "train_set/annotations", 0, np.float32(6), 0.5, 0.5)
        assert next(iter(read(source).splits["train"]())).labels["expression"] == 4

    def test_nothing_is_unpickled(self, tmp_path):
        np.save(tmp_path / "a.npy", np.array({"a": 1}, dtype=object), allow_pickle=True)
        with pytest.raises(
            ValueError, match=r"a\.npy is no \.npy file with one value: type object"
        ):
            read_value(tmp_path / "a.npy")

    @pytest.mark.parametrize("data", [b"", b"3", b"\x93NUMPY\x01\x00v\x00{'descr'"])
    def test_damaged_file(self, data, tmp_path):
        (tmp_path / "a.npy").write_bytes(data)
        with pytest.raises(ValueError, match=r"a\.npy is no \.npy file with one value"):
            read_value(tmp_path / "a.npy")

    @pytest.mark.parametrize("value", [[1, 2], [[1]], []])
    def test_more_or_less_than_one_value(self, value, tmp_path):
        np.save(tmp_path / "a.npy", value)
        with pytest.raises(ValueError, match="expected one number or string"):
            read_value(tmp_path / "a.npy")

    def test_truncated_value(self, tmp_path):
        np.save(tmp_path / "a.npy", 1.5)
        (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-2])
        with pytest.raises(ValueError, match="more or less than one value"):
            read_value(tmp_path / "a.npy")

    def test_problems_name_the_file(self, tmp_path):
        source = fakes.write_2021(tmp_path / "raw")
        folder = source / "train_set/annotations"
        np.save(folder / "2_exp.npy", "12")
        (folder / "4_aro.npy").unlink()
        first, second = errors(source)
        assert first.startswith(f"{folder / '2_exp.npy'}: expression is '12'; expected one of 0, 1")
        assert second == (
            f"{folder / '4_exp.npy'}: 4_aro.npy cannot be read (No such file or directory)"
        )

    def test_image_without_annotation_and_annotation_without_image(self, tmp_path):
        source = fakes.write_2021(tmp_path / "raw")
        (source / "train_set/annotations/5_exp.npy").unlink()
        (source / "train_set/images/6.jpg").unlink()
        warnings = check("affectnet", source).warnings
        assert "1 row(s) without an image file, to be skipped: train_set/images/6.jpg." in warnings
        assert "1 image(s) without a row, left out: train_set/images/5.jpg." in warnings

    def test_rows_are_in_the_order_of_their_numbers(self, tmp_path):
        source = fakes.write_2021(tmp_path)
        fakes.write_annotation(source / "train_set/annotations", 10, "1", "0", "0")
        paths = [row.path for row in read(source).splits["train"]()]
        assert [Path(path).stem for path in paths] == [*"01234567", "10"]

    def test_face_boxes_are_not_released(self, tmp_path):
        source = fakes.write_2021(tmp_path)
        [error] = errors(source, "affectnet/manual_faces")
        assert "release of 2021, which has no face boxes" in error


def test_incomplete_releases_say_what_was_expected(tmp_path):
    (tmp_path / "a/train_set/images").mkdir(parents=True)
    assert "expected a folder annotations there" in errors(tmp_path / "a")[0]
    (tmp_path / "b/Manually_Annotated_file_lists").mkdir(parents=True)
    assert "expected the images in Manually_Annotated_Images or" in errors(tmp_path / "b")[0]
    (tmp_path / "b/Manually_Annotated_Images").mkdir(parents=True)
    assert "expected training.csv or validation.csv there" in errors(tmp_path / "b")[0]
    (tmp_path / "b/val_set").mkdir(parents=True)
    assert "holds the release of 2017" in errors(tmp_path / "b")[0]
    assert "expected Automatically_Annotated_file" in errors(tmp_path, "affectnet/automatic")[0]


def test_only_validation_in_2021(tmp_path):
    source = fakes.write_2021(tmp_path)
    (source / "train_set").rename(tmp_path / "elsewhere")
    report = check("affectnet", tmp_path / "AffectNet 2021")
    assert report.facts[1] == "validation: 3 rows."
    assert "No folder train_set: no train split." in report.warnings


def test_readme_has_the_mapping():
    readme = Path(datasets.__file__).parent / "affectnet" / "README.md"
    assert CLASSES.table() in readme.read_text(encoding="utf-8")
    assert {int(text): CLASSES.index(text) for text in list(CLASSES.names)[:7]} == IDS
