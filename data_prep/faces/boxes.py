"""Annotated face boxes from a CSV file."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path, PurePosixPath

from mtl_dm import faces

COLUMNS = ("path", "left", "top", "right", "bottom")


def read_boxes(path: Path) -> dict[str, faces.Box]:
    """Return image path -> box from a CSV with the columns of `COLUMNS`; others are ignored.

    A byte-order mark, CRLF line ends and quotes are understood; paths are relative to the source.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a column is missing, or a row has a bad number, an empty box, a path that
            leaves the source, or a second box for an image; file, line and reason are named.
    """
    if not path.is_file():
        raise FileNotFoundError(f"--boxes: the file {path} does not exist.")
    try:
        return _boxes(path)
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no CSV of UTF-8: {error}.") from error


def _boxes(path: Path) -> dict[str, faces.Box]:
    boxes: dict[str, faces.Box] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(
                f"{path}: the header must name {', '.join(COLUMNS)}; missing: {', '.join(missing)}."
            )
        for row in rows:
            where = f"{path}, line {rows.line_num}"
            image = PurePosixPath((row["path"] or "").replace("\\", "/"))
            # On no system is a path with a drive, C:/x.jpg, one inside the source.
            absolute = image.is_absolute() or re.match(r"[A-Za-z]:", str(image))
            if absolute or ".." in image.parts or not image.parts:
                raise ValueError(f"{where}: the path {row['path']!r} must lie inside the source.")
            if boxes.setdefault(str(image), box := _box(row, where)) is not box:
                raise ValueError(f"{where}: a second box for {image}.")
    return boxes


def _box(row: dict[str, str], where: str) -> faces.Box:
    texts = [row[name] for name in COLUMNS[1:]]
    try:
        left, top, right, bottom = map(float, texts)
    except (TypeError, ValueError):
        raise ValueError(f"{where}: the box must be four numbers, not {texts}.") from None
    finite = all(map(math.isfinite, (left, top, right, bottom)))
    if not (finite and left < right and top < bottom):
        raise ValueError(f"{where}: left < right and top < bottom must hold, not {texts}.")
    return left, top, right, bottom
