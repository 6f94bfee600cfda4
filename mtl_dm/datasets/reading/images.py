"""Image files as JPEG bytes that the built data set can be read with."""

from __future__ import annotations

import contextlib
import io
import re
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from mtl_dm.datasets.reading.items import Box
from mtl_dm.files import MAX_PIXELS

QUALITY = 95
"""JPEG quality of images that are encoded again; their colours are not subsampled."""

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")

MAX_SIDE = 65_500
"""Of an image that is encoded: what libjpeg writes."""

# Pillow loads some of them only when asked to.
Image.init()

_END = b"\xff\xd9"
_ORIENTATION = 0x0112  # the EXIF tag


def load_jpeg(path: Path, box: Box | None = None, size: tuple[int, int] | None = None) -> bytes:
    """Return an image as JPEG bytes, checked by decoding it.

    A JPEG that is upright and grey or RGB is returned byte for byte; everything else (PNG under
    any name, CMYK, 16 bits, EXIF rotation, a crop) is decoded, turned upright, made 8-bit RGB
    (transparency dropped) and encoded at `QUALITY`.

    Args:
        path: The image file.
        box: What to crop to, in pixels of the upright image, cut at its edges.
        size: (width, height) that the image must have; None: any.

    Raises:
        ValueError: If there is no such image, or it is larger than a built data set can hold; the
            message is the reason alone.
    """
    data = _read(path)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(_too_many(image.width * image.height))
            if size is not None and image.size != size:
                raise ValueError(f"{_by(image.size)} pixels, expected {_by(size)}")
            if box is None and _plain(image):
                # Nearly every truncated file lacks the end mark. Pillow finds out without the
                # lines that TensorFlow would print about each.
                if not data.endswith(_END):
                    image.load()
                _check_decodes(data)
                return data
            upright = ImageOps.exif_transpose(_eight_bits(image))
            return _encode(upright if box is None else _crop(upright, box))
    except ValueError:
        raise
    except Image.DecompressionBombError as error:
        # Raised before there is an image that could be asked for its size.
        raise ValueError(_too_many(*map(int, re.findall(r"\d+", str(error))[:1]))) from error
    except Image.UnidentifiedImageError as error:
        raise ValueError("not an image file") from error
    except Exception as error:  # Pillow raises a dozen types for a damaged file
        raise ValueError("truncated or damaged image") from error


@contextlib.contextmanager
def large_images() -> Iterator[None]:
    """Keep Pillow from warning of an attack at images from half of `MAX_PIXELS` on.

    To be entered before threads are started: the filter of warnings is that of the process.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _too_many(pixels: int | None = None) -> str:
    many = "too many" if pixels is None else f"{pixels:,}"
    return (
        f"{many} pixels; a built data set can hold images of up to {MAX_PIXELS:,}: make it smaller"
    )


def _read(path: Path) -> bytes:
    try:
        # Opening a named pipe would wait for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("not a file")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ValueError("missing") from error
    except OSError as error:
        raise ValueError(f"cannot be opened ({error.strerror})") from error
    if not data:
        raise ValueError("empty file")
    return data


def _plain(image: Image.Image) -> bool:
    if image.format not in ("JPEG", "MPO") or image.mode not in ("L", "RGB"):
        return False
    return image.getexif().get(_ORIENTATION, 1) == 1


def _check_decodes(data: bytes) -> None:
    import tensorflow as tf

    # By the decoder that will read the built data set, which also refuses a truncated file.
    try:
        with tf.device("/CPU:0"):
            tf.io.decode_jpeg(data, channels=3)
    except tf.errors.InvalidArgumentError as error:
        raise ValueError("truncated or damaged image") from error


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return the image in RGB; Pillow's own conversion of 16-bit grey would clip, not scale."""
    if not image.mode.startswith(("I", "F")):
        return image.convert("RGB")
    values = np.asarray(image)
    if values.dtype.kind == "f" or values.min() < 0 or values.max() > 0xFFFF:
        raise ValueError(f"pixels of mode {image.mode} in an unknown range")
    grey = Image.fromarray((values // 257).astype(np.uint8))
    grey.info = dict(image.info)  # EXIF, for the orientation
    return grey.convert("RGB")


def _crop(image: Image.Image, box: Box) -> Image.Image:
    left, top = max(round(box.left), 0), max(round(box.top), 0)
    right, bottom = min(round(box.right), image.width), min(round(box.bottom), image.height)
    if left >= right or top >= bottom:
        raise ValueError(f"the box {tuple(box)} leaves nothing of {_by(image.size)} pixels")
    return image.crop((left, top, right, bottom))


def _encode(image: Image.Image) -> bytes:
    if max(image.size) > MAX_SIDE:
        raise ValueError(
            f"{_by(image.size)} pixels; a built data set can hold images of up to {MAX_SIDE:,} "
            "a side: make it smaller"
        )
    target = io.BytesIO()
    image.info = {}  # no EXIF or colour profile of the source
    image.save(target, "JPEG", quality=QUALITY, subsampling=0)
    return target.getvalue()


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
