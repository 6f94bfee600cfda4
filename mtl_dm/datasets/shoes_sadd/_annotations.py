"""Reads shoes_attributes.mat of WhittleSearch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mtl_dm.datasets.reading.matlab import read_matlab

TYPES = (
    "athletic_shoes", "boots", "clogs", "flats", "high_heels", "pumps", "rain_boots", "sneakers",
    "stiletto", "wedding_shoes",
)  # fmt: skip

ATTRIBUTES = (
    "pointy_at_the_front", "open", "bright_in_color", "covered_with_ornaments", "shiny",
    "high_at_the_heel", "long_on_the_leg", "formal", "sporty", "feminine",
)  # fmt: skip
"""In the order of the file's attribute numbers."""

_NAME = re.compile(rf"img_womens_({'|'.join(TYPES)})_\d+\.jpe?g", re.IGNORECASE)

_VARIABLES = ("im_names", "class_labels", "orders", "mturk_labels")

FIRST, SECOND, SIMILAR = 1, 2, 3
"""Answers to a comparison: which image shows more of the attribute."""

Ints = npt.NDArray[np.int64]


class Annotations(NamedTuple):
    """What the file says of N images, M attributes and K types.

    Attributes:
        names: N file names.
        types: int64 [N], type of each image, as place in `TYPES`.
        orders: float64 [M, K]: the higher, the more types of this kind show the attribute; NaN for
            a type without images.
        pairs: int64 [P, 4]: first image and second image (from 0), attribute (from 0), answer.
    """

    names: tuple[str, ...]
    types: Ints
    orders: npt.NDArray[np.float64]
    pairs: Ints


def type_of(name: str) -> int:
    """Return the type that an image's name says, as place in `TYPES`.

    Raises:
        ValueError: If it says none.
    """
    match = _NAME.fullmatch(name)
    if not match:
        raise ValueError(
            f"the image is called {name!r}; expected img_womens_<type>_<number>.jpg with a type "
            f"among {', '.join(TYPES)}"
        )
    return TYPES.index(match[1].lower())


def read_annotations(path: Path) -> Annotations:
    """Return what is in the file.

    Raises:
        ValueError: If the file cannot be read, or a variable is missing, has another shape or
            another value than it may have; names file, variable and rule.
    """
    contents = read_matlab(path, _VARIABLES)
    try:
        names = _names(contents["im_names"])
        types = np.array([type_of(name) for name in names], dtype=np.int64)
        classes = _whole("class_labels", contents["class_labels"].ravel(), 1, len(TYPES))
        if len(classes) != len(names):
            raise ValueError(f"class_labels has {len(classes)} entries, im_names {len(names)}")
        orders = _orders(contents["orders"], classes - 1, types)
        pairs = _pairs(contents["mturk_labels"], len(names))
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error
    return Annotations(names, types, orders, pairs)


def _names(cells: npt.NDArray[Any]) -> tuple[str, ...]:
    """Return the names in a cell array, 1 x N or N x 1, without folders."""
    if cells.dtype != object or cells.size == 0:
        raise ValueError(f"im_names must be a cell array of names, got {cells.dtype} {cells.shape}")
    texts = []
    for cell in cells.ravel():
        text = "".join(map(str, np.asarray(cell).ravel()))
        texts.append(text.replace("\\", "/").rpartition("/")[2].strip())
    repeated = len(texts) - len(set(texts))
    if repeated:
        raise ValueError(f"im_names has {repeated} name(s) twice")
    return tuple(texts)


def _whole(what: str, values: npt.NDArray[Any], low: int, high: int) -> Ints:
    numbers = values.astype(np.float64)
    wrong = np.flatnonzero(~((numbers >= low) & (numbers <= high) & (numbers == np.floor(numbers))))
    if wrong.size:
        raise ValueError(
            f"{what}: entry {wrong[0] + 1} is {numbers[wrong[0]]:g}; expected whole numbers from "
            f"{low} to {high} ({wrong.size} are not)"
        )
    return numbers.astype(np.int64)


def _orders(values: npt.NDArray[Any], classes: Ints, types: Ints) -> npt.NDArray[np.float64]:
    """Return `orders` with its columns in our order of types.

    Which class number is which type is taken from the images of the class.
    """
    if values.shape != (len(ATTRIBUTES), len(TYPES)) or values.dtype.kind not in "fiu":
        raise ValueError(
            f"orders must be numbers of shape {(len(ATTRIBUTES), len(TYPES))} (attributes, "
            f"types), got {values.dtype} {values.shape}"
        )
    if not np.isfinite(values.astype(np.float64)).all():
        raise ValueError("orders must be finite numbers")
    orders = np.full(values.shape, np.nan)
    owner: dict[int, int] = {}
    for number in np.unique(classes):
        kinds = np.unique(types[classes == number])
        if len(kinds) > 1 or int(kinds[0]) in owner:
            names = ", ".join(TYPES[kind] for kind in kinds)
            raise ValueError(
                f"class_labels: class {number + 1} stands for {names}; expected one type a class"
            )
        owner[int(kinds[0])] = int(number)
        orders[:, kinds[0]] = values[:, number]
    return orders


def _pairs(values: npt.NDArray[Any], images: int) -> Ints:
    # Further columns, where a copy of the file has some, are not ours.
    if values.ndim != 2 or values.shape[1] < 4 or values.dtype.kind not in "fiu":
        raise ValueError(
            "mturk_labels must be rows of image 1, image 2, attribute and order, got "
            f"{values.dtype} {values.shape}"
        )
    first = _whole("mturk_labels, column 1", values[:, 0], 1, images) - 1
    second = _whole("mturk_labels, column 2", values[:, 1], 1, images) - 1
    attribute = _whole("mturk_labels, column 3", values[:, 2], 1, len(ATTRIBUTES)) - 1
    answer = _whole("mturk_labels, column 4", values[:, 3], FIRST, SIMILAR)
    return np.stack([first, second, attribute, answer], axis=1)
