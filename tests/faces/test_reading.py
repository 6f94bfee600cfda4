import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image as pillow  # noqa: N813

from mtl_dm.faces import decode_image, decode_scaled, read_image, reading


def gradient(height=40, width=60):
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 4, y * 6, np.full_like(x, 90)], axis=2).astype(np.uint8)


def encode(image, suffix=".jpg"):
    return cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def with_orientation(jpeg, value):
    """The JPEG with an EXIF block that has one entry: the orientation."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, value, 0, 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp", ".tiff", ".jpg"])
def test_formats_and_their_truncation(suffix):
    data = encode(gradient(), suffix)
    image = decode_image(data)
    assert image.dtype == np.uint8
    np.testing.assert_allclose(image.astype(int), gradient(), atol=30 if suffix == ".webp" else 8)
    for length in (2, 20, len(data) // 3, len(data) - 3):
        with pytest.raises(ValueError, match=r"truncated|not an image|decoded"):
            decode_image(data[:length])


def test_name_plays_no_part(tmp_path):
    path = tmp_path / "a photo é.jpg"
    path.write_bytes(encode(gradient(), ".png"))
    np.testing.assert_array_equal(read_image(path), gradient())


def test_grey_16_bits_and_transparent():
    grey = gradient()[..., 0]
    data = cv2.imencode(".png", grey)[1].tobytes()
    np.testing.assert_array_equal(decode_image(data), np.repeat(grey[..., None], 3, axis=2))
    data = cv2.imencode(".png", grey.astype(np.uint16) * 257)[1].tobytes()
    np.testing.assert_allclose(
        decode_image(data).astype(int), np.repeat(grey[..., None], 3, axis=2), atol=1
    )
    data = cv2.imencode(".png", np.dstack([gradient()[..., ::-1], grey]))[1].tobytes()
    np.testing.assert_array_equal(decode_image(data), gradient())


def test_cmyk():
    file = io.BytesIO()
    pillow.fromarray(gradient()).convert("CMYK").save(file, "JPEG", quality=95)
    np.testing.assert_allclose(decode_image(file.getvalue()).astype(int), gradient(), atol=12)


@pytest.mark.parametrize(
    ("value", "turn"),
    [
        (1, lambda image: image),
        (3, lambda image: image[::-1, ::-1]),
        (6, lambda image: np.rot90(image, -1)),
        (8, np.rot90),
    ],
)
def test_exif_rotation(value, turn):
    image = decode_image(with_orientation(encode(gradient()), value))
    np.testing.assert_allclose(image.astype(int), turn(gradient()), atol=8)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"no image", "not an image"),
        (b"\xff\xd8\xff", "truncated"),
        (b"\xff\xd8no image", "not an image"),
    ],
)
def test_no_image(data, reason):
    with pytest.raises(ValueError, match=reason):
        decode_image(data)


def test_more_pixels_than_are_read():
    jpeg = bytearray(encode(gradient()))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 40_000, 40_000)
    with pytest.raises(ValueError, match="too large: at most 178,956,970 pixels"):
        decode_image(bytes(jpeg))


def with_sides(sides):
    """A PNG whose header, with its checksum, says that it has these."""
    data = bytearray(encode(gradient(), ".png"))
    data[16:24] = struct.pack(">II", *sides)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


@pytest.mark.parametrize("sides", [(12_000, 15_000), (30_000, 30_000)])
def test_a_small_file_of_many_pixels_is_not_decoded(sides, monkeypatch):
    # The header alone says it: 12,000 x 15,000 is within Pillow's own bound.
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(ValueError, match="too large: at most 178,956,970 pixels"):
        decode_image(with_sides(sides))


def test_a_wrong_checksum_does_not_hide_the_size(monkeypatch):
    # Of a text, which OpenCV leaves out; Pillow refuses the file.
    chunk = struct.pack(">I", 3) + b"tEXta\0b" + bytes(4)
    whole, large = encode(gradient(), ".png"), with_sides((30_000, 30_000))
    np.testing.assert_array_equal(decode_image(whole[:33] + chunk + whole[33:]), gradient())
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(ValueError, match="too large"):
        decode_image(large[:33] + chunk + large[33:])


@pytest.mark.parametrize("suffix", [".hdr", ".pfm", ".pam", ".ppm", ".ras"])
def test_formats_that_only_opencv_reads(suffix, monkeypatch):
    kind = np.float32 if suffix in (".hdr", ".pfm") else np.uint8
    data = cv2.imencode(suffix, gradient().astype(kind))[1].tobytes()
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(ValueError, match=r"not an image .*\(BMP, JPEG, PNG, TIFF, WEBP\)"):
        decode_image(data)


def test_a_jpeg_of_too_many_pixels_is_read_at_half_its_size(monkeypatch):
    monkeypatch.setattr(reading, "MAX_PIXELS", 40 * 60 - 1)
    turned = with_orientation(encode(gradient()), 6)
    image, scale = decode_scaled(turned)
    want = np.rot90(gradient(), -1)[::2, ::2]
    assert scale == 2
    assert image.shape == (30, 20, 3)
    np.testing.assert_allclose(image.astype(int), want, atol=12)
    with pytest.raises(ValueError, match="too large"):  # It would be decoded whole.
        decode_image(encode(gradient(), ".png"))
    monkeypatch.setattr(reading, "MAX_PIXELS", 40 * 60 // 2 - 1)
    with pytest.raises(ValueError, match="too large"):
        decode_image(turned)
    assert decode_scaled(encode(gradient(20, 30))).scale == 1


def test_a_thumbnail_does_not_hide_truncation():
    # The EXIF block holds a whole small JPEG, with its own end marker.
    thumbnail = encode(gradient(8, 8))
    jpeg = encode(gradient())
    block = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    whole = jpeg[:2] + block + jpeg[2:]
    decode_image(whole + b"bytes of a camera after the end")
    with pytest.raises(ValueError, match="truncated"):
        decode_image(whole[:-40])


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "nothing.jpg")
