"""The whole command on tiny images: a student that training starts from, and what is refused."""

import json
import re

import cv2
import keras
import numpy as np
import pytest
from scipy.spatial import distance

from mtl_dm import distill
from mtl_dm.distilling import student
from mtl_dm.distilling.pictures import network_inputs, pictures
from mtl_dm.distilling.run import split, student_of
from mtl_dm.distilling.student import Training, agreement, train
from mtl_dm.encoders import ENCODERS, Encoder, ImageFolder
from mtl_dm.encoders.encoder import Preprocessing
from mtl_dm.encoders.network import Network
from mtl_dm.fusing import OPERATORS
from mtl_dm.models import BACKBONES

COUNT, SIDE = 24, 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images, and an encoder: three numbers a cell of a grid, 27 in all."""
    folder = tmp_path_factory.mktemp("distil")
    rng = np.random.default_rng(0)
    (folder / "images").mkdir()
    for number in range(COUNT):
        tint = rng.integers(0, 200, (1, 1, 3))
        image = (tint + rng.integers(0, 56, (SIDE, SIDE, 3))).astype(np.uint8)
        cv2.imwrite(str(folder / "images" / f"{number:02d}.png"), image)
    keras.utils.set_random_seed(0)
    layers = [keras.layers.AveragePooling2D(5), keras.layers.Flatten(name="cells")]
    keras.Sequential([keras.Input((SIDE, SIDE, 3)), *layers]).save(folder / "cells.keras")
    for size in (4, 5):  # Students that are quickly traced.
        images = keras.Input((SIDE, SIDE, 3))
        x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(3, 5, 5)(images))
        keras.Model(images, keras.layers.Dense(size)(x)).save(folder / f"student{size}.keras")
    return folder


def arguments(folder, output, *more):
    return [
        f'--encoders=file(path="{folder / "cells.keras"}")', f"--images={folder / 'images'}",
        f"--output={output}", "--operator=pca(size=4)", f"--image_size={SIDE}", "--epochs=1",
        f"--backbone={folder / 'student4.keras'}", "--batch_size=10", *more,
    ]  # fmt: skip


def test_a_student_and_its_record(folder, tmp_path, capsys):
    assert distill.main(arguments(folder, tmp_path)) == 0
    said = capsys.readouterr().out
    assert "embeddings: 24 images, cells 27" in said and "operator: 27 -> 4 numbers" in said
    assert "licences: cells: unknown" in said
    record = json.loads((tmp_path / "distill.json").read_text(encoding="utf-8"))
    assert record["images"] == {"fitted": 22, "held_out": 2}
    assert record["encoders"][0]["width"] == 27 and record["encoders"][0]["parameters"] == 0
    operator = record["operator"]
    assert operator["size"] == 4
    # Cells follow the tint, which has three numbers.
    assert operator["nrmse"]["cells"] < 0.5 < operator["nrmse_of_random"]["cells"]
    assert -1 <= record["student"]["cosine"] <= 1
    # One epoch of two steps.
    assert ("no better than a constant" in said) == (
        record["student"]["cosine"] <= record["student"]["cosine_of_constant"]
    )
    assert list(record["seconds"]) == ["embeddings", "operator", "student"]
    found = BACKBONES.create(str(tmp_path / "student.keras"), (SIDE, SIDE, 3))
    assert found.count_params() >= record["student"]["parameters"] > 0
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"student.keras", "distill.json", "embeddings"}


def test_the_control_trains_student_and_decoder_at_once(folder, tmp_path):
    given = arguments(folder, tmp_path, "--direct", f"--backbone={folder / 'student5.keras'}")
    assert distill.main(given) == 0
    record = json.loads((tmp_path / "distill.json").read_text(encoding="utf-8"))
    assert record["operator"] is None and len(record["student"]["losses"]) == 1
    # Its decoder is not kept; its features are as wide as an autoencoder's, 27 * (4/7)^3 = 5.04.
    assert student_of(str(tmp_path / "student.keras"), SIDE, 5).output_shape == (None, 5)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--encoders=file(path=none.keras)"], r"No encoder at none\.keras"),
        (["--encoders=resnet"], "Unknown encoder 'resnet'. Known: drawn_action_units"),
        (["--images=nothing"], "no folder of images at nothing"),
        (["--operator=umap"], "Unknown operator 'umap'"),
        (["--operator=pca(size=27)"], "below the 27 numbers of the sources, got 27"),
        (["--backbone=resnet18_narrow(width=1)"], r"must give 4 features.* gives \(None, 1024\)"),
        (["--held_out=1"], r"held_out must lie in \(0, 1\), got 1"),
        (["--epochs=0"], "epochs must be above 0, got 0"),
        (["--shift=0.5"], r"shift must lie in \[0, 0.5\), got 0.5"),
        (["--image_size=0"], "image_size must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_distilled(folder, tmp_path, capsys, more, message):

    assert distill.main(arguments(folder, tmp_path / "out", *more)) == 1
    said = capsys.readouterr().err
    assert re.search(message, said), said
    assert not (tmp_path / "out" / "student.keras").exists()


def test_the_student_is_as_wide_as_the_operator_says():
    with keras.StatelessScope(initialize_variables=False):
        assert student_of(None, SIDE, 6).output_shape == (None, 6)


def test_too_few_images_and_an_output_that_is_a_file(folder, tmp_path, capsys):
    few = tmp_path / "few"
    few.mkdir()
    (few / "a.png").write_bytes((folder / "images" / "00.png").read_bytes())
    assert distill.main(arguments(folder, tmp_path / "out", f"--images={few}")) == 1
    assert "at least 20 images, it holds 1" in capsys.readouterr().err
    assert distill.main(arguments(folder, folder / "cells.keras")) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_split_is_seeded_and_whole():
    fitted, tested = split(50, 0.1, 3)
    assert len(tested) == 5 and sorted([*fitted, *tested]) == list(range(50))
    np.testing.assert_array_equal(split(50, 0.1, 3)[1], tested)
    assert (split(50, 0.1, 4)[1] != tested).any()
    assert [len(part) for part in split(20, 0.01, 0)] == [18, 2]


def test_training_moves_a_network_towards_its_targets(folder, tmp_path, monkeypatch):
    network = keras.Sequential(
        [keras.Input((SIDE, SIDE, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    )
    places = np.arange(COUNT)
    with pictures(ImageFolder(folder / "images"), SIDE, tmp_path) as stored:
        means = network_inputs(stored).mean(axis=(1, 2))
        wanted = means @ np.array([[1.0, -1.0], [2.0, 0.0], [0.5, 1.0]], np.float32)
        before = np.square(network(network_inputs(stored)) - wanted).mean()
        told = []
        options = Training(epochs=15, batch_size=12, learning_rate=0.1, shift=0.0)
        losses = train(
            network, "mse", stored, lambda at: wanted[at], places, options,
            lambda epoch, loss: told.append((epoch, loss)),
        )  # fmt: skip
        found = keras.ops.convert_to_numpy(network(network_inputs(stored)))
        after = np.square(found - wanted).mean()
        monkeypatch.setattr(student, "BATCH", 7)
        cosines = agreement(network, stored, lambda at: wanted[at], places[:15], places[9:])
        true = [distance.cosine(*pair) for pair in zip(wanted[:15], found[:15], strict=True)]
        one_long = wanted[9:] / np.linalg.norm(wanted[9:], axis=1, keepdims=True)
        always = [distance.cosine(each, one_long.mean(axis=0)) for each in wanted[:15]]
    assert told == list(enumerate(losses, start=1)) and len(losses) == 15
    assert after < before / 2
    assert cosines == pytest.approx((1 - np.mean(true), 1 - np.mean(always)), abs=1e-5)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="epochs must be above 0, got -1"):
        Training(epochs=-1)


def test_a_newcomers_encoder_and_operator(folder, tmp_path, monkeypatch):
    for registry in (ENCODERS, OPERATORS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))

    @ENCODERS.register("rows")
    def rows_of(power: float = 1.0):
        def run(images):
            return np.abs(images).mean(axis=(2, 3)) ** power

        return Encoder("rows", Network(SIDE, 3, run), SIDE, Preprocessing(), f"hers {power}")

    @OPERATORS.register("first")
    class First:
        def __init__(self, rows, size: int = 4):
            self.size, self.width = size, rows.sources.width

        def encode(self, rows):
            return rows[:, : self.size]

        def decode(self, codes):
            return np.pad(codes, ((0, 0), (0, self.width - self.size)))

    more = ("--encoders=rows(power=2.0)", "--operator=first(size=4)")
    assert distill.main(arguments(folder, tmp_path, *more)) == 0
    record = json.loads((tmp_path / "distill.json").read_text(encoding="utf-8"))
    assert record["encoders"][0]["parameters"] is None
    assert record["encoders"][0]["sha256"] == "hers 2.0" and record["operator"]["size"] == 4
