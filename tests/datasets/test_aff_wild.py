import itertools
import math

import numpy as np
import pytest

from mtl_dm.datasets._check import CHECKERS
from mtl_dm.datasets.aff_wild._reader import read
from mtl_dm.datasets.reading import BadLine, Box, Row, Skipped
from tests.datasets.fakes import aff_wild as fakes


@pytest.fixture
def root(tmp_path):
    fakes.write(tmp_path)
    return tmp_path / "Aff-Wild"


def items(root, **options):
    splits = read(root, **options).splits.values()
    return list(itertools.chain.from_iterable(start() for start in splits))


def of_video(found, video="105"):
    return [item for item in found if f"/{video}/" in getattr(item, "path", "")]


def test_line_n_is_frame_n(root):
    rows = of_video(items(root))
    assert [row.path for row in rows] == [f"frames/train/105/0000{n}.jpg" for n in (1, 2, 3)]
    labels = [row.labels["valence_arousal"] for row in rows]
    np.testing.assert_array_equal(labels, np.float32(fakes.VIDEOS["105"]))
    assert rows[1].where == "105.txt, line 2"


def test_no_video_is_in_two_splits(root):
    videos = [{row.path.split("/")[2] for row in start()} for start in read(root).splits.values()]
    assert sorted(map(sorted, videos)) == [["105"], ["106"], ["318"]]


def test_cropped_or_whole(root):
    assert {row.box for row in items(root)} == {Box(2, 3, 14.25, 20.5)}
    assert {row.box for row in items(root, faces=False)} == {None}


@pytest.mark.parametrize("text", ["", fakes.PTS.replace("14.25", "2")])
def test_a_frame_without_a_box_is_skipped(text, root):
    path = fakes.write_box(root, "105", 2, text)
    if not text:
        path.unlink()
    assert of_video(items(root))[1] == Skipped(
        "frames/train/105/00002.jpg", "105.txt, line 2: no box of a face"
    )


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\n",
        fakes.PTS.replace("4\n{", "3\n{"),
        fakes.PTS.replace("2 3\n", ""),
        fakes.PTS.replace("2 3\n", "2 x\n"),
        fakes.PTS.replace("2 3\n", "2 nan\n"),
        fakes.PTS.replace("2 3\n", "2 3 4\n"),
    ],
)
def test_a_malformed_box_is_named(text, root):
    path = fakes.write_box(root, "105", 2, text)
    [bad] = [item for item in items(root) if isinstance(item, BadLine)]
    assert (bad.file, bad.line) == (path, 0)
    assert bad.reason.startswith("2.pts: expected ")


@pytest.mark.parametrize("line", ["-5", "-2", "1.01", "nan", "inf", "high", "0.1,0.2"])
def test_a_value_outside_is_named(line, root):
    path = fakes.write_track(root, "arousal", "105", [0, line, 1])
    found = items(root)
    [bad] = [item for item in found if isinstance(item, BadLine)]
    assert (bad.file, bad.line) == (path, 2)
    assert "expected" in bad.reason
    assert len([item for item in found if isinstance(item, Row)]) == 9


def test_an_empty_line_would_shift_the_frames(root):
    path = fakes.write_track(root, "valence", "105", [0, "", 1])
    bad = [item for item in items(root) if isinstance(item, BadLine)]
    assert [(item.file, item.line) for item in bad] == [(path, 2)]
    fakes.write_track(root, "valence", "105", [0, 0, 1, "", ""])
    assert len(of_video(items(root))) == 3


def test_files_of_different_lengths(root):
    fakes.write_track(root, "arousal", "105", [1, 0.5])
    label = of_video(items(root))[2].labels["valence_arousal"]
    np.testing.assert_array_equal(label, np.float32([0, math.nan]))
    assert read(root).warnings == (
        "1 video(s) have more lines of one value than of the other (the first: 105, 3 of valence, "
        "2 of arousal): what is lacking is not annotated.",
    )


def test_what_is_not_there_is_named(root):
    (root / "bboxes").rename(root / "bboxs")
    assert "cropped to the face" in read(root).facts[0]
    (root / "bboxs").rename(root / "other")
    with pytest.raises(FileNotFoundError, match="expected the boxes of the faces in bboxes/train"):
        read(root)
    assert "whole frames" in CHECKERS.get("aff_wild")(root).facts[0]
    (root / "annotations/train/arousal/318.txt").unlink()
    with pytest.raises(ValueError, match=r"only one of valence and arousal \(the first: 318\)"):
        read(root, faces=False)
    (root / "annotations/train/valence/318.txt").unlink()
    with pytest.raises(ValueError, match="videos count as subjects"):
        read(root, faces=False)
    (root / "frames").rename(root / "images")
    with pytest.raises(FileNotFoundError, match="take them out first"):
        read(root, faces=False)
