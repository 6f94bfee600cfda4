"""The whole work on one image: bytes in, JPEG and findings out. Every runner calls this."""

from __future__ import annotations

import dataclasses

import cv2

from mtl_dm import faces

UNDETECTED = ("skip", "centre-crop")
"""What to do with an image that can be read and shows no (matching) face."""


MAX_SIZE = 4096
"""Side of an aligned face: no photo shows one as large."""


@dataclasses.dataclass(frozen=True)
class Options:
    """How images are aligned; another choice gives other files.

    Args:
        size: Side of the aligned faces.
        sides: Long sides at which a face is looked for, in turn.
        min_score: What a face must score.
        undetected: One of `UNDETECTED`.
        quality: Of the JPEG files.

    Raises:
        ValueError: If a value is out of range.
    """

    size: int = faces.SIZE
    sides: tuple[int, ...] = faces.SIDES
    min_score: float = faces.MIN_SCORE
    undetected: str = "skip"
    quality: int = 95

    def __post_init__(self) -> None:
        if not 8 <= self.size <= MAX_SIZE:
            raise ValueError(f"--size must be between 8 and {MAX_SIZE:,}, not {self.size}.")
        if not self.sides or min(self.sides) < 32:
            raise ValueError(f"--sides must be numbers from 32 on, not {self.sides}.")
        if not 0 < self.min_score <= 1:
            raise ValueError(f"--min_score must be in (0, 1], not {self.min_score}.")
        if self.undetected not in UNDETECTED:
            raise ValueError(
                f"--undetected must be one of {', '.join(UNDETECTED)}, not {self.undetected!r}."
            )
        if not 1 <= self.quality <= 100:
            raise ValueError(f"--quality must be in [1, 100], not {self.quality}.")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one image gave.

    Args:
        jpeg: The picture to write, if there is one.
        face: The face in it, if there is one.
        found: How many faces there are.
        reason: Why there is no face.
    """

    jpeg: bytes | None = None
    face: faces.Face | None = None
    found: int = 0
    reason: str | None = None


def align_image(
    data: bytes, box: faces.Box | None, engine: faces.Engine, options: Options
) -> Outcome:
    """Return the aligned face of an encoded image, or why there is none.

    Args:
        data: Content of the file.
        box: The annotated face, in pixels of the upright image; None: the face closest to the
            centre of the image is meant.
        engine: The detector.
        options: How.
    """
    try:
        image, scale = faces.decode_scaled(data)
    except ValueError as error:
        return Outcome(reason=str(error))
    height, width = image.shape[:2]
    if box is not None:
        left, top, right, bottom = box
        box = left / scale, top / scale, right / scale, bottom / scale

    def meant(found: list[faces.Face]) -> list[faces.Face]:
        face = faces.choose(found, width, height, box)
        return [] if face is None else [face]

    chosen, found = faces.find(image, engine, options.sides, options.min_score, meant)
    if not chosen:
        reason = f"none of {found} face(s) is in the annotated box" if found else "no face"
        crop = None
        if options.undetected == "centre-crop":
            crop = _jpeg(faces.centre_crop(image, options.size, box), options.quality)
        return Outcome(crop, None, found, reason)
    picture = faces.align(image, chosen[0].landmarks, options.size)
    return Outcome(_jpeg(picture, options.quality), chosen[0].magnified(scale), found)


def _jpeg(picture: faces.Image, quality: int) -> bytes:
    blue_first = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"OpenCV cannot write a JPEG of shape {picture.shape}.")
    return encoded.tobytes()
