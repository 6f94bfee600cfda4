"""Embeddings are computed once, equal direct ones, and stand for the images as they are."""

import cv2
import numpy as np
import pytest

from mtl_dm.encoders import Encoder, ImageArray, ImageFolder, cached
from mtl_dm.encoders.encoder import Preprocessing
from mtl_dm.encoders.network import Network

COUNT, ROWS = 7, 3


class Counted:
    """A network that counts the batches it sees."""

    def __init__(self, scale=1.0):
        self.batches, self.scale = 0, scale

    def __call__(self, images):
        self.batches += 1
        return self.scale * images.mean(axis=(1, 2))


def encoder(run, fingerprint="one"):
    return Encoder("means", Network(None, 3, run), 4, Preprocessing(), fingerprint)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(COUNT):
        path = tmp_path / "images" / f"of{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 256, (4, 4, 3), np.uint8))
    (tmp_path / "images" / "notes.txt").write_text("no image", encoding="utf-8")
    return tmp_path


def compute(folder, run, **options):
    images = ImageFolder(folder / "images")
    return images, cached(encoder(run, **options), images, folder / "out", rows=ROWS, batch_size=2)


def test_cached_equals_direct_and_is_computed_once(folder):
    run = Counted()
    images, found = compute(folder, run)
    assert images.names[:2] == ["of0/0.png", "of0/2.png"]
    assert (len(found), found.width, found.starts) == (COUNT, 3, (0, 3, 6, 7))
    places = [5, 0, 6, 0]
    direct = np.stack([images.read(images.names[place], 4)[1] for place in places]).mean(
        axis=(1, 2)
    )
    np.testing.assert_allclose(found.rows(places), direct, rtol=2**-11, atol=1e-7)
    batches = run.batches
    assert batches == 2 + 2 + 1
    compute(folder, run)
    assert run.batches == batches


def test_what_was_stopped_goes_on(folder):
    run = Counted()
    compute(folder, run)
    (folder / "out" / "00001.json").unlink()  # Its array was written, the rest was not.
    before = run.batches
    compute(folder, run)
    assert run.batches == before + 2


def test_changes_since_are_told(folder):
    compute(folder, Counted())
    image = folder / "images" / "of1" / "3.png"
    cv2.imwrite(str(image), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(
        ValueError, match=r"Images changed since .*'of1/3\.png' has another content"
    ):
        compute(folder, Counted())
    image.unlink()
    with pytest.raises(ValueError, match=r"'of1/.*\.png' is new, gone or in another place"):
        compute(folder, Counted())
    with pytest.raises(ValueError, match="of another encoder than 'means'"):
        compute(folder, Counted(), fingerprint="two")
    (folder / "out" / "00000.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match=r"cannot be read: .* Remove .*out to compute"):
        compute(folder, Counted())


def test_what_float16_does_not_hold_is_refused(folder):
    with pytest.raises(ValueError, match="beyond what float16 holds"):
        compute(folder, Counted(scale=1e6))


def test_a_folder_must_hold_images(folder):
    with pytest.raises(FileNotFoundError, match="no folder of images"):
        ImageFolder(folder / "nothing")
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match=r"no image \(\.bmp.*\) in"):
        ImageFolder(folder / "empty")
    broken = folder / "images" / "broken.jpg"
    broken.write_bytes(b"text")
    with pytest.raises(ValueError, match=r"broken\.jpg: not an image"):
        ImageFolder(folder / "images").read("broken.jpg", 4)


def test_hidden_files_are_no_images_and_links_are_followed(folder):
    whole = list(ImageFolder(folder / "images").names)
    (folder / "images" / "._a.jpg").write_bytes(b"left by a Mac")
    (folder / "images" / "people").symlink_to("of0", target_is_directory=True)
    linked = [name.replace("of0", "people") for name in whole if name.startswith("of0")]
    assert ImageFolder(folder / "images").names == sorted([*whole, *linked])
    (folder / "other.jpg").touch()
    (folder / "images" / "out.jpg").symlink_to(folder / "other.jpg")
    with pytest.raises(ValueError, match=r"out\.jpg: a symbolic link leads out"):
        ImageFolder(folder / "images")


def test_images_in_memory_are_as_files(folder, tmp_path):
    images = ImageFolder(folder / "images")
    pixels = np.stack([cv2.imread(str(images.root / name))[..., ::-1] for name in images.names])
    found = cached(encoder(Counted()), ImageArray(pixels), tmp_path / "array", rows=ROWS)
    same = cached(encoder(Counted()), images, tmp_path / "files", rows=ROWS)
    places = np.arange(COUNT)
    np.testing.assert_array_equal(found.rows(places), same.rows(places))
    pixels[4, 0, 0] += 1
    with pytest.raises(ValueError, match=r"Images changed .* '4' has another content"):
        cached(encoder(Counted()), ImageArray(pixels), tmp_path / "array", rows=ROWS)
    with pytest.raises(ValueError, match=r"must be uint8 \[N, S, S, 3\], got float64"):
        ImageArray(pixels / 255)
