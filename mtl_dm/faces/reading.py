"""Image files of any kind -> one kind of array, or the reason why not."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image as pillow  # noqa: N813 - Image is an array here
from PIL.JpegImagePlugin import JpegImageFile

from mtl_dm.faces.face import Image
from mtl_dm.files import MAX_PIXELS, require_regular_file

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""What counts as an image in a folder, in lower case; the content decides how it is read."""

FORMATS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")
"""What is read, as Pillow calls it. OpenCV decodes more, whose sizes nobody would check before."""

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
_NO_IMAGE = f"not an image that can be decoded ({', '.join(FORMATS)})"

HALVED = 2
"""A JPEG of up to so many times `MAX_PIXELS`, such as a telephone of 200 megapixels takes, is
decoded at half its size: the only format that is not decoded whole before it is made smaller."""

_TOO_LARGE = (
    f"the image is too large: at most {MAX_PIXELS:,} pixels are read, of a JPEG file "
    f"{HALVED * MAX_PIXELS:,}"
)


class Decoded(NamedTuple):
    """An image as it was decoded.

    Attributes:
        image: uint8 [height, width, 3], red first, upright.
        scale: How many pixels of the file one of its pixels stands for, in both directions.
    """

    image: Image
    scale: int = 1


def read_image(path: str | Path) -> Image:
    """Return the image in a file; see `decode_image`.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is no regular file or holds no whole image.
    """
    return read_scaled(path).image


def read_scaled(path: str | Path) -> Decoded:
    """Return the image in a file with its scale; raises as `read_image`."""
    require_regular_file(Path(path))
    return decode_scaled(Path(path).read_bytes())


def decode_image(data: bytes) -> Image:
    """Return an encoded image as uint8 [height, width, 3], red first.

    Turned upright as its EXIF data say; grey and CMYK become RGB, 16 bits 8 (the upper ones), and
    transparency is dropped. The file's name plays no part.

    Raises:
        ValueError: If there is no whole image: the file is empty, truncated, of none of the
            `FORMATS`, or of more than `MAX_PIXELS` pixels, a JPEG of more than `HALVED` times as
            many.
    """
    return decode_scaled(data).image


def decode_scaled(data: bytes) -> Decoded:
    """Return an encoded image with its scale, for whoever needs places in the file's pixels.

    Raises:
        ValueError: As `decode_image`.
    """
    if not data:
        raise ValueError("the file is empty")
    # Decoders fill what is missing with grey and call it success.
    if _truncated(data):
        raise ValueError("the file is truncated")
    scale = _scale(data)
    how = cv2.IMREAD_COLOR if scale == 1 else cv2.IMREAD_REDUCED_COLOR_2
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in str(error):
            raise ValueError(_TOO_LARGE) from error
        raise ValueError(f"the image cannot be decoded ({error.err or error.code})") from error
    if image is None:
        raise ValueError(_NO_IMAGE)
    return Decoded(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), scale)


def _scale(data: bytes) -> int:
    """Return at which scale an image is decoded.

    Raises:
        ValueError: If it has too many pixels for any, or does not say how many.
    """
    pixels = _announced_pixels(data)
    if pixels <= MAX_PIXELS:
        return 1
    if data.startswith(_JPEG) and pixels <= HALVED * MAX_PIXELS:
        return 2
    raise ValueError(_TOO_LARGE)


def _announced_pixels(data: bytes) -> int:
    """Return how many pixels a header announces.

    Raises:
        ValueError: If it is no header of one of the `FORMATS`: nothing would bound its decoding.
    """
    if data.startswith(_PNG):
        return _pixels_of_png(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pillow.DecompressionBombWarning)
        try:
            # Asked for a JPEG, Pillow has no limit of its own.
            ask = JpegImageFile if data.startswith(_JPEG) else _open
            with ask(io.BytesIO(data)) as image:
                return image.width * image.height
        except pillow.DecompressionBombError:  # Beyond its own limit, which is ours, or twice that.
            return MAX_PIXELS + 1
        except Exception as error:  # It raises a dozen types for a damaged file.
            raise ValueError(_NO_IMAGE) from error


def _open(file: io.BytesIO) -> pillow.Image:
    return pillow.open(file, formats=FORMATS)


def _pixels_of_png(data: bytes) -> int:
    """Return width x height; Pillow refuses a wrong checksum of any chunk, OpenCV does not."""
    if data[12:16] != b"IHDR":
        raise ValueError(_NO_IMAGE)
    return int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")


def _truncated(data: bytes) -> bool:
    if data.startswith(_JPEG):
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
