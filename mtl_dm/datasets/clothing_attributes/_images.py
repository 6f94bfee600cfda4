"""Finds the images of the Clothing Attribute Dataset that can be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple


class Skipped(NamedTuple):
    """An image that the data set does without.

    Attributes:
        path: Where it was expected, relative to the released folder.
        reason: Why it is skipped.
    """

    path: str
    reason: str


def image_path(index: int) -> str:
    """Return the path of row `index` (from 0), relative to the released folder."""
    return f"images/{index + 1:06d}.jpg"


def readable_images(folder: Path, count: int) -> tuple[list[int], list[Skipped]]:
    """Sort the images into those that decode and those to skip.

    Args:
        folder: The released folder.
        count: Number of label rows, so of images expected.

    Returns:
        The rows (from 0) whose image can be read, and the others with the reason.

    Raises:
        FileNotFoundError: If there is no folder `images`.
        ValueError: If there are images without labels, or no image can be read.
    """
    _check_no_extra_images(folder, count)
    usable: list[int] = []
    skipped: list[Skipped] = []
    for index in range(count):
        reason = unreadable(folder / image_path(index))
        if reason is None:
            usable.append(index)
        else:
            skipped.append(Skipped(image_path(index), reason))
    if not usable:
        raise ValueError(
            f"The data set is empty: none of the {count} images under {folder / 'images'} can be "
            f"read; the first: {skipped[0].path}, {skipped[0].reason}."
        )
    return usable, skipped


def _check_no_extra_images(folder: Path, count: int) -> None:
    images = folder / "images"
    if not images.is_dir():
        raise FileNotFoundError(f"The folder {images} is missing.")
    # Other files (notes, thumbnails of a file browser) do not shift the rows: leave them alone.
    names = (path.name for path in images.iterdir() if re.fullmatch(r"\d+\.jpg", path.name))
    expected = {Path(image_path(index)).name for index in range(count)}
    extra = sorted(set(names) - expected)
    if extra:
        raise ValueError(
            f"{images} has {len(extra)} image(s) beyond the {count} label rows: "
            f"{', '.join(extra[:5])}{' ...' if len(extra) > 5 else ''}."
        )


def unreadable(path: Path) -> str | None:
    """Return why an image cannot be read, or None where it can."""
    import tensorflow as tf

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    if not data.startswith(b"\xff\xd8"):
        return "not a JPEG file"
    # By the decoder that will read the built data set, which also refuses a truncated file.
    try:
        with tf.device("/CPU:0"):
            tf.io.decode_jpeg(data, channels=3)
    except tf.errors.InvalidArgumentError:
        return "truncated or damaged JPEG"
    return None
