"""The photos of the Clothing Attribute Dataset in memory, with the category and the gender."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from mtl_dm.datasets.clothing_attributes import ATTRIBUTES, read_labels
from mtl_dm.datasets.clothing_attributes._images import image_path
from mtl_dm.datasets.clothing_attributes._labels import locate

FOLDER = "ClothingAttributeDataset"
FEMALE = ATTRIBUTES.index("female")


class ClothingPhotos(NamedTuple):
    """Photos of people in the order of the label files.

    Attributes:
        images: uint8 [N, S, S, 3]; a photo is squashed to a square, as `mtl_dm.data.load` does.
        category: int64 [N], class ids; -1 where the raters did not agree.
        gender: int64 [N], 1 female; -1 likewise.
    """

    images: np.ndarray
    category: np.ndarray
    gender: np.ndarray


def photos(data_dir: str, side: int) -> ClothingPhotos:
    """Return all photos, each pixel the mean of what it covers.

    Args:
        data_dir: Folder that holds `ClothingAttributeDataset`.
        side: Of the images.

    Raises:
        FileNotFoundError: If the data set, a label file or a photo is not there.
        ValueError: If a label file is malformed, or a photo has too many pixels.
    """
    folder = locate(data_dir)
    labels = read_labels(folder)
    images = [_photo(folder / image_path(row), side) for row in range(len(labels.category))]
    return ClothingPhotos(
        np.stack(images), labels.category, labels.attributes[:, FEMALE].astype(np.int64)
    )


def _photo(path: Path, side: int) -> np.ndarray:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: each row of the label files has a photo.")
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
    except Image.DecompressionBombError as error:
        raise ValueError(f"{path} is too large: {error}") from error
    return cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
