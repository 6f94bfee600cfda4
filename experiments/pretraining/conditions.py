"""Under which conditions a test image was taken: light, contrast, turned head, size; measured."""

from __future__ import annotations

import cv2
import numpy as np

from mtl_dm import faces
from mtl_dm.models.backbones.aligned_grey import LUMINANCE, crop_of

SIDES = (48, 32, 24, 16, 12, 8)
"""Sides in pixels to which the visible part of a face is shrunk."""


def visible(images: np.ndarray) -> np.ndarray:
    """Return the luminance of what the network sees of aligned faces, float32 [N, S, S].

    Args:
        images: uint8 [N, 112, 112, 3].
    """
    left, top, right, bottom = crop_of(images.shape[1])
    weights = np.array(LUMINANCE, np.float32)
    return images[:, top:bottom, left:right].astype(np.float32) @ weights


def light(images: np.ndarray) -> np.ndarray:
    """Return the mean luminance of every face, 0 to 255, [N].

    Exposure, light and skin all change it; none of them is told apart.
    """
    return visible(images).mean(axis=(1, 2))


def contrast(images: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the luminance of every face, [N]."""
    return visible(images).std(axis=(1, 2))


def turned(landmarks: np.ndarray) -> float:
    """Return how far a head is turned aside: 0 facing the camera.

    The distance of the nose's tip from the middle between the eyes, along the line of the eyes, in
    units of the distance between the eyes (this project; no angle).

    Args:
        landmarks: [5, 2], as `mtl_dm.faces.LANDMARKS`.
    """
    left, right, nose = landmarks[:3]
    along = right - left
    return float(abs((nose - (left + right) / 2) @ along) / (along @ along))


def turns(images: np.ndarray, engine: faces.Engine) -> np.ndarray:
    """Return how far every head is turned, [N]; NaN where the detector finds no face.

    Args:
        images: uint8 [N, 112, 112, 3].
        engine: The detector.
    """
    found = []
    for image in images:
        seen = faces.detect(image, engine, sides=(faces.SIZE * 2,))
        found.append(turned(seen[0].landmarks) if seen else np.nan)
    return np.array(found)


def shrunk(images: np.ndarray, side: int) -> np.ndarray:
    """Return aligned faces as they look when the camera was further away.

    Args:
        images: uint8 [N, 112, 112, 3].
        side: In pixels, of the part that the network sees; it is enlarged again as
            `mtl_dm.faces.align` does.
    """
    left, top, right, bottom = crop_of(images.shape[1])
    found = images.copy()
    for image in found:
        part = image[top:bottom, left:right]
        small = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)
        image[top:bottom, left:right] = cv2.resize(
            small, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR
        )
    return found
