import numpy as np
import pytest

from mtl_dm import faces
from mtl_dm.faces.engines.retina_face import RetinaFace


def test_order_names_and_channels():
    seen = {}

    def detect_faces(image, threshold, model, allow_upscaling):
        seen.update(image=image, threshold=threshold, model=model, upscaling=allow_upscaling)
        points = {
            "right_eye": [1, 2], "left_eye": [3, 4], "nose": [5, 6],
            "mouth_right": [7, 8], "mouth_left": [9, 10],
        }  # fmt: skip
        worse = {"score": np.float32(0.75), "facial_area": [1, 2, 3, 4], "landmarks": points}
        return {"face_1": worse, "face_2": {**worse, "score": np.float32(0.875)}}

    image = np.zeros((4, 5, 3), np.uint8)
    image[..., 0] = 200  # red
    found = RetinaFace(detect_faces, "model")(image, 0.7)
    assert [face.score for face in found] == [0.875, 0.75]
    assert found[0].box == (1.0, 2.0, 3.0, 4.0)
    # The person's own right eye is the left one in the image.
    assert found[0].landmarks.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    assert seen["image"][0, 0].tolist() == [0, 0, 200]
    assert (seen["threshold"], seen["model"], seen["upscaling"]) == (0.7, "model", False)


def test_nothing_found():
    assert RetinaFace(lambda image, **options: {}, None)(np.zeros((4, 5, 3), np.uint8), 0.5) == []


def test_weights_are_looked_for_in_their_own_folder(tmp_path, monkeypatch):
    try:
        faces.engines.installed.require("retina-face")
    except ImportError as error:
        pytest.skip(str(error))
    folder = tmp_path / ".deepface" / "weights"
    folder.mkdir(parents=True)
    (folder / "retinaface.onnx").write_bytes(b"no model")
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    monkeypatch.setenv("DEEPFACE_BACKEND_ENGINE", "")  # is set by the engine; restored after
    with pytest.raises(Exception, match=r"retinaface\.onnx"):  # of onnxruntime, by that path
        faces.load_engine("retina-face")


def test_the_package_finds_the_face_that_a_model_sees():
    # Outputs of zeros but for one cell: the anchor of stride 8 at row 3, column 4, smaller side.
    package = pytest.importorskip(
        "retinaface.RetinaFace", reason="needs the distribution retina-face", exc_type=ImportError
    )

    def model(inputs):
        outputs = []
        for stride in (32, 16, 8):
            height, width = inputs.shape[1] // stride, inputs.shape[2] // stride
            scores, boxes, points = (
                np.zeros((1, height, width, count), np.float32) for count in (4, 8, 20)
            )
            if stride == 8:
                scores[0, 3, 4, 3] = 0.9
            outputs += [scores, boxes, points]
        return outputs

    (face,) = RetinaFace(package.detect_faces, model)(np.zeros((64, 96, 3), np.uint8), 0.5)
    assert face.score == pytest.approx(0.9)
    # Anchor (0, 0, 15, 15) moved by (32, 24); all landmarks in its middle.
    assert face.box == (32, 24, 47, 39)
    np.testing.assert_allclose(face.landmarks, np.tile([39.5, 31.5], (5, 1)))
