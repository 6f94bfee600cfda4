import pytest

from mtl_dm.datasets.reading import Frames
from mtl_dm.datasets.reading.subjects import by_subject


def frames(tmp_path, *names):
    (tmp_path / "v").mkdir()
    for name in names:
        (tmp_path / "v" / name).touch()
    return Frames(tmp_path, "v")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("1.jpg", "10.jpg", "2.jpg"), ("v/2.jpg", "v/10.jpg", "v/11.jpg")),
        (("00002.png", "00010.png"), ("v/00002.png", "v/00010.png", "v/00011.png")),
        (("S_0002.jpg", "S_0010.jpg"), ("v/S_0002.jpg", "v/S_0010.jpg", "v/S_0011.jpg")),
        (("2.bmp", "10.jpg", "cover.jpg", "11.txt"), ("v/2.bmp", "v/10.jpg", "v/11.jpg")),
        ((), ("v/00002.jpg", "v/00010.jpg", "v/00011.jpg")),
    ],
)  # fmt: skip
def test_frames_are_found_by_number(names, expected, tmp_path):
    found = frames(tmp_path, *names)
    assert tuple(map(found.path, (2, 10, 11))) == expected


def test_no_folder(tmp_path):
    assert Frames(tmp_path, "v").path(3) == "v/00003.jpg"


def test_one_number_twice(tmp_path):
    with pytest.raises(ValueError, match=r"v: 0002\.jpg and 2\.jpg are both frame 2"):
        frames(tmp_path, "2.jpg", "0002.jpg")


def test_two_subjects_are_too_few():
    with pytest.raises(ValueError, match=r"2 subject\(s\) cannot make 3 splits"):
        by_subject({"a": 1, "b": 2})
