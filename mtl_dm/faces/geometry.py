"""Similarity alignment: five landmarks are moved onto a template by turning, scaling, shifting."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from mtl_dm.faces.face import Box, Image, Points

SIZE = 112

_TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)

Transform = npt.NDArray[np.float64]
"""[2, 3]: a point p goes to transform[:, :2] @ p + transform[:, 2]."""


def template(size: int = SIZE) -> Points:
    """Return where the five landmarks belong in a `size` x `size` picture.

    The published positions are those of 112 x 112 (the ArcFace template). Pixel centres are at
    whole numbers, so that a picture covers [-0.5, size - 0.5]; that square is scaled.
    """
    return (_TEMPLATE + 0.5) * (size / SIZE) - 0.5


def similarity(source: Points, target: Points) -> Transform:
    """Return the similarity that moves `source` closest to `target` in the least-squares sense.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    PAMI 1991, eq. 40-42: with the covariance A = mean((t - mean t)(s - mean s)^T) = U D V^T, the
    rotation is R = U S V^T, the scale tr(D S) / var(s). S = diag(1, 1), or diag(1, -1) where
    det A < 0, which forbids a mirror image.

    Args:
        source: Points [N, 2], N >= 2.
        target: Points [N, 2].

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or all source points coincide.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2 or len(source) < 2:
        raise ValueError(
            f"source and target must both be [N, 2] with N >= 2, not {source.shape} and "
            f"{target.shape}."
        )
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError("source and target must be finite.")
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred = source - source_mean
    variance = np.mean(np.sum(centred**2, axis=1))
    if variance <= 0:
        raise ValueError(f"source must have two different points; all are {source[0].tolist()}.")
    covariance = (target - target_mean).T @ centred / len(source)
    left, singular, right = np.linalg.svd(covariance)
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    linear = (singular @ signs) / variance * (left * signs) @ right
    return np.column_stack([linear, target_mean - linear @ source_mean])


def move(transform: Transform, points: Points) -> Points:
    """Return the points [N, 2] after the transform."""
    return np.asarray(points) @ transform[:, :2].T + transform[:, 2]


def inverse(transform: Transform) -> Transform:
    """Return the transform that undoes this one.

    Raises:
        ValueError: If there is none, since everything falls onto one line or point.
    """
    if np.linalg.det(transform[:, :2]) == 0:
        raise ValueError("The transform has no inverse: its determinant is 0.")
    linear = np.linalg.inv(transform[:, :2])
    return np.column_stack([linear, -linear @ transform[:, 2]])


def warp(image: Image, transform: Transform, size: int = SIZE) -> Image:
    """Return the `size` x `size` picture that the transform makes; black beyond the image.

    Four neighbours make each pixel. Where the transform shrinks by more than that sees, the image
    is first shrunk by a whole factor, averaging: fine texture would turn into noise otherwise.
    """
    factor = int(1 / np.sqrt(abs(np.linalg.det(transform[:, :2]))))
    if factor >= 2:
        image, ratio = rescale(image, max(image.shape[:2]) / factor)
        # Pixel x of the shrunk image is (x + 0.5) / ratio - 0.5 of the whole one.
        back = np.column_stack([np.diag(1 / ratio), 0.5 / ratio - 0.5])
        linear = transform[:, :2] @ back[:, :2]
        transform = np.column_stack([linear, move(transform, back[None, :, 2])[0]])
    return cv2.warpAffine(image, transform, (size, size), flags=cv2.INTER_LINEAR)


def align(image: Image, landmarks: Points, size: int = SIZE) -> Image:
    """Return the aligned face, uint8 [size, size, 3].

    Args:
        image: The picture that the landmarks were found in.
        landmarks: Points [5, 2].
        size: Side of the result.

    Raises:
        ValueError: If the landmarks are not five different finite points.
    """
    return warp(image, similarity(landmarks, template(size)), size)


def rescale(image: Image, side: float) -> tuple[Image, npt.NDArray[np.float64]]:
    """Return the image with about `side` pixels on the long side, and its exact (x, y) scales."""
    height, width = image.shape[:2]
    factor = side / max(height, width)
    if factor == 1:
        return image, np.ones(2)
    new = max(1, round(width * factor)), max(1, round(height * factor))
    # Averaging is for shrinking only; enlarging, it repeats pixels.
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, new, interpolation=method), np.array(new) / (width, height)


def centre_crop(image: Image, size: int = SIZE, box: Box | None = None) -> Image:
    """Return the square in the middle of the image, or the one around `box`, as `size` x `size`."""
    height, width = image.shape[:2]
    left, top, right, bottom = box or (0.0, 0.0, float(width), float(height))
    side = max(right - left, bottom - top) if box else float(min(height, width))
    # Coordinates of edges; pixel centres lie half a pixel further in.
    corner = np.array([(left + right - side) / 2, (top + bottom - side) / 2])
    scale = size / side
    shift = (0.5 - corner) * scale - 0.5
    return warp(image, np.column_stack([np.eye(2) * scale, shift]), size)
