"""Images as the builders of drawn data write them."""

from __future__ import annotations

import io

import cv2
import numpy as np

_QUALITY = 95


def jpeg(image: np.ndarray) -> io.BytesIO:
    """Return a uint8 RGB image as JPEG.

    OpenCV encodes about as fast as TFDS reads; TFDS would start a TF op an image.

    Raises:
        ValueError: If OpenCV cannot encode it.
    """
    # OpenCV wants BGR.
    done, encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError(f"OpenCV could not encode an image of shape {image.shape} as JPEG.")
    return io.BytesIO(encoded.tobytes())
