import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm.datasets.reading import clean, image_files, inside, load_jpeg, locate
from mtl_dm.datasets.reading.paths import require_inside


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/b.jpg", "a/b.jpg"),
        ("./a//b.jpg", "a/b.jpg"),
        (" a/b c.jpg ", "a/b c.jpg"),
        ("a\\b.jpg", "a/b.jpg"),
        ("größe/写真 ä.jpg", "größe/写真 ä.jpg"),
        ("a..b/..c.jpg", "a..b/..c.jpg"),  # dots inside a name climb nowhere
    ],
)
def test_clean(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("../a.jpg", "contains '..'"),
        ("a/../../b.jpg", "contains '..'"),
        ("a/../b.jpg", "contains '..'"),
        ("..\\a.jpg", "contains '..'"),
        ("/etc/passwd", "absolute"),
        ("\\\\server\\a.jpg", "absolute"),
        ("C:\\a.jpg", "absolute"),
        ("", "empty"),
        ("./", "empty"),
        ("a\0b.jpg", "characters"),
        ("a\udce9.jpg", "characters"),
    ],
)
def test_unsafe_paths(text, reason):
    with pytest.raises(ValueError, match=reason):
        clean(text)


@given(parts=st.lists(st.sampled_from(["a", "..", ".", "", "b c", "/", "\\", "é", "C:"])))
def test_whatever_is_cleaned_stays_inside(tmp_path_factory, parts):
    root = tmp_path_factory.getbasetemp()
    try:
        path = clean("/".join(parts))
    except ValueError:
        return
    assert root.resolve() in inside(root, path).parents
    assert clean(path) == path


def test_files_that_are_links_out_are_named(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "else.jpg").touch()
    (root / "a.jpg").touch()
    (root / "b.jpg").symlink_to("a.jpg")
    require_inside(root, ["a.jpg", "b.jpg"])
    (root / "c.jpg").symlink_to("../else.jpg")
    with pytest.raises(ValueError, match=r"root/c\.jpg: a symbolic link leads out of the source"):
        require_inside(root, ["a.jpg", "b.jpg", "c.jpg"])


def test_links(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "real", outside):
        folder.mkdir(parents=True)
        (folder / "x.jpg").touch()
    (root / "within.jpg").symlink_to("real/x.jpg")
    (root / "folder").symlink_to("real")
    (root / "out.jpg").symlink_to(outside / "x.jpg")
    (root / "away").symlink_to(outside)
    assert inside(root, "within.jpg") == inside(root, "folder/x.jpg")
    for path in ("out.jpg", "away/x.jpg"):
        with pytest.raises(ValueError, match="leads out of the source folder"):
            inside(root, path)
    # Folders outside are not listed; files are, so that each gets its reason when it is opened.
    assert list(image_files(root)) == ["folder/x.jpg", "out.jpg", "real/x.jpg", "within.jpg"]


def test_the_root_itself_may_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.jpg").touch()
    (tmp_path / "link").symlink_to("real")
    assert list(image_files(tmp_path / "link")) == ["a.jpg"]
    assert inside(tmp_path / "link", "a.jpg") == (tmp_path / "real" / "a.jpg").resolve()


def test_circles_end(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert list(image_files(tmp_path)) == ["a/x.png"]


def test_image_files(tmp_path):
    for name in ("b.jpg", "a.JPEG", "._b.jpg", "notes.txt", "sub/c.png", ".cache/d.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(image_files(tmp_path)) == ["a.JPEG", "b.jpg", "sub/c.png"]
    assert list(image_files(tmp_path, "sub")) == ["sub/c.png"]
    assert list(image_files(tmp_path, "nothing")) == []
    assert sorted(image_files(tmp_path, ordered=False)) == ["a.JPEG", "b.jpg", "sub/c.png"]


def test_locate(tmp_path):
    (tmp_path / "Data").mkdir()
    with pytest.raises(FileNotFoundError, match=r"No Faces in .*Data/: expected a\*\.csv or x"):
        locate("Faces", tmp_path, ["a*.csv", "x"], "Data")
    (tmp_path / "Data" / "a1.csv").touch()
    assert locate("Faces", tmp_path, ["a*.csv", "x"], "Data") == tmp_path / "Data"
    (tmp_path / "x").mkdir()
    assert locate("Faces", tmp_path, ["a*.csv", "x"], "Data") == tmp_path


def test_folders_that_cannot_be_read_and_links_in_a_circle(tmp_path, monkeypatch, caplog):
    for name in ("a/x.jpg", "closed/y.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    (tmp_path / "a" / "loop.jpg").symlink_to("loop.jpg")
    listed = os.scandir

    def scandir(path):
        if str(path).rstrip("/").endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    for _ in range(2):
        assert list(image_files(tmp_path)) == ["a/loop.jpg", "a/x.jpg"]
    assert caplog.text.count("closed/ cannot be read (Permission denied)") <= 1
    assert "closed" in caplog.text
    with pytest.raises(ValueError, match="cannot be opened"):
        load_jpeg(tmp_path / "a" / "loop.jpg")
