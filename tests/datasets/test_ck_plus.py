import itertools

import pytest

from mtl_dm.datasets._check import CHECKERS
from mtl_dm.datasets.ck_plus._reader import CLASSES, TASKS, read
from mtl_dm.datasets.reading import BadLine, Row
from mtl_dm.datasets.reading.frames import neutral_and_height
from tests.datasets.fakes import ck_plus as fakes


@pytest.fixture
def root(tmp_path):
    fakes.write(tmp_path)
    return tmp_path / "CK+"


def items(root):
    splits = read(root).splits.values()
    return list(itertools.chain.from_iterable(start() for start in splits))


def test_the_first_frame_is_neutral_and_the_last_three_show_the_expression(root):
    names = TASKS[1].labels
    found = {
        row.path: (row.labels["identity"], names[row.labels["expression"]]) for row in items(root)
    }
    # By hand: 3 is disgust, 7 surprise, 2 contempt, 5 happiness.
    shown = dict(
        zip(fakes.SEQUENCES, ("disgust", "surprise", "contempt", "happiness"), strict=True)
    )
    assert found == {
        f"cohn-kanade-images/{person}/{name}/{person}_{name}_0000000{number}.png": (
            int(person[1:]),
            "neutral" if number == 1 else expression,
        )
        for (person, name), expression in shown.items()
        for number in (1, 2, 3, 4)
    }


def test_frames_between_are_left_out(root):
    fakes.write_frames(root, "S010", "003", 9)
    fakes.write_label(root, "S010", "003", "6.0", last=9)
    rows = [row for row in items(root) if "S010_003" in row.path]
    assert [row.path[-6:-4] for row in rows] == ["01", "07", "08", "09"]
    assert neutral_and_height([4, 5]) == (4, [5])
    assert neutral_and_height([4]) == (4, [])


def test_no_person_is_in_two_splits(root):
    people = [{row.labels["identity"] for row in start()} for start in read(root).splits.values()]
    assert sorted(map(sorted, people)) == [[5], [10], [895]]


def test_the_published_ids():
    assert len(CLASSES.names) == len(TASKS[1].labels) == 8
    assert CLASSES.index("7") == TASKS[1].labels.index("surprise")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("8.0", "expression is '8.0'; expected a number from 0 to 7"),
        ("2.5", "expression is '2.5'; expected a whole number"),
        ("nan", "expression is 'nan'; expected a number from 0 to 7"),
        ("", "expression is ''; expected a number from 0 to 7"),
    ],
)
def test_a_bad_label_is_named(text, reason, root):
    path = fakes.write_label(root, "S010", "002", text)
    found = items(root)
    [bad] = [item for item in found if isinstance(item, BadLine)]
    assert (bad.file, bad.reason) == (path, reason)
    assert len([item for item in found if isinstance(item, Row)]) == 12


def test_what_is_not_there_is_named(root):
    assert "4 labelled sequences where 327 were published." in read(root).warnings
    (root / "cohn-kanade-images").rename(root / "images")
    with pytest.raises(FileNotFoundError, match="expected the images in cohn-kanade-images/S005"):
        read(root)
    assert not CHECKERS.get("ck_plus")(root).usable


def test_too_few_people(tmp_path):
    fakes.write_frames(tmp_path, "S005", "001")
    fakes.write_label(tmp_path, "S005", "001", "1.0")
    with pytest.raises(ValueError, match=r"1 subject\(s\) cannot make 3 splits"):
        read(tmp_path)
