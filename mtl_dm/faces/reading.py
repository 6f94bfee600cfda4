"""Image files of any kind -> one kind of array, or the reason why not."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as pillow  # noqa: N813 - Image is an array here

from mtl_dm.faces.face import Image
from mtl_dm.files import MAX_PIXELS, require_regular_file

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""What counts as an image in a folder, in lower case; the content decides how it is read."""

_TOO_LARGE = f"the image is too large: at most {MAX_PIXELS:,} pixels are read"


def read_image(path: str | Path) -> Image:
    """Return the image in a file; see `decode_image`.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is no regular file or holds no whole image.
    """
    require_regular_file(Path(path))
    return decode_image(Path(path).read_bytes())


def decode_image(data: bytes) -> Image:
    """Return an encoded image as uint8 [height, width, 3], red first.

    Turned upright as its EXIF data say; grey and CMYK become RGB, 16 bits 8 (the upper ones), and
    transparency is dropped. The file's name plays no part.

    Raises:
        ValueError: If there is no whole image: the file is empty, truncated, none at all, or of
            more than `MAX_PIXELS` pixels.
    """
    if not data:
        raise ValueError("the file is empty")
    # Decoders fill what is missing with grey and call it success.
    if _truncated(data):
        raise ValueError("the file is truncated")
    if _announced_pixels(data) > MAX_PIXELS:
        raise ValueError(_TOO_LARGE)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in str(error):
            raise ValueError(_TOO_LARGE) from error
        raise ValueError(f"the image cannot be decoded ({error.err or error.code})") from error
    if image is None:
        raise ValueError("not an image that can be decoded")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _announced_pixels(data: bytes) -> int:
    """Return how many pixels a header announces; 0 where Pillow does not know the format."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pillow.DecompressionBombWarning)
        try:
            with pillow.open(io.BytesIO(data)) as image:
                return image.width * image.height
        except pillow.DecompressionBombError:  # Beyond twice its own limit, which is ours.
            return MAX_PIXELS + 1
        except Exception:  # It raises a dozen types for a damaged file; the decoder says what is.
            return 0


def _truncated(data: bytes) -> bool:
    if data.startswith(b"\xff\xd8"):
        return _truncated_jpeg(data)
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return len(data) < int.from_bytes(data[4:8], "little") + 8
    if data.startswith(b"BM"):
        return len(data) < int.from_bytes(data[2:6], "little")
    return False


def _truncated_jpeg(data: bytes) -> bool:
    # Walk over the headers: an EXIF thumbnail inside one has an end marker of its own. In the
    # picture data after them 0xFF is escaped, so an end marker there is the end.
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            return False  # not a JPEG after all; the decoder says what it is
        if data[position + 1] == 0xFF:  # padding
            position += 1
            continue
        if data[position + 1] == 0xDA:  # start of scan
            return data.find(b"\xff\xd9", position) < 0
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return True
