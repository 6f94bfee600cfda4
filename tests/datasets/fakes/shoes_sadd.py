"""Writes tiny Shoes (SADD): folders of images and shoes_attributes.mat."""

from pathlib import Path

import numpy as np
import scipy.io

from tests.datasets.fakes import Layout, write_image

TYPES = (
    "athletic_shoes", "boots", "clogs", "flats", "high_heels", "pumps", "rain_boots", "sneakers",
    "stiletto", "wedding_shoes",
)  # fmt: skip

# The class numbers of the file need not be in the order of the names: class 1 is stiletto here.
CLASSES = ("stiletto", "sneakers", "rain_boots", "pumps", "high_heels", "flats", "clogs", "boots",
           "athletic_shoes", "wedding_shoes")  # fmt: skip

# Attribute m (from 0) ranks the classes 1 .. 10, rotated by m places.
ORDERS = np.array([np.roll(np.arange(1, 11), place) for place in range(10)])


def names(per_type: int = 2) -> list[str]:
    return [f"img_womens_{name}_{n}.jpg" for name in TYPES for n in range(1, per_type + 1)]


# Image 1, image 2, attribute, answer, counted from 1: every attribute is won once and lost once.
PAIRS = [(1, 2, attribute, 1 + attribute % 2) for attribute in range(1, 11)]


def cells(values) -> np.ndarray:
    found = np.empty((1, len(values)), dtype=object)
    found[0] = [np.array([value]) for value in values]
    return found


def contents(images=None, **changes) -> dict:
    images = names() if images is None else images
    types = [name[len("img_womens_") : name.rindex("_")] for name in images]
    return {
        "im_names": cells(images),
        "class_labels": np.array([[CLASSES.index(name) + 1] for name in types]),
        "orders": ORDERS.astype(float),
        "mturk_labels": np.array(PAIRS, dtype=float),
        "train_inds": np.array([[1]]),
        **changes,
    }


def write_mat(folder: Path, **changes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    found = {name: value for name, value in contents(**changes).items() if value is not None}
    path = folder / "shoes_attributes.mat"
    scipy.io.savemat(path, found)
    return path


def write_images(folder: Path, images=None) -> None:
    for number, name in enumerate(names() if images is None else images):
        kind = name[len("img_womens_") : name.rindex("_")]
        part = TYPES.index(kind) // 5  # the first five types in folders 0, the others in 1
        write_image(folder / f"womens_{kind}" / str(part) / name, number)


def write_shoes(parent: Path, mat: str = ".") -> Path:
    folder = parent / "shoes"
    write_images(folder)
    write_mat(folder / mat)
    return folder


# 20 images: round(20 * 73 / 147) = 10 for testing.
SPLITS = {"train": 10, "test": 10}

LAYOUTS = {
    "class orders": Layout(write_shoes, SPLITS, "class_orders"),
    "default": Layout(write_shoes, SPLITS),
    "pairs": Layout(write_shoes, SPLITS, "pairs"),
    "file in a folder": Layout(
        lambda parent: write_shoes(parent, "attributes"), SPLITS, "pairs_then_orders"
    ),
}
