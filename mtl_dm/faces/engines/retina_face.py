"""The engine `retina-face`: RetinaFace on ResNet-50, through the package's ONNX model.

Its weights are looked for in `$DEEPFACE_HOME/.deepface/weights/retinaface.onnx` (`DEEPFACE_HOME`:
the home folder by default), and downloaded by the package where they are missing.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from mtl_dm.faces.detection import Engine
from mtl_dm.faces.engines.installed import require
from mtl_dm.faces.engines.sessions import one_thread_session
from mtl_dm.faces.face import Face, Image

_WEIGHTS = "retinaface.onnx"
# The package names them by the person's own left and right.
_ORDER = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")


def load() -> Engine:
    """Return the engine; downloads its weights where they are missing.

    Raises:
        ImportError: If the package is not installed; the message says how.
        ValueError: If the weights can be neither found nor downloaded; the package says where it
            looks for them.
    """
    require("retina-face")
    # Read at import: the package would take TensorFlow, and with it ask for tf-keras.
    os.environ["DEEPFACE_BACKEND_ENGINE"] = "onnx"
    with warnings.catch_warnings():  # importing it would silence all warnings of the process
        package = importlib.import_module("retinaface.RetinaFace")
    model = importlib.import_module("retinaface.model.retinaface_onnx_model")
    loading = importlib.import_module("retinaface.commons.weight_utils")
    path = loading.download_weights_if_necessary(file_name=_WEIGHTS, source_urls=model.WEIGHTS_URLS)
    return RetinaFace(package.detect_faces, model.RetinaFace(one_thread_session(str(path))))


class RetinaFace:
    """Finds faces with the package's function and model.

    Args:
        detect_faces: The package's `RetinaFace.detect_faces`.
        model: The package's ONNX model.
    """

    def __init__(self, detect_faces: Callable[..., Any], model: Any) -> None:
        self._detect_faces = detect_faces
        self._model = model

    def __call__(self, image: Image, min_score: float) -> list[Face]:
        """Return the faces; see `mtl_dm.faces.Engine`."""
        found = self._detect_faces(
            np.ascontiguousarray(image[..., ::-1]),  # it takes blue first
            threshold=min_score,
            model=self._model,
            allow_upscaling=False,
        )
        faces = [_face(entry) for entry in found.values()]
        return sorted(faces, key=lambda face: -face.score)


def _face(entry: dict[str, Any]) -> Face:
    left, top, right, bottom = map(float, entry["facial_area"])
    landmarks = np.array([entry["landmarks"][name] for name in _ORDER], np.float64)
    return Face((left, top, right, bottom), landmarks, float(entry["score"]))
