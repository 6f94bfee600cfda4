"""What stands between a face and its label: pose, light, focus, noise, things in the way."""

from __future__ import annotations

import dataclasses
import functools

import cv2
import numpy as np

from mtl_dm.synthetic.canvas import Canvas, Colour, Pose, ellipse, mix, shift

OCCLUDERS = ("hand", "cloth", "bar")


@dataclasses.dataclass(frozen=True)
class Occluder:
    """Something in front of the face.

    Attributes:
        kind: One of `OCCLUDERS`.
        place: Its centre (x, y) in face coordinates.
        size: Its half length, share of the frame.
        angle: Its direction, radians.
        colour: Its colour.
    """

    kind: str
    place: tuple[float, float]
    size: float
    angle: float
    colour: Colour


@dataclasses.dataclass(frozen=True)
class Nuisance:
    """Everything in an image that is neither the person nor the expression.

    The defaults are a frontal, evenly lit, sharp, clean image.

    Attributes:
        pose: Pose of the head.
        gaze: Displacement of the irises (x, y), share of the frame.
        background: Two colours, above and below.
        light: Slope of the brightness (x, y) over the frame.
        gain: Factor on each of R, G, B.
        blur: Standard deviation of the blur, share of the frame.
        noise: Standard deviation of the noise, in grey levels.
        noise_seed: Seed of the noise.
        occluder: Something in front of the face, or None.
    """

    pose: Pose = dataclasses.field(default_factory=Pose)
    gaze: tuple[float, float] = (0.0, 0.0)
    background: tuple[Colour, Colour] = ((176.0, 190.0, 202.0), (140.0, 152.0, 166.0))
    light: tuple[float, float] = (0.0, 0.0)
    gain: Colour = (1.0, 1.0, 1.0)
    blur: float = 0.0
    noise: float = 0.0
    noise_seed: int = 0
    occluder: Occluder | None = None


def sample_nuisance(rng: np.random.Generator, strength: float = 1.0) -> Nuisance:
    """Return random nuisance.

    Args:
        rng: Source of randomness; the same state gives the same nuisance.
        strength: Factor on pose, light, blur, noise and the chance of an occluder; 0 none, 1 as
            in the data set.

    Raises:
        ValueError: If `strength` is outside [0, 2].
    """
    if not 0.0 <= strength <= 2.0:
        raise ValueError(f"strength must lie in [0, 2], got {strength}.")
    turns = strength * np.clip(rng.standard_normal(8), -2.2, 2.2)
    gain = float(np.exp(0.10 * turns[6] - 0.02)) * (1 + 0.03 * strength * rng.standard_normal(3))
    return Nuisance(
        pose=Pose(
            yaw=0.12 * turns[0],
            pitch=0.08 * turns[1],
            roll=0.05 * turns[2],
            scale=1.0 + strength * rng.uniform(-0.06, 0.05),
            shift=(0.010 * turns[3], 0.010 * turns[4]),
        ),
        gaze=(0.007 * turns[5], 0.003 * strength * rng.standard_normal()),
        background=(_muted(rng), _muted(rng)),
        light=(0.30 * strength * rng.uniform(-1, 1), 0.18 * strength * rng.uniform(-1, 1)),
        gain=_rgb(gain),
        blur=0.007 * strength * float(rng.beta(1.0, 2.0)),
        noise=9.0 * strength * float(rng.beta(1.0, 2.0)),
        noise_seed=int(rng.integers(1 << 31)),
        occluder=_sample_occluder(rng) if rng.random() < 0.12 * strength else None,
    )


def _muted(rng: np.random.Generator) -> Colour:
    """Return a colour close to grey: bright ones would outshine the face."""
    return _rgb(rng.uniform(40, 220) + rng.uniform(-28, 28, 3))


def _sample_occluder(rng: np.random.Generator) -> Occluder:
    kind = str(rng.choice(OCCLUDERS))
    place = (rng.uniform(0.22, 0.78), rng.uniform(0.30, 0.95))
    if kind == "cloth":
        place = (0.5 + rng.uniform(-0.1, 0.1), rng.uniform(1.02, 1.15))
    tone = rng.uniform(0, 1)
    skin = mix((245, 205, 175), (110, 75, 52), tone)
    colour = skin if kind == "hand" else _muted(rng)
    return Occluder(kind, place, rng.uniform(0.10, 0.20), rng.uniform(0, np.pi), colour)


def background(nuisance: Nuisance, side: int) -> np.ndarray:
    """Return the gradient behind the head, uint8 [side, side, 3]."""
    ends = np.clip(nuisance.background, 0, 255).astype(np.uint8)[:, None]
    return cv2.resize(ends, (side, side), interpolation=cv2.INTER_LINEAR)


def draw_occluder(canvas: Canvas, occluder: Occluder) -> None:
    """Draw something in front of the face."""
    x, y = occluder.place
    size = occluder.size
    along = np.array([np.cos(occluder.angle), np.sin(occluder.angle)])
    across = np.array([-along[1], along[0]])
    edge = mix(occluder.colour, (0, 0, 0), 0.3)
    if occluder.kind == "cloth":
        canvas.polygon(ellipse(x, y, 0.55, 0.15 + 1.2 * size, 24), occluder.colour)
        for step in (0.05, 0.12):
            canvas.line(ellipse(x, y + step, 0.5, 0.15 + 1.2 * size, 24), edge, 0.008, closed=True)
    elif occluder.kind == "bar":
        half, thick = along * 3 * size, across * 0.35 * size
        corners = shift([half + thick, half - thick, -half - thick, -half + thick], x, y)
        canvas.polygon(corners, occluder.colour)
        canvas.line(corners, edge, 0.006, closed=True)
    else:
        for finger in (-0.6, -0.2, 0.2, 0.6):
            root = np.array([x, y]) + across * finger * size
            canvas.line(np.stack([root, root - along * size]), edge, 0.38 * size + 0.012)
            canvas.line(np.stack([root, root - along * size]), occluder.colour, 0.38 * size)
        palm = ellipse(x, y, 0.8 * size, 0.8 * size) + along * 0.3 * size
        canvas.polygon(palm, occluder.colour)


@functools.lru_cache(maxsize=8)
def _ramps(size: int) -> tuple[np.ndarray, np.ndarray]:
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    return ramp[None, :, None], ramp[:, None, None]


def photograph(image: np.ndarray, nuisance: Nuisance) -> np.ndarray:
    """Return the image, uint8 [size, size, 3], under the given light, blur and noise."""
    size = len(image)
    if nuisance.blur * size > 0.25:
        image = cv2.GaussianBlur(image, (0, 0), nuisance.blur * size)
    across, down = _ramps(size)
    light = 1.0 + nuisance.light[0] * across + nuisance.light[1] * down
    lit = image * (np.maximum(light, 0.25) * np.array(nuisance.gain, np.float32))
    if nuisance.noise > 0:
        grain = np.random.default_rng(nuisance.noise_seed)
        lit += nuisance.noise * grain.standard_normal((size, size, 1), np.float32)
    return np.clip(lit, 0, 255, out=lit).astype(np.uint8)


def _rgb(values: np.ndarray) -> Colour:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
