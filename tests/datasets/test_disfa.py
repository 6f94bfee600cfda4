import itertools

import pytest

from mtl_dm import ACTION_UNITS
from mtl_dm.datasets import Disfa
from mtl_dm.datasets._check import CHECKERS
from mtl_dm.datasets.disfa._reader import read
from mtl_dm.datasets.reading import BadLine, Row
from tests.datasets.fakes import disfa as fakes


@pytest.fixture
def root(tmp_path):
    fakes.write(tmp_path)
    return tmp_path / "DISFA"


def items(root, **options):
    splits = read(root, **options).splits.values()
    return list(itertools.chain.from_iterable(start() for start in splits))


def units(row):
    return dict(zip(ACTION_UNITS, row.labels["action_units"].tolist(), strict=True))


def expected(person, frame, threshold):
    active = {f"AU{u}": int(fakes.intensity(person, frame, u) >= threshold) for u in fakes.UNITS}
    return {unit: active.get(unit, -1) for unit in ACTION_UNITS}


@pytest.mark.parametrize("config", Disfa.BUILDER_CONFIGS, ids=lambda config: config.name)
def test_intensities_become_binary_at_the_threshold(config, tmp_path):
    fakes.write(tmp_path, ("left", "right"))
    threshold = 1 if config.name.endswith("_any") else 2
    camera = config.name.removesuffix("_any")
    release = config.read(tmp_path)
    found = itertools.chain.from_iterable(start() for start in release.splits.values())
    assert {row.path: units(row) for row in found} == {
        f"frames/{camera}/{person}/0000{frame}.jpg": expected(person, frame, threshold)
        for person in fakes.PEOPLE
        for frame in (1, 2, 3)
    }
    assert (
        f"{camera} camera; an action unit is active from intensity {threshold}"
        in (release.facts[0])
    )


def test_the_default_by_hand(root):
    # SN001, frame 1: AU1 has intensity 3, AU2 4, AU4 0, AU5 1, AU6 2.
    row = next(row for row in items(root) if row.where == "SN001, frame 1")
    assert [units(row)[f"AU{unit}"] for unit in (1, 2, 4, 5, 6, 7)] == [1, 1, 0, 0, 1, -1]


def test_no_person_is_in_two_splits(root):
    people = [{row.where[:5] for row in start()} for start in read(root).splits.values()]
    assert sorted(map(sorted, people)) == [[person] for person in fakes.PEOPLE]


def test_a_frame_that_one_file_lacks_is_not_annotated_for_it(root):
    fakes.write_unit(root, "SN002", 12, ["1,5", "3,0"])
    rows = [row for row in items(root) if row.where.startswith("SN002")]
    assert [units(row)["AU12"] for row in rows] == [1, -1, 0]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2,6", "the intensity is '6'; expected a whole number from 0 to 5"),
        ("2,-1", "the intensity is '-1'"),
        ("2,9", "the intensity is '9'"),
        ("2,nan", "the intensity is 'nan'"),
        ("0,1", "the frame is '0'; expected a whole number from 1 to"),
        ("2", "expected 2 column(s) (frame, intensity), got 1"),
        ("1,0", "frame 1 is there twice"),
    ],
)
def test_a_bad_line_is_named(line, reason, root):
    path = fakes.write_unit(root, "SN001", 4, ["1,0", line, "3,0"])
    found = items(root)
    [bad] = [item for item in found if isinstance(item, BadLine)]
    assert (bad.file, bad.line) == (path, 2)
    assert reason in bad.reason
    assert len([item for item in found if isinstance(item, Row)]) == 9


def test_what_is_not_there_is_named(root):
    with pytest.raises(FileNotFoundError, match=r"frames of the right camera.*take them out first"):
        read(root, camera="right")
    (root / "frames/left").rename(root / "frames/right")
    assert CHECKERS.get("disfa")(root).usable
    assert read(root, camera="right").warnings == ("3 people where 27 were published.",)
    (root / "ActionUnit_Labels/SN016/SN016_au9.txt").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"1 label file\(s\) are missing, first .*SN016_au9.txt"
    ):
        read(root, camera="right")
    for file in (root / "ActionUnit_Labels/SN016").iterdir():
        file.unlink()
    (root / "ActionUnit_Labels/SN016").rmdir()
    with pytest.raises(ValueError, match=r"2 subject\(s\) cannot make 3 splits"):
        read(root, camera="right")
