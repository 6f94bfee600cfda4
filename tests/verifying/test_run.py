"""The whole command on tiny photos: page, pairs, record, and what it refuses."""

import csv
import json
import re
import socket

import numpy as np
import pytest

from mtl_dm import data, memory, verify
from mtl_dm.data import Pairs, draw_pairs
from mtl_dm.files import TEMPORARY
from mtl_dm.metrics import pair_distances, verification_scores
from mtl_dm.verifying import run
from mtl_dm.verifying.embedding import embed, network_of
from mtl_dm.verifying.images import Folder
from mtl_dm.verifying.page import decided, numbers
from mtl_dm.verifying.run import Options
from mtl_dm.verifying.verified import verified
from tests import saved_models
from tests.verifying import listed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    listed.write(folder)
    saved_models.save(folder / "model")
    return folder


def arguments(folder, output, *more):
    return [
        f"--checkpoint={folder / 'model' / 'best.keras'}", f"--pairs={folder / 'pairs.txt'}",
        f"--images={folder / 'images'}", "--draws=20", f"--output={output}", *more,
    ]  # fmt: skip


def test_page_pairs_and_record(folder, tmp_path, capsys):
    assert verify.main(arguments(folder, tmp_path)) == 0
    record = json.loads((tmp_path / "verification.json").read_text(encoding="utf-8"))
    assert record["pairs"] == {"listed": 16, "verified": 16, "of_one_person": 8, "images": 24}
    with (tmp_path / "pairs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {name: np.array([float(row[name]) for row in rows])
               for name in ("distance", "threshold", "same", "fold", "accepted")}  # fmt: skip
    expected = verification_scores(columns["distance"], columns["same"], columns["fold"])
    assert record["scores"]["auc"] == pytest.approx(expected["auc"])
    right = columns["accepted"] == columns["same"]
    assert record["scores"]["accuracy"] == pytest.approx(right.mean())
    assert record["scores"]["tar_at_far_0.1"] is None
    np.testing.assert_array_equal(columns["distance"] <= columns["threshold"], columns["accepted"])
    page = (tmp_path / "verification.html").read_text(encoding="utf-8")
    assert "NOT VALIDATED ON PEOPLE" in page and "too few pairs to say" in page
    assert page.count("<img") == 2 * (~right).sum()
    assert "python -m mtl_dm.verify --checkpoint=" in page
    assert (tmp_path / "roc.svg").read_text(encoding="utf-8").startswith("<svg")
    said = capsys.readouterr().out
    accuracy = re.search(r"threshold of the other folds: ([\d.]+) ±", said)
    assert float(accuracy[1]) == pytest.approx(100 * right.mean(), abs=0.05)
    assert "always giving the same answer, 50.0% would be" in said


def test_distances_are_those_of_the_networks_embeddings(folder, tmp_path):
    from mtl_dm.measuring.scoring import load_model

    model = load_model(folder / "model" / "best.keras")
    layer = next(each.name for each in model.backbone.layers if "conv2d" in each.name)
    more = ("--distance=euclidean", f"--layer={layer}", "--batch_size=5", "--folds=1,2")
    assert verify.main(arguments(folder, tmp_path, *more)) == 0
    with (tmp_path / "pairs.csv").open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    names = [first["first"], first["second"]]
    images = Folder(folder / "images", names).read(names, saved_models.SIZE)
    found = embed(network_of(model, layer), images)
    expected = pair_distances(found[names[0]][None], found[names[1]][None], "euclidean")
    assert float(first["distance"]) == pytest.approx(expected[0], rel=1e-4)


def test_pairs_drawn_from_a_data_set(folder, tmp_path, monkeypatch, caplog):
    who = np.repeat(np.arange(20), 3)
    images = np.random.default_rng(1).uniform(-1, 1, (60, 16, 16, 3)).astype(np.float32)
    monkeypatch.setattr(data, "sharing", lambda name, others, **_: [name, *others])
    monkeypatch.setattr(data, "raw_features", lambda *_, **__: {"identity": who})
    monkeypatch.setattr(
        data, "load", lambda *_, **__: data.from_arrays({"image": images}, {}, saved_models.TASKS)
    )
    given = [f"--checkpoint={folder / 'model' / 'best.keras'}", "--dataset=people:test",
             "--seed=2", "--draws=4", f"--output={tmp_path}"]  # fmt: skip
    assert verify.main(given) == 0
    with (tmp_path / "pairs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    page = (tmp_path / "verification.html").read_text(encoding="utf-8")
    for learned in ("people:test", saved_models.DRAWN):
        assert (
            f"people:test has images that the checkpoint was trained on ({learned})" in caplog.text
        )
        assert f"was trained on images of these data</strong> ({learned})" in page
    assert "10 folds." in page
    drawn = draw_pairs(who, seed=2)
    assert [int(row["first"]) for row in rows] == drawn.first.tolist()
    assert [int(row["same"]) for row in rows] == drawn.same.tolist()


def test_the_worst_mistakes_come_first():
    pairs = Pairs(
        tuple("abcdefgh"),
        np.array([0, 2, 4, 6] * 2),
        np.array([1, 3, 5, 7] * 2),
        np.array([True, False, True, False] * 2),
        np.repeat([1, 2], 4),
    )
    found = verified(pairs, np.array([1.0, 2.5, 9.0, 8.0, 1.0, 2.0, 3.0, 9.0]), 5)
    assert found.intervals == {}
    for same in (True, False):
        places = found.wrong(same)
        assert (found.accepted[places] != same).all() and (pairs.same[places] == same).all()
        off = np.abs(found.distances - found.thresholds)[places]
        assert (np.diff(off) <= 0).all()
    assert found.wrong(True)[0] == 2


def test_no_interval_is_said_where_nothing_is_judged_wrong():
    same = np.array([True, False] * 4)
    places = np.arange(16)
    who = tuple(f"P{place // 2 if same[place // 2] else place + 10}" for place in places)
    pairs = Pairs(tuple(map(str, places)), places[::2], places[1::2], same, places[::2] // 8, who)
    found = verified(pairs, np.where(same, 0.1, 0.9), 5)
    said = run._told(found, 8, Options(dataset="few:test"))[0]
    assert "8 pairs drawn from `few:test`, 4 of one person; 2 folds instead of 10, as many" in said
    assert ["accuracy, threshold of the other folds", "100.0 ± 0.0", "none"] in numbers(found)
    assert "judged right (95% interval: none)" in decided(found)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--folds=1"], r"at least two folds, got \[1\]"),
        (["--folds=3,1"], r"must be some of \[1, 2\], got \[1, 3\]"),
        (["--checkpoint=nothing/here.keras"], "No checkpoint at nothing/here.keras"),
        (["--images=nothing/here"], "no folder of images at nothing/here"),
        (["--format=ytf"], "a pair must have fold"),
        (["--format=authors(folds=99)"], "folds must be 1 to 16, its pairs, got 99"),
        (["--layer=fc9"], "has no layer 'fc9'"),
    ],
)
def test_what_cannot_be_verified(folder, tmp_path, capsys, more, message):
    assert verify.main(arguments(folder, tmp_path / "out", *more)) == 1
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: ["1\t8", *lines[1:5] * 2, *lines[5:9] * 2], r"two folds, got \[1\]"),
        (lambda lines: ["2\t2", *lines[1:5], *lines[9:13]], "got only pairs of one person"),
    ],
)
def test_pairs_are_judged_unfit_before_a_network_is_loaded(
    folder, tmp_path, capsys, monkeypatch, change, message
):
    monkeypatch.setattr(run, "load_model", lambda _: pytest.fail("a network is loaded"))
    lines = (folder / "pairs.txt").read_text(encoding="utf-8").splitlines()
    (tmp_path / "pairs.txt").write_text("\n".join(change(lines)), encoding="utf-8")
    given = arguments(folder, tmp_path / "out", f"--pairs={tmp_path / 'pairs.txt'}")
    assert verify.main(given) == 1
    assert re.search(message, capsys.readouterr().err)


def test_a_batch_is_no_larger_than_the_images_and_the_memory(folder, tmp_path, capsys, monkeypatch):
    given = arguments(folder, tmp_path, "--batch_size=1000000000000")
    assert verify.main(given) == 0
    monkeypatch.setattr(memory, "machine_bytes", lambda: 4 * 24 * 16 * 16 * 3 * 4 - 1)
    monkeypatch.setattr(run, "embed", lambda *_: pytest.fail("images are embedded"))
    assert verify.main(given) == 1
    assert "A batch of 24 inputs of the shape (16, 16, 3) takes" in capsys.readouterr().err


def test_an_unknown_image_is_refused_or_left_out(folder, tmp_path, capsys):
    text = (folder / "pairs.txt").read_text(encoding="utf-8").replace("P7\t1\t2", "P7\t1\t9")
    listed = tmp_path / "pairs.txt"
    listed.write_text(text, encoding="utf-8")
    given = arguments(folder, tmp_path / "out", f"--pairs={listed}")
    assert verify.main(given) == 1
    message = "1 of 16 pairs name an unknown image; the first one is 'P7_0009'"
    assert message in capsys.readouterr().err
    assert verify.main([*given, "--skip_missing"]) == 0
    page = (tmp_path / "out" / "verification.html").read_text(encoding="utf-8")
    assert "<strong>1 of 16 pairs are left out</strong>" in page


def test_folds_that_share_people_are_told_and_frames_of_a_video_averaged(folder, tmp_path):
    rows = ["heading"]
    for number, (one, other) in enumerate([(0, 0), (0, 1), (1, 1), (1, 0)]):
        images = f"x/P{one}/{one}/1.png  x/P{other}/{other}/2.png"
        rows.append(f"{number}  {images}  {one == other}  5  5  0  True")
    for one in (0, 1):
        for frame in (1, 2):
            video = tmp_path / "videos" / f"P{one}" / str(one) / f"{frame}.png"
            video.mkdir(parents=True)
            for number in (1, 2):
                photo = folder / "images" / f"P{one}" / f"P{one}_{number:04d}.png"
                (video / f"{number}.png").write_bytes(photo.read_bytes())
    (tmp_path / "rows.txt").write_text("\n".join(rows), encoding="utf-8")
    more = ["--format=authors(folds=2)", f"--pairs={tmp_path / 'rows.txt'}"]
    more += [f"--images={tmp_path / 'videos'}"]
    assert verify.main(arguments(folder, tmp_path / "out", *more)) == 0
    page = (tmp_path / "out" / "verification.html").read_text(encoding="utf-8")
    assert "2 people are in several folds" in page
    with (tmp_path / "out" / "pairs.csv").open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    # Both videos hold the same two photos.
    assert float(first["distance"]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Give --pairs with --images, or --dataset"),
        ({"pairs": "p"}, "Give --pairs with --images, or --dataset"),
        ({"pairs": "p", "images": "i", "dataset": "d"}, "Give --pairs with --images"),
        ({"dataset": "d", "layer": "l", "task": "t"}, "Give --layer or --task"),
        ({"dataset": "d", "form": "csv"}, "Unknown list of pairs 'csv'. Known: authors, lfw, ytf"),
        ({"dataset": "d", "distance": "l1"}, "Unknown distance 'l1'"),
        ({"dataset": "d", "batch_size": 0}, "--batch_size must be at least 1, not 0"),
        ({"dataset": "d", "draws": 1}, "--draws must be at least 2, not 1"),
        ({"dataset": "d", "frames": 0}, "--frames must be at least 1, not 0"),
        ({"dataset": "d", "seed": -1}, "The seed of all that is drawn must be"),
    ],
)
def test_wrong_usage(options, message):
    with pytest.raises(ValueError, match=message):
        Options(**options)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("--pairs=p", "Give --pairs with --images"),
        ("--folds=1,a", "--folds must be numbers between commas, not '1,a'"),
    ],
)
def test_wrong_usage_ends_with_2(capsys, more, message):
    with pytest.raises(SystemExit, match="2"):
        verify.main(["--checkpoint=x", more])
    assert message in capsys.readouterr().err


def test_a_stop_while_files_are_written_does_not_say_that_none_was(
    folder, tmp_path, capsys, monkeypatch
):
    def stopped(*_):
        raise KeyboardInterrupt

    left = tmp_path / f"{TEMPORARY}{socket.gethostname()}+99999999-x"
    left.touch()
    monkeypatch.setattr(run, "write_atomically", stopped)
    assert verify.main(arguments(folder, tmp_path)) == 130
    said = capsys.readouterr().err
    assert "every file in the output folder is whole" in said and "nothing was written" not in said
    assert (tmp_path / "verification.html").is_file()
    assert not left.exists()  # Of a run that was killed.
