"""What takes a checkpoint takes the name of a pretrained one."""

import csv

import cv2
import keras
import numpy as np
import pytest

from mtl_dm import predict
from mtl_dm.exporting import run as exporting
from mtl_dm.faces import ENGINES
from mtl_dm.measuring.calibration import calibrate
from mtl_dm.measuring.scoring import load_model
from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.starting import start_from
from tests.faces.dots import load_dots_engine, photo, place

SHAPE = (112, 112, 3)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A photo with a face and one without, for an engine that finds it."""
    monkeypatch.setitem(ENGINES._entries, "dots", load_dots_engine)
    paths = []
    for name, planted in (("face.png", [place(80, 90, 1.0)]), ("none.png", [])):
        paths.append(tmp_path / name)
        cv2.imwrite(str(paths[-1]), photo(*planted)[..., ::-1])
    return paths


def test_a_photo_is_predicted_without_a_checkpoint(shipped, photos, tmp_path, capsys):
    found = tmp_path / "out"
    assert predict.main(["--engine=dots", f"--output={found}", *map(str, photos)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("small_faces: 7 expressions")
    assert "Trained on: FER2013 (annotated images: expression 5)" in said
    face, nobody = (next(each for each in said if each.startswith(str(path))) for path in photos)
    assert nobody == f"{photos[1]}: no face"
    with (found / "predictions.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    values = {name: float(value) for name, value in row.items() if name.startswith("expression.")}
    best = max(values, key=values.get)
    assert face.startswith(
        f"{photos[0]}, face 1: {best.removeprefix('expression.')} {values[best]:.2f}; "
        "facial_movements: "
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engine=dots"], "The pretrained checkpoint 'small_faces' is not in this installation"),
        (["--engine=dots", "--checkpoint=big"], "Unknown pretrained checkpoint 'big'. Known: sm"),
    ],
)
def test_why_there_is_no_prediction(absent, photos, tmp_path, capsys, arguments, message):
    assert predict.main([*arguments, f"--output={tmp_path / 'out'}", str(photos[0])]) == 1
    assert capsys.readouterr().err.startswith(f"error: {message}")


def test_without_a_detector_one_line_says_how_to_get_it(shipped, photos, tmp_path, capsys):
    def load():
        raise ImportError("The face engine 'x' is not installed: pip install y")

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENGINES._entries, "tiny-retinaface", load)
        assert predict.main([f"--output={tmp_path / 'out'}", str(photos[0])]) == 1
    assert capsys.readouterr().err == "error: The face engine 'x' is not installed: pip install y\n"


def test_evaluate_loads_it_in_float32(shipped, trained):
    model = load_model("small_faces")
    assert {weight.dtype for weight in model.weights} <= {"float32", "uint32", "int64"}
    assert not model.couplings
    for name, head in trained.heads.items():
        kernel = np.asarray(head.kernel).astype(np.float16)
        np.testing.assert_array_equal(model.heads[name].kernel, kernel)


def test_training_starts_from_it(shipped, trained):
    keras.utils.set_random_seed(5)
    backbone = BACKBONES.create("pretrained", SHAPE)
    kernel = next(each for each in trained.backbone.weights if len(each.shape) == 4)
    np.testing.assert_array_equal(backbone.weights[0], np.asarray(kernel).astype(np.float16))

    model = MultiTaskModel(BACKBONES.create("pretrained(weights=none)", SHAPE), trained.tasks)
    model(np.zeros((1, *SHAPE), np.float32))
    assert not np.array_equal(model.backbone.weights[0], backbone.weights[0])
    start_from(model, "small_faces")
    for here, there in zip(model.backbone.weights, backbone.weights, strict=True):
        if "seed" not in here.path:
            np.testing.assert_array_equal(here, there)


def test_a_name_that_nobody_has(tmp_path):
    for call in (
        lambda: load_model("big"),
        lambda: start_from(None, "big"),
        lambda: calibrate("big", "x:validation", tmp_path),
        lambda: exporting.export("big", tmp_path / "out", ["savedmodel"]),
        lambda: BACKBONES.create("pretrained(weights=big)", SHAPE),
    ):
        with pytest.raises(ValueError, match="Unknown pretrained checkpoint 'big'"):
            call()


def test_the_flag_names_the_network():
    assert TrainConfig(("x",), backbone="pretrained").backbone == "pretrained"
    assert TrainConfig(("x",), init_from="small_faces").init_from == "small_faces"
