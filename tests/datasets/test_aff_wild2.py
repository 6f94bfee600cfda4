from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from data_prep.build import build
from data_prep.check import check
from mtl_dm import ACTION_UNITS, datasets
from mtl_dm.datasets.aff_wild2._reader import read
from mtl_dm.datasets.aff_wild2._schema import CLASSES
from mtl_dm.datasets.reading import BadLine, Row, Skipped
from tests.datasets.fakes import aff_wild2 as fakes

# Id of the release -> id in neutral, happiness, sadness, fear, anger, surprise, disgust; None:
# no expression of ours.
IDS = {"0": 0, "1": 4, "2": 6, "3": 3, "4": 1, "5": 2, "6": 5, "7": None, "-1": None}

# AU1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 15, 17, 20, 23, 24, 25, 26 of "1,0,0,1,1,0,1,0,0,0,1,0" for
# AU1, 2, 4, 6, 7, 10, 12, 15, 23, 24, 25, 26.
SOME_UNITS = [1, 0, 0, -1, 1, 1, -1, 0, -1, 1, 0, -1, -1, 0, 0, 1, 0]


def built(source, data_dir):
    builder = datasets.make_builder("aff_wild2", data_dir)
    build(builder, source, data_dir)
    return builder


def records(builder, split="all"):
    found = tfds.as_numpy(builder.as_dataset(split=split))
    return {record["path"].decode(): record for record in found}


def items(source, split="train"):
    return list(read(source).splits[split]())


def track(tmp_path, challenge, lines, header, video="v", part="Train_Set"):
    (tmp_path / "cropped_aligned").mkdir(exist_ok=True)
    return fakes.write_track(tmp_path, challenge, part, video, header, lines)


class TestChallenges:
    def test_labels_are_joined_by_frame(self, tmp_path):
        found = records(built(fakes.write_challenges(tmp_path), tmp_path / "built"))
        first, second, third = (found[f"cropped_aligned/video1/0000{n}.jpg"] for n in (1, 2, 3))
        assert (first["expression"], second["expression"], third["expression"]) == (1, 4, -1)
        assert first["action_units"].tolist() == SOME_UNITS
        assert second["action_units"].tolist() == [-1] * 17
        assert third["action_units"].tolist() == [0, *SOME_UNITS[1:]]  # "Other" keeps its units
        np.testing.assert_array_equal(first["valence_arousal"], [0.5, -0.25])
        assert np.isnan(second["valence_arousal"]).all()
        np.testing.assert_array_equal(third["valence_arousal"], [0, 1])

    def test_one_challenge_alone_and_left_and_right(self, tmp_path):
        found = records(built(fakes.write_challenges(tmp_path), tmp_path / "built"))
        for side in ("left", "right"):
            record = found[f"cropped_aligned/video2_{side}/00002.jpg"]
            assert record["expression"] == 5  # surprise
            assert (record["action_units"] == -1).all()
            assert np.isnan(record["valence_arousal"]).all()

    def test_second_image_folder(self, tmp_path):
        found = records(built(fakes.write_challenges(tmp_path), tmp_path / "built"), "validation")
        names = [f"cropped_aligned_new_50_vids/v-3/0000{n}.jpg" for n in (1, 2, 3)]
        assert sorted(found) == names
        assert [found[name]["expression"] for name in names] == [-1, 2, -1]

    def test_older_release_is_read_by_its_header(self, tmp_path):
        source = fakes.write_old(tmp_path)
        [first, *_] = items(source)
        assert first.labels["expression"] == 6  # disgust
        # AU1, AU20 active; 2, 4, 6, 12, 15, 25 not; the others unknown.
        units = dict(zip(ACTION_UNITS, first.labels["action_units"].tolist(), strict=True))
        assert {name for name, value in units.items() if value == 1} == {"AU1", "AU20"}
        inactive = {name for name, value in units.items() if value == 0}
        assert inactive == {"AU2", "AU4", "AU6", "AU12", "AU15", "AU25"}
        facts = read(source).facts[0]
        assert facts.endswith(
            "2 labelled videos; action_units (8 columns), expression (7 columns), "
            "valence_arousal (2 columns)."
        )

    def test_frames_without_a_file_or_a_label_are_counted(self, tmp_path):
        source = fakes.write_challenges(tmp_path)
        fakes.write_track(source, fakes.EXPR, "Train_Set", "x", fakes.EXPRESSIONS, [0, 7, -1, 0])
        fakes.write_frames(source, "x", (1, 2, 3))  # no face in frame 4
        builder = built(source, tmp_path / "built")
        metadata = builder.info.metadata
        assert (metadata["rows"], metadata["skipped"], metadata["unlabelled_images"]) == (14, 3, 0)
        listed = (Path(builder.data_dir) / "skipped.csv").read_text().splitlines()[1:]
        assert listed == [
            'cropped_aligned/x/00002.jpg,"x.txt, line 3: expression is 7 (Other), outside the 7"',
            'cropped_aligned/x/00003.jpg,"x.txt, line 4: no label"',
            "cropped_aligned/x/00004.jpg,missing",
        ]
        report = check("aff_wild2", source)
        assert report.usable
        assert "2 rows have no label for this data set, to be skipped." in report.facts
        assert any(
            line.startswith("1 row(s) without an image file, to be skipped: cropped_aligned/x/0000")
            for line in report.warnings
        )

    def test_images_of_unlabelled_videos_are_counted(self, tmp_path):
        source = fakes.write_challenges(tmp_path)
        fakes.write_frames(source, "test-video", (1, 2))
        assert built(source, tmp_path / "built").info.metadata["unlabelled_images"] == 2

    def test_a_video_in_both_sets_is_validation_with_those_labels_only(self, tmp_path):
        track(tmp_path, fakes.VA, ["0.5,0.5"], "valence,arousal")
        track(tmp_path, fakes.EXPR, [3], fakes.EXPRESSIONS, part="Validation_Set")
        release = read(tmp_path)
        assert set(release.splits) == {"validation"}
        [row] = release.splits["validation"]()
        assert row.labels == {"expression": 3}
        [warning] = [line for line in release.warnings if "Validation_Set" in line]
        assert warning.startswith("1 video(s) are in the Train_Set of one challenge")
        assert "(the first: v)" in warning

    def test_files_of_different_lengths(self, tmp_path):
        track(tmp_path, fakes.VA, ["0,0", "1,1"], "valence,arousal")
        track(tmp_path, fakes.EXPR, [3], fakes.EXPRESSIONS)
        first, second = items(tmp_path)
        assert set(first.labels) == {"expression", "valence_arousal"}
        assert set(second.labels) == {"valence_arousal"}
        [warning] = [line for line in read(tmp_path).warnings if "different lengths" in line]
        assert "1 video(s)" in warning
        assert "the first: v, [2, 1] frames" in warning

    def test_published_counts(self, tmp_path):
        warnings = read(fakes.write_challenges(tmp_path)).warnings
        assert warnings == (
            "4 videos with labels where 564 were published.",
            "10 frames with labels where about 2,800,000 were published.",
        )

    def test_byte_order_mark_carriage_returns_and_empty_lines_at_the_end(self, tmp_path):
        path = track(tmp_path, fakes.EXPR, [], fakes.EXPRESSIONS)
        path.write_bytes(b"\xef\xbb\xbf" + fakes.EXPRESSIONS.encode() + b"\r\n4\r\n 1 \r\n\r\n\r\n")
        assert [row.labels["expression"] for row in items(tmp_path)] == [1, 4]


class TestBadTracks:
    @pytest.mark.parametrize(
        ("challenge", "header", "line", "reason"),
        [
            (fakes.EXPR, fakes.EXPRESSIONS, "8", "expression is '8'; expected a number from -1 to"),
            (fakes.EXPR, fakes.OLD_EXPRESSIONS, "7", "expected a number from -1 to 6"),
            (fakes.EXPR, fakes.EXPRESSIONS, "happy", "expression is 'happy'"),
            (fakes.EXPR, fakes.EXPRESSIONS, "1,2", "expected 1 column(s), got 2"),
            (fakes.EXPR, fakes.EXPRESSIONS, "", "the line is empty; expected a frame"),
            (fakes.VA, "valence,arousal", "0.5", "expected 2 column(s), got 1"),
            (fakes.VA, "valence,arousal", "0.5,2", "arousal is '2'; expected a number from -1 to"),
            (fakes.VA, "valence,arousal", "nan,0", "valence is 'nan'"),
            (fakes.AU, fakes.UNITS, "2" + fakes.SOME_UNITS[1:], "AU1 is '2'; expected one of"),
            (fakes.AU, fakes.UNITS, "1,0", "expected 12 column(s), got 2"),
        ],
    )
    def test_a_bad_line_is_named(self, tmp_path, challenge, header, line, reason):
        good = {fakes.EXPR: "0", fakes.VA: "0,0", fakes.AU: fakes.SOME_UNITS}[challenge]
        path = track(tmp_path, challenge, [good, line, good], header)
        found = items(tmp_path)
        bad = [item for item in found if isinstance(item, BadLine)]
        assert [(item.file, item.line) for item in bad] == [(path, 3)]
        assert reason in bad[0].reason
        assert [type(item) for item in found if item not in bad] == [Row, Row]

    def test_check_counts_them(self, tmp_path):
        track(tmp_path, fakes.EXPR, ["9"] * 12, fakes.EXPRESSIONS)
        report = check("aff_wild2", tmp_path)
        assert len(report.errors) == 11
        assert report.errors[-1] == "... and 2 more bad lines."

    @pytest.mark.parametrize(
        ("challenge", "header", "expected"),
        [
            (fakes.VA, "arousal,valence", "expected the header valence,arousal; found"),
            (fakes.VA, "0.5,0.5", "expected the header valence,arousal; found"),
            (fakes.EXPR, "Neutral,Happiness", "Surprise,Other (or without Other); found"),
            (fakes.AU, "AU1,AU3", "expected the header some of AU1,AU2,AU4"),
            (fakes.AU, "AU1,AU1", "expected the header some of AU1"),
            (fakes.AU, "", "expected the header some of AU1"),
        ],
    )
    def test_header(self, tmp_path, challenge, header, expected):
        path = track(tmp_path, challenge, ["1"], header)
        with pytest.raises(ValueError, match="line 1: expected the header") as error:
            read(tmp_path)
        assert str(error.value).startswith(f"{path}, line 1: ")
        assert expected in str(error.value)

    def test_other_encodings(self, tmp_path):
        path = track(tmp_path, fakes.EXPR, [1], fakes.EXPRESSIONS)
        path.write_bytes(path.read_bytes() + b"\xff\xfe")
        [error] = check("aff_wild2", tmp_path).errors
        assert "not UTF-8 text" in error


class TestLists:
    @pytest.mark.parametrize(
        "header", [fakes.LIST_HEADER, f"image,valence,arousal,expression,{fakes.UNITS}", ""]
    )
    def test_labels(self, tmp_path, header):
        source = fakes.write_lists(tmp_path, header)
        first, second, third, fourth = items(source)
        assert first.path == "cropped_aligned/10-60-1280x720/00001.jpg"
        assert first.labels["expression"] == 1
        assert first.labels["action_units"].tolist() == SOME_UNITS
        np.testing.assert_array_equal(first.labels["valence_arousal"], np.float32([0.5, -0.25]))
        assert second.labels == {"expression": 5}
        assert third.labels["expression"] == -1
        assert third.labels["action_units"].tolist() == SOME_UNITS
        assert set(third.labels) == {"expression", "action_units"}
        assert set(fourth.labels) == {"valence_arousal"}

    def test_nothing_but_other(self, tmp_path):
        source = fakes.write_lists(tmp_path)
        path = fakes.write_list(source, "training", [f"v/1.jpg,-5,-5,7,{fakes.NO_UNITS}"])
        [item] = items(source)
        assert item == Skipped(
            "cropped_aligned/v/1.jpg",
            f"{path.name}, line 2: expression is 7 (Other), outside the 7",
        )

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (f"../v/1.jpg,0,0,0,{fakes.NO_UNITS}", "the path contains '..'"),
            (f"v/1.jpg,0,0,8,{fakes.NO_UNITS}", "expression is '8'; expected one of 0, 1"),
            ("v/1.jpg,0,0,8", "expected 16 column(s)"),
            (f"v/1.jpg,0,0,0,{fakes.NO_UNITS},1", "got 17 column(s)"),
            (f"v/1.jpg,-2,0,0,{fakes.NO_UNITS}", "valence is '-2'"),
        ],
    )
    def test_a_bad_line_is_named(self, tmp_path, line, reason):
        source = fakes.write_lists(tmp_path)
        fakes.write_list(source, "training", [*fakes.TRAIN_LINES[:2], line])
        *_, bad = items(source)
        assert bad.line == 4
        assert reason in bad.reason

    def test_header_of_something_else(self, tmp_path):
        source = fakes.write_lists(tmp_path)
        fakes.write_list(source, "training", fakes.TRAIN_LINES, "path,expression")
        [error] = check("aff_wild2", source).errors
        assert "line 1: expected the header image,valence,arousal,expression,aus" in error

    def test_one_list_alone(self, tmp_path):
        source = fakes.write_lists(tmp_path)
        (source / "validation_set_annotations.txt").unlink()
        assert read(source).warnings == (
            "No file validation_set_annotations.txt: no split validation.",
        )
        assert set(read(source).splits) == {"train"}


class TestFolders:
    def test_no_images(self, tmp_path):
        fakes.write_track(tmp_path, fakes.EXPR, "Train_Set", "v", fakes.EXPRESSIONS, [0])
        with pytest.raises(FileNotFoundError, match="has no images: expected a folder cropped_al"):
            read(tmp_path)

    def test_both_forms(self, tmp_path):
        source = fakes.write_lists(tmp_path)
        fakes.write_track(source, fakes.EXPR, "Train_Set", "v", fakes.EXPRESSIONS, [0])
        with pytest.raises(ValueError, match="holds both Aff-Wild2"):
            read(source)

    def test_expressions_twice(self, tmp_path):
        track(tmp_path, fakes.EXPR, [0], fakes.EXPRESSIONS)
        track(tmp_path, fakes.OLD_EXPR, [0], fakes.EXPRESSIONS)
        with pytest.raises(ValueError, match="holds the expressions twice"):
            read(tmp_path)

    def test_no_sets(self, tmp_path):
        (tmp_path / "cropped_aligned").mkdir()
        (tmp_path / fakes.VA).mkdir()
        with pytest.raises(FileNotFoundError, match="expected Train_Set or Validation_Set there"):
            read(tmp_path)


def test_readme_has_the_mapping():
    readme = Path(datasets.__file__).parent / "aff_wild2" / "README.md"
    assert CLASSES.table() in readme.read_text(encoding="utf-8")
    assert {name: CLASSES.index(name) for name in IDS} == IDS
