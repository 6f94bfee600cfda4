"""Who is drawn: everything about a face that does not change with its expression."""

from __future__ import annotations

import dataclasses

import numpy as np

from mtl_dm.synthetic.canvas import Colour, mix

HAIR_STYLES = ("bald", "short", "side", "fringe", "curly", "long", "bob", "bun")
ATTRIBUTES = ("glasses", "beard", "long_hair", "bald", "grey_hair", "feminine", "aged")
"""Names of the recorded attributes, in the order of the label array."""

_SKINS: tuple[Colour, ...] = (
    (250, 220, 200), (241, 200, 170), (226, 180, 145), (205, 155, 118), (172, 122, 88),
    (135, 92, 65), (98, 66, 48),
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (28, 24, 24), (58, 38, 28), (96, 62, 38), (140, 92, 52), (205, 165, 100), (160, 70, 38),
)  # fmt: skip
_GREY: Colour = (190, 190, 192)
_EYES: tuple[Colour, ...] = ((72, 46, 28), (104, 70, 36), (92, 116, 70), (88, 128, 168))


@dataclasses.dataclass(frozen=True)
class Identity:
    """One person. Lengths are factors on the average face unless stated otherwise.

    Attributes:
        skin: Skin colour, RGB in [0, 255].
        hair: Hair colour.
        iris: Colour of the iris.
        cloth: Colour of the clothes.
        hair_style: One of `HAIR_STYLES`.
        hair_volume: How far hair stands off the skull, as a share of the frame.
        parting: Side of the parting, -1 to 1.
        face_width: Width of the head.
        jaw_width: Width of the jaw.
        chin_length: Length of the chin.
        eye_size: Size of the eyes.
        eye_spacing: Distance of the eyes.
        brow_weight: Thickness of the brows.
        brow_height: Resting height of the brows, added, share of the frame.
        brow_slant: Resting slant, added to the inner end and taken from the outer.
        nose_length: Length of the nose.
        nose_width: Width of the nose.
        mouth_width: Width of the mouth.
        lip_fullness: Thickness of the lips.
        mouth_curve: Resting height of the lip corners, added, share of the frame.
        lip_colour: Share of red in the lips, 0 to 1.
        age: 0 (young) to 1 (old): lines, pouches, grey hair.
        beard: Density of beard and moustache, 0 to 1.
        glasses: 0 none, 1 round, 2 square.
        freckles: Number of freckles.
        lopsided: How much stronger the face moves on the image's right, -1 to 1.
        feminine: Whether face, hair and lashes were drawn from the feminine ranges.
        texture: Seed of where freckles and strands of hair lie.
    """

    skin: Colour
    hair: Colour
    iris: Colour
    cloth: Colour
    hair_style: str
    hair_volume: float
    parting: float
    face_width: float
    jaw_width: float
    chin_length: float
    eye_size: float
    eye_spacing: float
    brow_weight: float
    brow_height: float
    brow_slant: float
    nose_length: float
    nose_width: float
    mouth_width: float
    lip_fullness: float
    mouth_curve: float
    lip_colour: float
    age: float
    beard: float
    glasses: int
    freckles: int
    lopsided: float
    feminine: bool
    texture: int

    @property
    def aged(self) -> bool:
        """Whether the age lines are plain to see."""
        return self.age > 0.6

    def attributes(self) -> np.ndarray:
        """Return int8 [7], 1 where the attribute named in `ATTRIBUTES` holds."""
        grey = min(self.hair) > 120 and max(self.hair) - min(self.hair) < 40
        held = {
            "glasses": self.glasses > 0,
            "beard": self.beard > 0.3,
            "long_hair": self.hair_style in ("long", "bob"),
            "bald": self.hair_style == "bald",
            "grey_hair": grey and self.hair_style != "bald",
            "feminine": self.feminine,
            "aged": self.aged,
        }
        return np.array([held[name] for name in ATTRIBUTES], np.int8)


def sample_identity(rng: np.random.Generator) -> Identity:
    """Return a random person; the same generator state gives the same person."""
    feminine = bool(rng.random() < 0.5)
    age = float(rng.beta(1.3, 1.8))
    skin = _between(rng, _SKINS)
    dark = sum(skin) < 440
    hair = _between(rng, _HAIRS[:3] if dark and rng.random() < 0.97 else _HAIRS)
    if age > 0.45:
        hair = mix(hair, _GREY, float(np.clip((age - 0.45) * 2.2 * rng.random() * 1.6, 0, 1)))
    factors = 1.0 + 0.085 * np.clip(rng.standard_normal(10), -2, 2)
    rest = np.clip(rng.standard_normal(3), -2, 2)
    return Identity(
        skin=skin,
        hair=hair,
        iris=_between(rng, _EYES[:2] if dark else _EYES),
        cloth=_colour(rng.integers(30, 225, 3)),
        hair_style=_hair_style(rng, feminine, age),
        hair_volume=float(rng.uniform(0.02, 0.06)),
        parting=float(rng.uniform(-1, 1)),
        face_width=float(np.clip(factors[0], 0.88, 1.1)) * (0.97 if feminine else 1.0),
        jaw_width=factors[1] * (0.93 if feminine else 1.06),
        chin_length=factors[2],
        eye_size=factors[3] * (1.06 if feminine else 0.97),
        eye_spacing=1.0 + 0.4 * (factors[4] - 1.0),
        brow_weight=factors[5] ** 2 * (0.8 if feminine else 1.15),
        brow_height=0.009 * rest[0] + (-0.006 if feminine else 0.004),
        brow_slant=0.007 * rest[1],
        nose_length=1.0 + 0.7 * (factors[6] - 1.0),
        nose_width=factors[7] * (0.93 if feminine else 1.04),
        mouth_width=factors[8],
        lip_fullness=factors[9] ** 2 * (1.12 if feminine else 0.92),
        mouth_curve=0.006 * rest[2],
        lip_colour=float(rng.uniform(0.3, 0.75) if feminine else rng.uniform(0.1, 0.35)),
        age=age,
        beard=0.0 if feminine or rng.random() < 0.6 else float(rng.uniform(0.2, 1.0)),
        glasses=int(rng.integers(1, 3)) if rng.random() < 0.2 else 0,
        freckles=int(rng.integers(8, 25)) if rng.random() < 0.1 else 0,
        lopsided=float(rng.uniform(-0.18, 0.18)),
        feminine=feminine,
        texture=int(rng.integers(1 << 31)),
    )


def _hair_style(rng: np.random.Generator, feminine: bool, age: float) -> str:
    if feminine:
        shares = [0.01, 0.10, 0.10, 0.12, 0.14, 0.27, 0.14, 0.12]
    else:
        shares = [0.10 + 0.2 * age, 0.30, 0.28, 0.10, 0.12, 0.06, 0.02, 0.02]
    return str(rng.choice(HAIR_STYLES, p=np.array(shares) / sum(shares)))


def _between(rng: np.random.Generator, palette: tuple[Colour, ...]) -> Colour:
    """Return a colour between two neighbours of the palette, slightly off."""
    place = rng.uniform(0, len(palette) - 1.001)
    first = int(place)
    blended = np.array(mix(palette[first], palette[first + 1], place - first))
    return _colour(blended * (1.0 + 0.03 * rng.standard_normal(3)))


def _colour(values: np.ndarray) -> Colour:
    red, green, blue = (float(value) for value in np.clip(values, 0, 255))
    return red, green, blue
