import numpy as np
import pytest
from PIL import Image, ImageDraw

from mtl_dm.predicting import lettering

INK = (200, 0, 0)


def sheet():
    picture = Image.new("RGB", (300, 30), "#ffffff")
    return picture, ImageDraw.Draw(picture)


def written(text, where=(5, 4)):
    picture, draw = sheet()
    lettering.write(draw, where, text, INK, 12)
    return np.asarray(picture)


@pytest.mark.parametrize("text", ["happiness", "0.59", "fügt", "…", "jaw,"])
def test_a_word_looks_as_pillow_writes_it(text):
    picture, draw = sheet()
    draw.text((5, 4), text, INK, lettering.font(12))
    np.testing.assert_array_equal(written(text), np.asarray(picture))


def test_the_words_of_a_line_are_as_far_apart_as_pillow_puts_them():
    text = "No face was found. AU12=0.85, none"
    _, draw = sheet()
    _, _, right, _ = draw.textbbox((5, 4), text, font=lettering.font(12))
    columns = np.nonzero(np.any(written(text) < 128, axis=(0, 2)))[0]
    assert columns.max() == pytest.approx(right, abs=3)
    assert columns.min() == pytest.approx(5, abs=2)


def test_places_between_pixels_and_no_text_at_all():
    np.testing.assert_array_equal(written("a b", (5.4, 3.6)), written("a b"))
    assert (written("") == 255).all()


def test_a_word_is_drawn_once():
    lettering._word.cache_clear()
    for _ in range(3):
        written("of of of")
    assert lettering._word.cache_info().misses == 1
