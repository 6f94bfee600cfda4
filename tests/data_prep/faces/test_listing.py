import os

import pytest

from data_prep.faces.listing import Photo, list_photos, output_names


def names(*paths):
    return output_names(tuple(Photo(path, 1) for path in sorted(paths)))


def test_jpeg_files_keep_their_name():
    assert names("a.jpg", "b/c.JPEG") == {"a.jpg": "a.jpg", "b/c.JPEG": "b/c.JPEG"}


def test_others_become_jpg():
    assert names("a.png", "b.c/d.webp") == {"a.png": "a.jpg", "b.c/d.webp": "b.c/d.jpg"}


def test_nobody_is_overwritten():
    assert names("a.jpg", "a.png") == {"a.jpg": "a.jpg", "a.png": "a.png.jpg"}
    assert names("a.webp", "a.png") == {"a.png": "a.png.jpg", "a.webp": "a.webp.jpg"}
    with pytest.raises(ValueError, match=r"a.png and a.png.jpg would both become a.png.jpg"):
        names("a.jpg", "a.png", "a.png.jpg")


def test_sizes_and_order(tmp_path):
    for name, size in (("b.png", 3), ("a/z.jpg", 5), ("a.jpg", 1)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * size)
    listing = list_photos(tmp_path)
    assert listing.photos == (Photo("a.jpg", 1), Photo("a/z.jpg", 5), Photo("b.png", 3))
    assert listing.refused == listing.others == {}


def test_a_source_that_is_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.jpg").write_bytes(b"x")
    (tmp_path / "link").symlink_to("real")
    assert list_photos(tmp_path / "link").photos == (Photo("a.jpg", 1),)


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")  # reading it would wait for ever
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    assert list_photos(tmp_path).refused == {
        "loop.jpg": "a link that leads nowhere",
        "pipe.jpg": "not a regular file",
    }


def test_an_unreadable_folder_is_named(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def closed(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert list_photos(tmp_path).refused == {
        "closed": "the folder cannot be read (Permission denied)"
    }


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        list_photos(tmp_path / "nothing")
