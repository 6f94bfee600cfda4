import io
import os
import struct
import warnings

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mtl_dm.datasets.reading import Box, images, load_jpeg
from tests.datasets.fakes import jpeg

# Left half dark, right half bright; smooth enough for JPEG to keep.
HALVES = np.repeat(np.array([[40] * 16 + [200] * 16], dtype=np.uint8), 24, axis=0)


def save(path, image, kind, **options):
    image.save(path, kind, **options)
    return path


def decoded(data):
    """As the built data set is read."""
    return tf.io.decode_jpeg(data, channels=3).numpy()


def check_halves(data, tolerance=3):
    pixels = decoded(data).astype(int)
    assert pixels.shape == (24, 32, 3)
    np.testing.assert_allclose(pixels[:, 2:14], 40, atol=tolerance)
    np.testing.assert_allclose(pixels[:, 18:30], 200, atol=tolerance)


def test_a_jpeg_is_copied_byte_for_byte(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(1))
    assert load_jpeg(path) == jpeg(1)
    save(path, Image.fromarray(HALVES), "JPEG")  # grey
    assert load_jpeg(path) == path.read_bytes()
    check_halves(load_jpeg(path))


def test_a_jpeg_with_bytes_behind_it_is_copied(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(1) + b"\0\0trailer")
    assert load_jpeg(path) == path.read_bytes()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_other_formats_under_any_name(tmp_path, kind, mode):
    check_halves(load_jpeg(save(tmp_path / "a.jpg", Image.fromarray(HALVES).convert(mode), kind)))


def test_palette_and_transparency(tmp_path):
    grey = Image.fromarray(HALVES)
    check_halves(load_jpeg(save(tmp_path / "p.png", grey.convert("P"), "PNG")))
    opaque = grey.convert("RGB")
    opaque.putalpha(128)
    check_halves(load_jpeg(save(tmp_path / "a.png", opaque, "PNG")))


def test_cmyk(tmp_path):
    image = Image.fromarray(HALVES).convert("RGB").convert("CMYK")
    path = save(tmp_path / "a.jpg", image, "JPEG", quality=95)
    assert load_jpeg(path) != path.read_bytes()
    check_halves(load_jpeg(path), tolerance=6)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    wide = Image.fromarray(HALVES.astype(np.uint16) * 257)
    check_halves(load_jpeg(save(tmp_path / "a.png", wide, "PNG")))


def test_exif_rotation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    lying = Image.fromarray(HALVES).transpose(Image.Transpose.ROTATE_90)
    path = save(tmp_path / "a.jpg", lying, "JPEG", exif=exif, quality=95)
    check_halves(load_jpeg(path))
    exif[0x0112] = 1
    path = save(tmp_path / "b.jpg", Image.fromarray(HALVES), "JPEG", exif=exif)
    assert load_jpeg(path) == path.read_bytes()  # upright already


def test_crop(tmp_path):
    path = save(tmp_path / "a.png", Image.fromarray(HALVES), "PNG")
    pixels = decoded(load_jpeg(path, Box(18.4, -5, 99, 10)))
    assert pixels.shape == (10, 14, 3)
    np.testing.assert_allclose(pixels, 200, atol=3)
    for box in (Box(32, 0, 40, 10), Box(5, 5, 5, 9), Box(9, 9, 3, 3)):
        with pytest.raises(ValueError, match="leaves nothing of 32 x 24 pixels"):
            load_jpeg(path, box)


def test_size(tmp_path):
    path = save(tmp_path / "a.png", Image.fromarray(HALVES), "PNG")
    load_jpeg(path, size=(32, 24))
    with pytest.raises(ValueError, match="32 x 24 pixels, expected 24 x 32"):
        load_jpeg(path, size=(24, 32))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"GIF89a" + b"\0" * 40, "not an image file"),
        (b"<html>404</html>", "not an image file"),
        (jpeg(1)[:-40], "truncated or damaged image"),
        (jpeg(1)[:-2], "truncated or damaged image"),
        (jpeg(1)[:-1], "truncated or damaged image"),
    ],
)
def test_reasons(tmp_path, content, reason):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{reason}$"):
        load_jpeg(path)


def jpeg_header(width, height):
    """A JPEG that says it is so large; what is behind the header is that of a small one."""
    data = bytearray(jpeg(1))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


class TestTooLarge:
    REASON = (
        r"^200,000,000 pixels; a built data set can hold images of up to 178,956,970: make it "
        r"smaller$"
    )

    def test_as_pillow_says(self, tmp_path):
        (tmp_path / "a.jpg").write_bytes(jpeg_header(20_000, 10_000))
        with pytest.raises(ValueError, match=self.REASON):
            load_jpeg(tmp_path / "a.jpg")

    def test_where_pillow_has_no_limit(self, tmp_path, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
        (tmp_path / "a.jpg").write_bytes(jpeg_header(20_000, 10_000))
        with pytest.raises(ValueError, match=self.REASON):
            load_jpeg(tmp_path / "a.jpg")

    def test_the_limit_is_that_of_the_decoder(self):
        # One row more than the limit allows: TensorFlow refuses the size, and says so to its log.
        rows = images.MAX_PIXELS // 20_000 + 1
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.io.decode_jpeg(jpeg_header(20_000, rows), channels=3)
        assert 20_000 * (rows - 1) * 3 < 2**29 <= 20_000 * rows * 3

    def test_a_side_that_no_jpeg_has(self, tmp_path):
        path = save(tmp_path / "a.png", Image.new("L", (65_501, 1)), "PNG")
        with pytest.raises(ValueError, match=r"^65501 x 1 pixels; .* up to 65,500 a side"):
            load_jpeg(path)
        load_jpeg(path, Box(0, 0, 65_500, 1))

    def test_no_word_of_an_attack_below_it(self, tmp_path, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)  # of 24 x 16 = 384; an error from 600
        (tmp_path / "a.jpg").write_bytes(jpeg(1))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with images.large_images():
                assert load_jpeg(tmp_path / "a.jpg") == jpeg(1)


def test_truncated_png(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    path = save(tmp_path / "a.png", Image.fromarray(noise), "PNG")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match="truncated or damaged image"):
        load_jpeg(path)


def test_what_is_no_file(tmp_path):
    with pytest.raises(ValueError, match=r"^missing$"):
        load_jpeg(tmp_path / "nothing.jpg")
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "circle.jpg").symlink_to("circle.jpg")
    for name in ("folder.jpg", "pipe.jpg"):
        with pytest.raises(ValueError, match=r"^not a file$"):
            load_jpeg(tmp_path / name)
    with pytest.raises(ValueError, match=r"cannot be opened"):
        load_jpeg(tmp_path / "circle.jpg")


def test_unreadable_file(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(1))

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "read_bytes", refuse)
    with pytest.raises(ValueError, match=r"^cannot be opened \(Permission denied\)$"):
        load_jpeg(path)


@given(cut=st.integers(0, 600), byte=st.integers(0, 255), place=st.integers(0, 600))
def test_damage_is_found_or_the_image_can_be_read(tmp_path_factory, cut, byte, place):
    good = bytearray(jpeg(1))
    good[place % len(good)] = byte
    path = tmp_path_factory.mktemp("i") / "a.jpg"
    path.write_bytes(bytes(good[: len(good) - cut]))
    try:
        data = load_jpeg(path)
    except ValueError as error:
        assert str(error)
    else:
        assert tf.io.decode_jpeg(io.BytesIO(data).read(), channels=3).shape[2] == 3
