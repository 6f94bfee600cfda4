"""Streams of a drawn clip: what a face model, an embedding, sound and words would say of it.

A clip of T frames goes from neutral to the apex, its centre, and back. Every number follows from
what the face does at that frame, through matrices that the seed alone fixes, plus noise:

- coefficients [T, 50]: linear in the action units, plus the person's own offset that lasts the
  whole clip, so that only the change over the clip is clean;
- embedding [T, 16]: a squashed linear function of the action units, with the same kind of offset;
- mfcc [T, 40]: linear in valence and arousal and in a tone of the expression, plus noise that
  goes on from frame to frame; the whole stream is missing now and then, as where nobody speaks;
- words [T, 50]: a word lasts some frames and is now and then one that goes with the expression;
  frames between words have no vector.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from mtl_dm.streams import STREAMS
from mtl_dm.synthetic.affect import checked_seed
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS

CLIP_LENGTH = 9
"""Frames of a drawn clip."""

_OWN_WORDS = 8  # words that go with an expression
_FITTING = 0.4  # share of words chosen among these
_ABSENT = 0.25  # share of clips without sound, and of clips without words
_CUT = 0.2  # share of clips whose recording begins or ends within the window

Stream = tuple[np.ndarray, np.ndarray]
"""Values float32 [T, D] and mask float32 [T]; values are 0 where the mask is."""


@dataclasses.dataclass(frozen=True, eq=False)
class StreamModel:
    """How the streams depend on the face, for one seed.

    Attributes:
        coefficients: [17, 50].
        embedding: [17, 16].
        affect: [2, 40].
        tone: [7, 40].
        vocabulary: [7 * own words, 50], those of an expression in a row.
    """

    coefficients: np.ndarray
    embedding: np.ndarray
    affect: np.ndarray
    tone: np.ndarray
    vocabulary: np.ndarray


@functools.lru_cache(maxsize=8)
def stream_model(seed: int) -> StreamModel:
    """Return the model of one seed.

    Raises:
        ValueError: If `seed` is negative.
    """
    checked_seed(seed)
    rng = np.random.default_rng([seed, 0xC11B5])
    units, classes = len(ACTION_UNITS), len(EXPRESSIONS)
    return StreamModel(
        rng.normal(size=(units, STREAMS["coefficients"])) / 4,
        rng.normal(size=(units, STREAMS["embedding"])) / 2,
        rng.normal(size=(2, STREAMS["mfcc"])) / 2,
        rng.normal(size=(classes, STREAMS["mfcc"])) / 3,
        rng.normal(size=(classes * _OWN_WORDS, STREAMS["words"])) / 2,
    )


def sample_strengths(rng: np.random.Generator, length: int = CLIP_LENGTH) -> np.ndarray:
    """Return how far the expression has come at each frame, [T] in [0, 1]: 1 at the centre.

    It rises and falls smoothly, each in its own time, so that both ends are close to neutral.
    """
    centre = (length - 1) / 2
    rise, fall = rng.uniform(0.5, 1.1, size=2) * max(centre, 1)
    away = np.arange(length) - centre
    distance = np.clip(np.where(away < 0, -away / rise, away / fall), 0, 1)
    return 0.5 + 0.5 * np.cos(np.pi * distance)


def sample_streams(
    expression: int,
    intensities: np.ndarray,
    valence_arousal: np.ndarray,
    rng: np.random.Generator,
    seed: int = 0,
    length: int = CLIP_LENGTH,
) -> dict[str, Stream]:
    """Return the four streams of a clip.

    Args:
        expression: Class id at the apex.
        intensities: [17] of the action units at the apex.
        valence_arousal: [2] at the apex.
        rng: Source of all randomness.
        seed: Of the matrices.
        length: T.

    Raises:
        ValueError: If `seed` is negative.
    """
    model = stream_model(seed)
    strengths = sample_strengths(rng, length)[:, None]
    moving = strengths * intensities
    sound = strengths * (valence_arousal @ model.affect + model.tone[expression])
    inside = _inside(rng, length)
    spoken, words = _words(model, expression, rng, length)
    values = {
        "coefficients": moving @ model.coefficients + _noise(rng, length, 50, 0.4, 0.4),
        "embedding": np.tanh(moving @ model.embedding + _noise(rng, length, 16, 0.3, 0.4)),
        "mfcc": sound + _lasting(rng.normal(size=(length, 40))),
        "words": words,
    }
    masks = {
        "coefficients": inside,
        "embedding": inside,
        "mfcc": inside * (rng.random() >= _ABSENT),
        "words": inside * spoken * (rng.random() >= _ABSENT),
    }
    return {
        name: ((values[name] * masks[name][:, None]).astype(np.float32), masks[name])
        for name in STREAMS
    }


def _noise(
    rng: np.random.Generator, length: int, size: int, person: float, frame: float
) -> np.ndarray:
    """Return noise [T, D]: an offset of the whole clip and what each frame adds."""
    return person * rng.normal(size=size) + frame * rng.normal(size=(length, size))


def _lasting(drawn: np.ndarray, memory: float = 0.7) -> np.ndarray:
    """Return noise [T, D] of variance 1 of which each frame keeps a part of the one before."""
    kept = drawn.copy()
    for place in range(1, len(drawn)):
        kept[place] = memory * kept[place - 1] + np.sqrt(1 - memory**2) * drawn[place]
    return kept


def _words(
    model: StreamModel, expression: int, rng: np.random.Generator, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return whether a word is spoken at each frame, [T], and its vector, [T, 50]."""
    spoken = np.zeros(length, np.float32)
    vectors = np.zeros((length, model.vocabulary.shape[1]))
    start = 0
    while start < length:
        end = start + int(rng.integers(2, 4))
        own = expression * _OWN_WORDS + int(rng.integers(_OWN_WORDS))
        word = own if rng.random() < _FITTING else int(rng.integers(len(model.vocabulary)))
        spoken[start:end], vectors[start:end] = 1, model.vocabulary[word]
        start = end + int(rng.integers(0, 2))
    return spoken, vectors


def _inside(rng: np.random.Generator, length: int) -> np.ndarray:
    """Return which frames of the window the recording has, [T]; the centre is always one."""
    inside = np.ones(length, np.float32)
    if rng.random() < _CUT and length > 2:
        cut = int(rng.integers(1, (length - 1) // 2 + 1))
        inside[slice(None, cut) if rng.random() < 0.5 else slice(-cut, None)] = 0
    return inside
