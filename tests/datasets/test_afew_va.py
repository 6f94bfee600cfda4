import itertools
import math

import numpy as np
import pytest

from mtl_dm.datasets._check import CHECKERS
from mtl_dm.datasets.afew_va._clips import face_box
from mtl_dm.datasets.afew_va._reader import read
from mtl_dm.datasets.reading import BadLine, Box, Row, Skipped
from tests.datasets.fakes import afew_va as fakes


def items(source, **options):
    splits = read(source, **options).splits.values()
    return list(itertools.chain.from_iterable(start() for start in splits))


def with_frame(tmp_path, **entry):
    """A release whose first frame is this one."""
    fakes.write(tmp_path)
    label = {**fakes.entry(1, 2), **entry}
    fakes.write_json(
        tmp_path / "AFEW-VA", "002", "Bo", {"00000": label, "00001": fakes.entry(1, 2)}
    )
    return tmp_path


def first_of_bo(source):
    return next(item for item in items(source) if item.path == "002/00000.png")


def test_labels_are_a_tenth_of_what_the_release_has(tmp_path):
    rows = items(fakes.write(tmp_path))
    assert {row.path: pytest.approx(np.array(row.labels["valence_arousal"])) for row in rows} == {
        f"{clip}/{number:05d}.png": np.array(pair) / 10
        for clip, (_, labels) in fakes.CLIPS.items()
        for number, pair in enumerate(labels)
    }


def test_no_actor_is_in_two_splits(tmp_path):
    release = read(fakes.write(tmp_path))
    actors = [
        {fakes.CLIPS[row.path.split("/")[0]][0] for row in start()}
        for start in release.splits.values()
    ]
    assert sorted(map(sorted, actors)) == [["Ada"], ["Bo"], ["Cy"]]


def test_faces_are_cropped_to_the_enlarged_box(tmp_path):
    # The longer side is 16, a quarter of it 4.
    source = fakes.write(tmp_path)
    assert {row.box for row in items(source)} == {Box(0, 1, 16, 25)}
    assert {row.box for row in items(source, faces=False)} == {None}


@pytest.mark.parametrize(
    "landmarks",
    [None, [], fakes.LANDMARKS[:67], [[1]] * 68, [[1, math.nan]] * 68, [[3, 4]] * 68, ["ab"] * 68],
)
def test_without_landmarks_a_face_is_skipped(landmarks, tmp_path):
    assert face_box(landmarks) is None
    item = first_of_bo(with_frame(tmp_path, landmarks=landmarks))
    reason = "002.json, frame 00000: no 68 landmarks to crop to"
    assert item == Skipped("002/00000.png", reason)


def test_one_value_alone(tmp_path):
    item = first_of_bo(with_frame(tmp_path, arousal=None))
    np.testing.assert_array_equal(item.labels["valence_arousal"], np.float32([0.1, math.nan]))


def test_no_value_at_all(tmp_path):
    item = first_of_bo(with_frame(tmp_path, valence=None, arousal=None))
    assert item.reason == "002.json, frame 00000: neither valence nor arousal"


@pytest.mark.parametrize("value", [11, -10.5, math.nan, math.inf, "high", True, [1]])
def test_a_value_outside_is_named(value, tmp_path):
    found = items(with_frame(tmp_path, arousal=value))
    [bad] = [item for item in found if isinstance(item, BadLine)]
    assert bad.file.name == "002.json"
    assert bad.reason == f"frame 00000: arousal is {str(value)!r}; expected a number from -10 to 10"
    assert len([item for item in found if isinstance(item, Row)]) == 8


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "001.json: not a JSON file"),
        ("[]", '001.json: expected an object with "frames"'),
        ('{"frames": []}', '001.json: expected an object with "frames"'),
        ('{"frames": {"first": {}}}', "frame 'first': expected a number such as 00012"),
        ('{"frames": {"00000": 3}}', "frame 00000: expected an object with valence and arousal"),
    ],
)
def test_a_malformed_file_is_named(text, reason, tmp_path):
    fakes.write(tmp_path)
    (tmp_path / "AFEW-VA/001/001.json").write_text(text)
    report = CHECKERS.get("afew_va/frames")(tmp_path)
    assert [error for error in report.errors if reason in error]


def test_too_few_people(tmp_path):
    fakes.write_clip(tmp_path, "001", "Ada", [(1, 1)])
    with pytest.raises(ValueError, match=r"1 clip\(s\): 1 subject\(s\) cannot make 3 splits"):
        read(tmp_path)


def test_clips_without_a_name_are_people_of_their_own(tmp_path):
    for clip in ("001", "002", "003"):
        fakes.write_clip(tmp_path, clip, "", [(1, 1)])
    release = read(tmp_path)
    assert [len(list(start())) for start in release.splits.values()] == [1, 1, 1]
    assert release.warnings == (
        "3 clips where 600 were published.",
        "3 clip(s) do not say whom they show (the first: 001): the same person may be in more "
        "than one split.",
    )
