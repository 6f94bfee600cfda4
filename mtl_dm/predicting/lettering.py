"""Text on pictures, put together of words: those on thousands of pictures are drawn once."""

from __future__ import annotations

import functools
from typing import Any

from PIL import Image, ImageDraw, ImageFont

_WORDS = 4096
"""That are kept, each about a kilobyte: the labels of a model with their probabilities."""


@functools.lru_cache(maxsize=8)
def font(size: int) -> Any:
    """Return Pillow's own font: no file of the system is needed."""
    return ImageFont.load_default(size)


def write(draw: Any, where: tuple[float, float], text: str, ink: str, size: int) -> None:
    """Write a line of text.

    Args:
        draw: Of Pillow.
        where: Upper left corner, (x, y).
        text: The line.
        ink: Its colour.
        size: Of the font.
    """
    left, top = where
    for word in text.split(" "):
        covered, width = _word(word, size)
        draw.bitmap((round(left), round(top)), covered, ink)
        left += width


@functools.lru_cache(maxsize=_WORDS)
def _word(word: str, size: int) -> tuple[Image.Image, float]:
    """Return how much of each pixel a word covers, and its width with the space after it."""
    _, _, right, bottom = font(size).getbbox(word)
    covered = Image.new("L", (max(1, round(right)), max(1, round(bottom))))
    ImageDraw.Draw(covered).text((0, 0), word, 255, font(size))
    return covered, font(size).getlength(f"{word} ")
