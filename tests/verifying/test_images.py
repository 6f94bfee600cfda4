"""Where the images of pairs are found."""

import cv2
import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.verifying.images import DataSet, Folder, files_of
from tests import saved_models


@pytest.fixture
def root(tmp_path):
    def write(*names):
        for shade, name in enumerate(names):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.full((6, 6, 3), 50 * shade, np.uint8))
        return tmp_path

    return write


def test_a_name_is_a_path_with_or_without_suffix_or_the_name_of_one_file(root):
    folder = root("Ann/Ann_0001.png", "a/b/c.png", "notes.png/d.png", "top.PNG")
    (folder / "a" / "b" / "c.txt").touch()
    asked = ["Ann_0001", "a/b/c.png", "a/b/c", "top", "Bob_0001", "c.txt"]
    found = files_of(folder, asked, 1)
    assert {name: [path.relative_to(folder).as_posix() for path in paths]
            for name, paths in found.items()} == {
        "Ann_0001": ["Ann/Ann_0001.png"], "a/b/c.png": ["a/b/c.png"], "a/b/c": ["a/b/c.png"],
        "top": ["top.PNG"],
    }  # fmt: skip


def test_hidden_files_are_none_and_links_are_followed(root, tmp_path):
    folder = root("v/1.png", "v/._1.png", "v/.thumbs/2.png", ".x/3.png", "w/4.png")
    (folder / "linked").symlink_to(folder / "w")
    (folder / "v" / "5.png").symlink_to(folder / "gone.png")
    found = files_of(folder, ["v", "._1", "1", "2", "3", "linked", "linked/4", "4", "5"], 9)
    assert {name: [path.relative_to(tmp_path).as_posix() for path in paths]
            for name, paths in found.items()} == {
        "v": ["v/1.png"], "1": ["v/1.png"], "linked": ["linked/4.png"],
        "linked/4": ["linked/4.png"], "4": ["linked/4.png"],
    }  # fmt: skip


def test_an_image_that_is_a_link_out_of_the_folder_is_refused(root, tmp_path_factory):
    folder, other = root("a.png", "w/4.png"), tmp_path_factory.mktemp("elsewhere") / "b.png"
    other.touch()
    (folder / "out.png").symlink_to(other)
    assert set(files_of(folder, ["a", "4"], 1)) == {"a", "4"}
    with pytest.raises(ValueError, match=r"out\.png: a symbolic link leads out"):
        files_of(folder, ["a", "out"], 1)


def test_a_folder_is_a_video_of_which_frames_are_taken_evenly(root):
    folder = root(*(f"Ann/0/{frame}.png" for frame in range(5)))
    for count, frames in ((1, ["0"]), (2, ["0", "4"]), (3, ["0", "2", "4"]), (9, list("01234"))):
        assert [path.stem for path in files_of(folder, ["Ann/0"], count)["Ann/0"]] == frames


def test_images_as_the_network_sees_them(root):
    folder = Folder(root("a.png", "v/0.png", "v/1.png"), ["a", "v", "nobody"])
    assert set(folder.names()) == {"a", "v"}
    seen = list(folder.read(["v", "a"], 4))
    assert [name for name, _ in seen] == ["v", "v", "a"]
    for (_, image), shade in zip(seen, (50, 100, 0), strict=True):
        assert image.dtype == np.float32
        np.testing.assert_allclose(image, np.full((4, 4, 3), shade / 127.5 - 1), atol=1e-6)


def test_a_folder_that_is_none(root, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder of images at"):
        files_of(tmp_path / "none", [], 1)
    folder = root("a/x.png", "b/x.png")
    with pytest.raises(ValueError, match="'x' must be one image below"):
        files_of(folder, ["x"], 1)
    with pytest.raises(ValueError, match="frames must be at least 1, got 0"):
        files_of(folder, ["a/x"], 0)
    (folder / "a" / "x.png").write_bytes(b"\x89PNG")
    with pytest.raises(ValueError, match=r"x.png: the file is truncated"):
        list(Folder(folder, ["a/x"]).read(["a/x"], 4))


def test_a_data_set_is_read_in_its_order(monkeypatch):
    images = np.linspace(-1, 1, 3 * 4 * 4 * 3, dtype=np.float32).reshape(3, 4, 4, 3)
    source = data.from_arrays({"image": images}, {}, saved_models.TASKS)
    monkeypatch.setattr(data, "raw_features", lambda *_, **__: {"identity": np.array([5, 5, 7])})
    monkeypatch.setattr(data, "load", lambda *_, **__: source)
    found = DataSet("people", "folder")
    assert found.names() == {"0", "1", "2"} and found.identities.tolist() == [5, 5, 7]
    seen = list(found.read({"2", "0"}, 4))
    assert [name for name, _ in seen] == ["0", "2"]
    assert list(found.read([], 4)) == []
    np.testing.assert_array_equal(seen[1][1], images[2])
