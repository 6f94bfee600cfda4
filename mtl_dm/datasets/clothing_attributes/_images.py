"""Where the images of the Clothing Attribute Dataset are."""

from __future__ import annotations

import re
from pathlib import Path


def image_path(index: int) -> str:
    """Return the path of row `index` (from 0), relative to the released folder."""
    return f"images/{index + 1:06d}.jpg"


def check_no_extra_images(folder: Path, count: int) -> None:
    """Check that there is no image beyond the label rows: rows and images would not fit.

    Args:
        folder: The released folder.
        count: Number of label rows.

    Raises:
        FileNotFoundError: If there is no folder `images`.
        ValueError: If there are images without labels.
    """
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
