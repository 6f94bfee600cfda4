"""Image files: of a release that is built, and photos of any kind."""

import io
from pathlib import Path

from PIL import Image

from mtl_dm.datasets.reading.images import load_jpeg
from mtl_dm.faces.reading import read_image
from mtl_dm.files import MAX_PIXELS
from tests.datasets.fakes import jpeg
from tests.fuzz.target import Read, Target

FORMATS = ("PNG", "BMP", "WEBP", "TIFF")


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    path = folder / "a.jpg"
    picture = Image.open(io.BytesIO(jpeg(0)))
    found = [jpeg(0), _saved(picture, "JPEG", progressive=True)]
    found += [_saved(picture.convert("CMYK"), "JPEG"), _saved(picture.convert("I;16"), "PNG")]
    found += [_saved(picture, each) for each in FORMATS]

    def read(data: bytes) -> None:
        path.write_bytes(data)
        reasons = []
        for one in (read_image, load_jpeg):
            try:
                one(path)
            except ValueError as error:
                reasons.append(str(error))
        if reasons:
            raise ValueError("; ".join(reasons))

    return [each for each in found if _is_read(each, path)], read


def _is_read(data: bytes, path: Path) -> bool:
    path.write_bytes(data)
    try:
        load_jpeg(path)
    except ValueError:
        return False
    return True


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


# The largest image that is read, in eight-bit colours, as often as decoding needs it at a time.
TARGET = Target(prepare, memory=2**29 + 6 * 3 * MAX_PIXELS)
