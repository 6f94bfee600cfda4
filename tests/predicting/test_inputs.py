import os

import pytest

from mtl_dm.predicting.inputs import list_inputs


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "my photos ö"
    for name in ("b.jpg", "a.PNG", "sub/c.webp", "sub/film.MP4", "notes.txt", "none"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def names(found, root):
    return [item.path.relative_to(root).as_posix() for item in found.items]


def test_a_folder_in_the_order_of_its_paths(folder, tmp_path):
    found = list_inputs([folder], tmp_path / "out")
    assert names(found, folder) == ["a.PNG", "b.jpg", "sub/c.webp", "sub/film.MP4"]
    assert [item.is_video for item in found.items] == [False, False, False, True]
    assert found.others == {"(none)": 1, ".txt": 1}
    assert found.items[2].place.as_posix() == "my photos ö/sub/c.webp"
    assert found.items[0].name == (folder / "a.PNG").as_posix()


def test_files_stay_as_named_and_count_once(folder, tmp_path):
    b, notes = folder / "b.jpg", folder / "notes.txt"
    found = list_inputs([notes, b, folder, b], tmp_path / "out")
    # A file named by itself is tried as a photo whatever it is called.
    assert names(found, folder) == ["notes.txt", "b.jpg", "a.PNG", "sub/c.webp", "sub/film.MP4"]
    assert found.repeated == 2


def test_an_earlier_output_is_no_input(folder):
    found = list_inputs([folder], folder / "sub")
    assert names(found, folder) == ["a.PNG", "b.jpg"]


def test_places_are_apart(tmp_path):
    for name in ("x/a.jpg", "y/a.jpg", "y/A.JPG"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    named = [tmp_path / "x" / "a.jpg", tmp_path / "y" / "a.jpg", tmp_path / "y" / "A.JPG"]
    found = list_inputs(named, tmp_path / "out")
    assert [item.place.as_posix() for item in found.items] == ["a.jpg", "a (2).jpg", "A (3).JPG"]


def test_a_name_that_is_no_text(tmp_path):
    path = tmp_path / os.fsdecode("ö ".encode() + b"\xff.jpg")
    path.write_bytes(b"x")
    (item,) = list_inputs([tmp_path], tmp_path / "out").items
    assert item.path == path
    assert item.name == rf"{tmp_path}/ö \xff.jpg"


def test_long_names_leave_room_for_a_suffix_and_a_temporary_name(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ("ö" * 125 + ".png")).write_bytes(b"x")
    found = list_inputs(
        [tmp_path / "x", *(tmp_path / "y").iterdir(), *(tmp_path / "x").iterdir()], tmp_path / "out"
    ).items
    assert [item.place.parent.as_posix() for item in found] == ["x", "."]
    for item in found:
        assert len(os.fsencode(item.place.name)) in (199, 200)
        assert item.place.name.endswith("ö.png")
    (again, other) = list_inputs(
        [path for folder in ("x", "y") for path in (tmp_path / folder).iterdir()], tmp_path / "out"
    ).items
    assert other.place.name.endswith("ö (2).png")
    assert again.place != other.place


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no photo, folder or video at .*none\.jpg"):
        list_inputs([tmp_path / "none.jpg"], tmp_path / "out")
    with pytest.raises(ValueError, match=r"Neither photo nor video in .*Photos: \.bmp"):
        list_inputs([tmp_path], tmp_path / "out")
