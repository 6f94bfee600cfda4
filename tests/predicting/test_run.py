import contextlib
import csv
import json
import os
import shutil
import threading

import cv2
import numpy as np
import pytest

from mtl_dm import faces, predict, synthetic
from mtl_dm.predicting import run
from mtl_dm.predicting.options import Options
from tests import films, saved_models
from tests.faces.dots import MARGIN, dots_engine, place
from tests.predicting.conftest import ONE, OTHER


def dotted(**changes):
    return Options(**{"engine": "dots", "batch_size": 4, **changes})


def read(output):
    with (output / "predictions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def said(row):
    return {name: value for name, value in row.items() if "." in name}


@pytest.fixture
def folder(write, tmp_path):
    write("in/a two.png", ONE, OTHER)
    write("in/b.png")
    write("in/sub/ö.png", OTHER)
    (tmp_path / "in" / "c.jpg").write_bytes(b"")
    return tmp_path / "in"


def test_a_line_for_every_face_and_every_image(checkpoint, folder, tmp_path):
    out = tmp_path / "out"
    counts = run.predict(checkpoint, [folder], out, dotted())
    rows = read(out)
    found = [(row["file"], row["face"], row["reason"]) for row in rows]
    assert found == [
        (f"{folder}/a two.png", "1", ""),
        (f"{folder}/a two.png", "2", ""),
        (f"{folder}/b.png", "", "no face"),
        (f"{folder}/c.jpg", "", "the file is empty"),
        (f"{folder}/sub/ö.png", "1", ""),
    ]
    for row, where in zip(rows[:2], (ONE, OTHER), strict=True):
        points = place(*where)
        margin = MARGIN * np.linalg.norm(points[1] - points[0])
        box = [float(row[name]) for name in ("left", "top", "right", "bottom")]
        expected = [*(points.min(axis=0) - margin), *(points.max(axis=0) + margin)]
        assert box == pytest.approx(expected, abs=1.0)
        assert sum(float(row[f"expression.{name}"]) for name in ("neutral", "happiness", "sadness"))
    assert counts == {
        "images": 4, "images with faces": 2, "faces": 3, "no face": 1, "the file is empty": 1,
    }  # fmt: skip
    pictures = {path.relative_to(out).as_posix() for path in out.rglob("*.jpg")}
    assert pictures == {f"annotated/in/{name}.jpg" for name in ("a two.png", "b.png", "sub/ö.png")}
    about = json.loads((out / "about.json").read_text(encoding="utf-8"))
    assert about["counts"] == counts
    assert about["trained_on"]["validated_on_people"] is False


def test_one_photo_alone_and_in_a_folder(checkpoint, folder, tmp_path):
    run.predict(checkpoint, [folder], tmp_path / "all", dotted())
    together = {(row["file"], row["face"]): row for row in read(tmp_path / "all")}
    for number, path in enumerate([folder / "a two.png", folder / "sub" / "ö.png"]):
        run.predict(checkpoint, [path], tmp_path / str(number), dotted())
        for row in read(tmp_path / str(number)):
            assert row == together[row["file"], row["face"]]


def test_the_same_files_twice_and_nothing_else(checkpoint, folder, tmp_path):
    for name in ("x", "y"):
        run.predict(checkpoint, [folder], tmp_path / name, dotted())
    files = sorted(path for path in (tmp_path / "x").rglob("*") if path.is_file())
    for path in files:
        assert path.read_bytes() == (tmp_path / "y" / path.relative_to(tmp_path / "x")).read_bytes()
    assert not [path for path in files if path.name.startswith(".")]


def test_json_lines_say_the_same(checkpoint, folder, tmp_path):
    run.predict(checkpoint, [folder], tmp_path / "out", dotted())
    how = dotted(form="jsonl", pictures=False)
    run.predict(checkpoint, [folder], tmp_path / "json", how)
    assert not (tmp_path / "json" / "annotated").exists()
    lines = (tmp_path / "json" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    for row, text in zip(read(tmp_path / "out"), lines, strict=True):
        content = json.loads(text)
        assert content["file"] == row["file"]
        flat = {
            f"{task}.{label}": value
            for task, values in content["predictions"].items()
            for label, value in values.items()
        }
        assert flat == {name: float(value) for name, value in said(row).items() if value}


def test_frames_of_a_video(checkpoint, write, tmp_path):
    image = cv2.imread(str(write("face.png", ONE)))
    video = tmp_path / "film ö.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*"MJPG"), 5, image.shape[1::-1])
    if not writer.isOpened():
        pytest.skip("OpenCV writes no video here")
    for _ in range(10):
        writer.write(image)
    writer.release()
    run.predict(checkpoint, [video], tmp_path / "out", dotted())
    assert [(row["frame"], row["time"], row["file"]) for row in read(tmp_path / "out")] == [
        ("0", "0.0", str(video)),
        ("5", "1.0", str(video)),
    ]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_files_of_any_kind_and_name_each_have_a_line(checkpoint, write, tmp_path, capsys, form):
    film = films.write(tmp_path / "film.avi", 3, 10)
    folder, spelled = tmp_path / "in", []
    for stem in (b"14:05:33", b"%d", b"\xff", "ö\n".encode()):
        for suffix, content in ((b".avi", film), (b".mp4", None), (b".png", write("x.png", ONE))):
            path = folder / os.fsdecode(stem + suffix)
            path.parent.mkdir(exist_ok=True)
            if content is None:
                os.mkfifo(path)
            else:
                path.write_bytes(content.read_bytes())
            spelled.append((stem + suffix).decode("utf-8", "backslashreplace"))
    (folder / os.fsdecode(b"notes.\xff")).write_bytes(b"")
    (folder / ("long" * 62 + ".png")).write_bytes(write("x.png", ONE).read_bytes())
    run.predict(checkpoint, [folder], tmp_path / "out", dotted(form=form, fps=0.5))
    assert r"Left out, neither photos nor videos: 1 .\xff" in capsys.readouterr().out
    if form == "csv":
        rows = read(tmp_path / "out")
    else:
        text = (tmp_path / "out" / "predictions.jsonl").read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.split("\n")[:-1]]
    found = {row["file"].removeprefix(f"{folder}/"): row["reason"] or None for row in rows}
    reasons = {"avi": "no face", "mp4": "not a regular file", "png": None}
    assert found == {
        **{name: reasons[name[-3:]] for name in spelled},
        "long" * 62 + ".png": None,
    }
    pictures = list((tmp_path / "out" / "annotated" / "in").iterdir())
    assert len(pictures) == 5
    assert os.fsdecode(b"\xff.png.jpg") in [path.name for path in pictures]


def test_what_is_said_before(checkpoint, folder, tmp_path, capsys):
    run.predict(checkpoint, [folder], tmp_path / "out", dotted())
    printed = capsys.readouterr().out
    assert f"Trained on: {saved_models.DRAWN}" in printed
    assert "NOT VALIDATED ON PEOPLE" in printed
    assert "No training image was annotated for action_units AU2" in printed
    assert "Probabilities are not calibrated" in printed
    assert "aligned at 112 x 112, then resized to the network's 16 x 16" in printed


def test_temperatures_are_used_and_said(checkpoint, folder, tmp_path, capsys):
    copy = tmp_path / "model" / "best.keras"
    copy.parent.mkdir()
    shutil.copy(checkpoint, copy)
    saved_models.calibrate(copy, expression=1000.0)
    run.predict(copy, [folder], tmp_path / "out", dotted())
    printed = capsys.readouterr().out
    assert "calibrated by temperatures: expression 1000.00" in printed
    assert "not known what this checkpoint was trained on" in printed
    row = read(tmp_path / "out")[0]
    assert float(row["expression.sadness"]) == pytest.approx(1 / 3, abs=0.01)


def test_an_interruption_leaves_what_was_there(checkpoint, folder, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    (out / "predictions.csv").write_text("before", encoding="utf-8")
    seen = []

    def interrupted(image, min_score):
        seen.append(image)
        if len(seen) > 5:
            raise KeyboardInterrupt
        return dots_engine(image, min_score)

    monkeypatch.setitem(faces.ENGINES._entries, "dots", lambda: interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.predict(checkpoint, [folder], out, dotted())
    assert (out / "predictions.csv").read_text(encoding="utf-8") == "before"
    assert [path.name for path in out.iterdir()] == ["predictions.csv"]


def test_an_interruption_ends_all_threads(checkpoint, folder, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "line", interrupted)
    before = threading.active_count()
    with contextlib.suppress(KeyboardInterrupt):
        run.predict(checkpoint, [folder], tmp_path / "out", dotted(threads=3))
    assert threading.active_count() == before


def test_a_picture_that_cannot_be_written_ends_the_run_by_name(
    checkpoint, folder, tmp_path, monkeypatch
):
    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(run, "write_atomically", full)
    with pytest.raises(OSError, match=r"No space left on device: .*a two\.png\.jpg"):
        run.predict(checkpoint, [folder], tmp_path / "out", dotted())
    assert not list((tmp_path / "out").iterdir())


def test_an_engine_that_fails_on_an_image(checkpoint, folder, tmp_path, monkeypatch):
    def failing(image, min_score):
        raise ValueError("odd\nimage")

    monkeypatch.setitem(faces.ENGINES._entries, "dots", lambda: failing)
    run.predict(checkpoint, [folder], tmp_path / "out", dotted())
    reasons = [row["reason"] for row in read(tmp_path / "out")]
    assert reasons.count("failed: ValueError odd image") == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engine": "none"}, "Unknown face engine 'none'"),
        ({"form": "xml"}, "--format must be one of csv, jsonl"),
        ({"fps": -1.0}, "--fps must be 0 or more"),
        ({"fps": float("nan")}, "--fps must be 0 or more"),
        ({"sides": ()}, "--sides must be numbers from 32 on"),
        ({"min_score": 0.0}, "--min_score must be in"),
        ({"batch_size": 0}, "--batch_size must be at least 1"),
        ({"threads": -1}, "--threads must be 0 to 1,024, not -1"),
        ({"threads": 10**9}, "--threads must be 0 to 1,024, not 1,000,000,000"),
    ],
)
def test_wrong_options(changes, message):
    with pytest.raises(ValueError, match=message):
        Options(**changes)


def test_no_more_threads_than_memory_has_photos_for(monkeypatch):
    monkeypatch.setattr("mtl_dm.predicting.options.machine_bytes", lambda: 5 * 2**30)
    assert [dotted(threads=threads).threads_that_fit() for threads in (1, 2, 16)] == [1, 2, 2]
    monkeypatch.setattr("mtl_dm.predicting.options.machine_bytes", lambda: 2**20)
    assert dotted(threads=16).threads_that_fit() == 1


def test_threads_change_nothing(checkpoint, folder, tmp_path):
    for threads in (1, 3):
        run.predict(checkpoint, [folder], tmp_path / str(threads), dotted(threads=threads))
    assert read(tmp_path / "1") == read(tmp_path / "3")


class TestCommand:
    def test_done(self, checkpoint, folder, tmp_path, capsys):
        arguments = [f"--checkpoint={checkpoint}", f"--output={tmp_path / 'out'}", "--engine=dots"]
        assert predict.main([*arguments, str(folder)]) == 0
        assert "      3 faces" in capsys.readouterr().out

    def test_wrong_input(self, checkpoint, folder, tmp_path, capsys):
        out = f"--output={tmp_path / 'out'}"
        assert predict.main([f"--checkpoint={checkpoint}", out, str(folder / "none")]) == 1
        assert predict.main([f"--checkpoint={folder / 'x.keras'}", out, str(folder)]) == 1
        lines = capsys.readouterr().err.splitlines()
        assert [line.startswith("error: ") for line in lines] == [True, True]
        assert not (tmp_path / "out").exists()

    def test_wrong_usage(self, checkpoint, folder, tmp_path, capsys):
        needed = [f"--checkpoint={checkpoint}", f"--output={tmp_path / 'out'}", str(folder)]
        for wrong in (["--fps=x"], ["--format=xml"], ["--sides=a"], ["--nothing"]):
            with pytest.raises(SystemExit) as stop:
                predict.main([*needed, *wrong])
            assert stop.value.code == 2
        capsys.readouterr()

    def test_help_says_what_a_checkpoint_was_trained_on(self, checkpoint, capsys):
        with pytest.raises(SystemExit) as stop:
            predict.main([f"--checkpoint={checkpoint}", "--help"])
        assert stop.value.code == 0
        printed = capsys.readouterr().out
        assert "never been validated on people" in " ".join(printed.split())
        assert f"Trained on: {saved_models.DRAWN}" in printed


def test_the_real_engine_on_a_drawn_face(checkpoint, tmp_path):
    try:
        faces.load_engine()
    except ImportError as error:
        pytest.skip(str(error))
    drawn = synthetic.draw_face(
        synthetic.sample_identity(np.random.default_rng(0)), np.zeros(17), size=200
    )
    cv2.imwrite(str(tmp_path / "drawn.png"), drawn[..., ::-1])
    run.predict(checkpoint, [tmp_path / "drawn.png"], tmp_path / "out", Options())
    (row,) = read(tmp_path / "out")
    assert row["face"] == "1"
    assert float(row["score"]) > 0.9
