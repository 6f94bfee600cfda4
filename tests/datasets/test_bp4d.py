import itertools

import pytest

from mtl_dm import ACTION_UNITS
from mtl_dm.datasets._check import CHECKERS
from mtl_dm.datasets.bp4d._reader import read, read_either
from mtl_dm.datasets.bp4d._releases import ORIGINAL, PLUS
from mtl_dm.datasets.reading import BadLine, Row, Skipped
from tests.datasets.fakes import bp4d as fakes

READ = {"AU1", "AU2", "AU4", "AU5", "AU6", "AU7", "AU9", "AU10", "AU11", "AU12", "AU15", "AU17"} | {
    "AU20", "AU23", "AU24",
}  # fmt: skip


def items(source, edition=ORIGINAL):
    splits = read(source, edition=edition).splits.values()
    return list(itertools.chain.from_iterable(start() for start in splits))


def expected(session, frame):
    values = {f"AU{unit}": fakes.code(session, frame, unit) for unit in fakes.UNITS}
    return [-1 if unit not in READ or values[unit] == 9 else values[unit] for unit in ACTION_UNITS]


def labels(found):
    return {row.path: row.labels["action_units"].tolist() for row in found}


def test_frames_of_bp4d_are_called_by_their_number(tmp_path):
    assert labels(items(fakes.write(tmp_path))) == {
        f"BP4D-training/{session.replace('_', '/')}/{frame}.jpg": expected(session, frame)
        for session in fakes.SESSIONS
        for frame in (9, 10, 11)
    }


def test_images_of_bp4d_plus_count_from_zero(tmp_path):
    assert labels(items(fakes.write_plus(tmp_path), PLUS)) == {
        f"2D+3D/{session.replace('_', '/')}/{frame - 1:04d}.jpg": expected(session, frame)
        for session in fakes.SESSIONS_PLUS
        for frame in (9, 10, 11)
    }


def test_splits(tmp_path):
    people = {
        split: {row.where[:4] for row in start()}
        for split, start in read(fakes.write(tmp_path)).splits.items()
    }
    assert people == {"train": {"F001", "M001"}, "validation": {"F002"}}
    splits = read(fakes.write_plus(tmp_path), edition=PLUS).splits
    found = [{row.where[:4] for row in start()} for start in splits.values()]
    assert sorted(map(sorted, found)) == [["F001"], ["F024"], ["M058"]]


def test_who_is_there_says_which_release_it_is(tmp_path):
    assert read_either(fakes.write(tmp_path)).facts[0].startswith("BP4D in ")
    source = fakes.write_plus(tmp_path)
    release = read_either(source)
    assert release.facts[0].endswith("3 coded sessions of 3 people.")
    assert release.warnings == ("3 coded sessions where 560 were published.",)
    with pytest.raises(ValueError, match="F024 is none of the 41 people of BP4D; of BP4D"):
        read(source)


def test_unknown_frames_are_skipped(tmp_path):
    root = fakes.write(tmp_path)
    line = (9, *[9] * (len(fakes.UNITS) - 1), 1)
    fakes.write_table(root, "F002_T1", [line], place="AUCoding")
    assert items(root)[-1] == Skipped(
        "BP4D-training/F002/T1/9.jpg", "F002_T1.csv, frame 9: no action unit is coded"
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ((10, 2, *[0] * 17), "AU1 is '2'; expected one of 1, 0, 9"),
        ((10, "", *[0] * 17), "AU1 is ''"),
        ((0, *[0] * 18), "the frame is '0'; expected a whole number from 1 to"),
        ((10, 1), "got 2 column(s)"),
    ],
)
def test_a_bad_line_is_named(line, reason, tmp_path):
    root = fakes.write(tmp_path)
    good = [(frame, *[0] * 18) for frame in (9, 11)]
    path = fakes.write_table(root, "F001_T1", [good[0], line, good[1]], place="AUCoding")
    found = items(root)
    [bad] = [item for item in found if isinstance(item, BadLine)]
    assert (bad.file, bad.line) == (path, 3)
    assert reason in bad.reason
    assert len([item for item in found if isinstance(item, Row)]) == 8


@pytest.mark.parametrize("header", [(), (0, 14, 99), (0, 1, 1), ("frame", "x")])
def test_a_malformed_header_is_named(header, tmp_path):
    root = fakes.write(tmp_path)
    path = fakes.write_table(root, "F001_T1", [], header, "AUCoding")
    [error] = CHECKERS.get("bp4d/original")(root).errors
    assert error.startswith(f"{path}, line 1: expected the numbers of action units (0, 1, 2, 4,")


def test_what_is_not_there_is_named(tmp_path):
    root = fakes.write(tmp_path)
    (root / "BP4D-training").rename(root / "other")
    with pytest.raises(FileNotFoundError, match=r"images in 2D\+3D/F001/T1/ or BP4D-training/F001"):
        read(root)
    (root / "other/F001").rename(root / "F001")
    assert items(root)[0].path == "F001/T1/9.jpg"
    fakes.write_table(tmp_path / "BP4D+", "F024_T1", [])
    (tmp_path / "BP4D+/F024/T1").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"1 subject\(s\) cannot make 3 splits"):
        read(tmp_path, edition=PLUS)
