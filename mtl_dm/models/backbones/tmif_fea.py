"""TMIF-FEA: a static frame and up to four streams over a clip (Zhang et al., CVPRW 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
from keras import layers

from mtl_dm.models.backbones._contract import example, require_image, require_variant
from mtl_dm.models.backbones._inception_resnet_v1 import LEAST_SIDE, inception_resnet_v1
from mtl_dm.models.backbones._recurrence import ParallelGRU
from mtl_dm.models.backbones._sequences import (
    Present,
    PresentMean,
    SinusoidalPositions,
    ZeroMissing,
    attention_block,
    feed_forward_block,
    token_block,
)
from mtl_dm.models.backbones._weights import with_weights
from mtl_dm.models.backbones.compact_cnn import compact_cnn
from mtl_dm.models.backbones.normalization import GlobalBatchNormalization
from mtl_dm.streams import STREAMS, mask_of

WIDTH = 32
"""Length of the static token, of a stream's frames and of the features."""
HEADS = 4


class _Layout(NamedTuple):
    """How large the network is.

    Attributes:
        stacks: Bidirectional GRU stacks a stream; the last gives `WIDTH` numbers a frame.
        depth: GRUs of a stack.
        decoders: Cross-attention layers a stream.
        decoder_width: Hidden units of their feed-forward part.
        encoders: Layers over all streams.
        dropout: Of positions and of the encoder.
        momentum: Of the moving statistics.
    """

    stacks: int
    depth: int
    decoders: int
    decoder_width: int
    encoders: int
    dropout: float
    momentum: float


_PAPER = _Layout(2, 2, 2, 2048, 3, 0.5, 0.9)
_DEMO = _Layout(1, 1, 1, 64, 1, 0.1, 0.9)
_ENCODER_WIDTH = 16
_DECODER_DROPOUT = 0.1
_NARROW = {"embedding": 10}  # units of the first stack where they are not WIDTH / 2


def _shape(side: int, frames: int, names: Any = STREAMS) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"image": (side, side, 3)}
    for name in names:
        shapes |= {name: (frames, STREAMS[name]), mask_of(name): (frames,)}
    return shapes


_SMALL = _shape(16, 2, ("mfcc",))
_SOUND = ("mfcc", mask_of("mfcc"))


@example(
    _SMALL,
    refused=(
        (16, 16, 3),
        {"image": (16, 16, 3)},
        *({name: shape for name, shape in _SMALL.items() if name != gone} for gone in _SMALL),
        {**_SMALL, "sound": (2, 40)},
        {**_SMALL, "image": (8, 8, 3)},
        {**_SMALL, "mfcc": (2,)},
        {**_SMALL, "mfcc": (3, 40)},
        {**_shape(16, 3), **{name: _SMALL[name] for name in _SOUND}},
        {**_SMALL, "mfcc": (None, 40), mask_of("mfcc"): (None,)},
    ),
    exact={"dropout": 0.0},
    options={"variant": "demo"},
    source="code",
    sizes={"paper": _shape(112, 121), "demo": _shape(48, 9)},
)
def tmif_fea(
    input_shape: Mapping[str, Any],
    variant: str = "paper",
    dropout: float | None = None,
    weights: str = "none",
) -> keras.Model:
    """Return the network from a clip to features [B, 32].

    The image becomes one token: a face network, then a linear layer, tanh and batch
    normalisation. Every stream passes bidirectional GRUs and positions, and attends to itself and
    to the token. The streams, side by side, pass positions and an encoder; their mean over time,
    mapped like the image, is added to the token.

    Source: the authors' code (FuxiVirtualHuman/ABAW3_competition, `Multi_task_series_model_trans`).
    Parameters (paper): InceptionResnetV1 with its 512 features 23,482,624, the rest 1,424,384. The
    authors' code lists 21,376 more that have no effect: 4,480 in layers that it never runs, and
    16,896 in queries and keys of the attention to the token, whose weight is 1 whatever they are.

    Where this differs, or the source is silent:
        - Masks are ours: the authors know no missing frames. A frame that no stream has counts
          nowhere, and a clip without any has the image's features plus a constant.
        - The heads are the model's. The authors' chain of heads, action units to expressions to
          valence and arousal, is itself a coupling: `MultiTaskModel(chain=...)`, off by default.
        - Images are 224 px there; any side from 75 px is taken here. Their pretraining on
          VGGFace2 is not included.
        - Augmentation mirrors and shifts the image alone; coefficients and embedding stay those of
          the frame as it was filmed.
        - variant=demo has compact_cnn for the face network, one GRU layer and one decoder layer
          a stream and one encoder layer, with less dropout, for short runs.

    Args:
        input_shape: By name: "image" (height, width, 3), and for some of the streams of
            `mtl_dm.streams.STREAMS` (frames, numbers) and their mask (frames,), for all the same
            frames.
        variant: "paper" or "demo".
        dropout: One share for everything that is dropped in training; None: the source's.
        weights: none or the path of a file.

    Raises:
        ValueError: If `input_shape` lacks "image", has no stream or an unknown name, or shapes do
            not fit each other, the variant is unknown, or weights do not fit.
        FileNotFoundError: If there is no file of weights.
    """
    demo = require_variant("tmif_fea", variant)
    layout = _DEMO if demo else _PAPER
    shapes = _checked(input_shape, 16 if demo else LEAST_SIDE)
    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    streams = [name for name in STREAMS if name in inputs]
    outer = layout.dropout if dropout is None else dropout
    inner = _DECODER_DROPOUT if dropout is None else dropout

    token = _squashed(_face(shapes["image"], demo, dropout)(inputs["image"]), layout)
    present = {name: Present()(inputs[mask_of(name)]) for name in streams}
    parts = []
    moving = _recurrent({name: inputs[name] for name in streams}, present, layout)
    for name, x in moving.items():
        x = layers.Dropout(outer)(SinusoidalPositions()(x))
        x = _decoded(x, token, present[name], layout, inner)
        parts.append(ZeroMissing()(x, present[name]))
    x = layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    x = layers.Dropout(outer)(SinusoidalPositions()(x))
    anywhere = Present()(*(inputs[mask_of(name)] for name in streams))
    for _ in range(layout.encoders):
        x = attention_block(x, anywhere, HEADS, outer)
        x = feed_forward_block(x, _ENCODER_WIDTH, outer)
    clip = _squashed(PresentMean()(x, anywhere), layout)
    model = keras.Model(inputs, layers.Add()([token, clip]), name="tmif_fea")
    return with_weights(model, weights, "tmif_fea")


def _face(shape: tuple[int, ...], demo: bool, dropout: float | None) -> keras.Model:
    given: dict[str, Any] = {} if dropout is None else {"dropout": dropout}
    return compact_cnn(shape, **given) if demo else inception_resnet_v1(shape, **given)


def _squashed(x: Any, layout: _Layout) -> Any:
    x = layers.Dense(WIDTH, activation="tanh")(x)
    return GlobalBatchNormalization(momentum=layout.momentum, epsilon=1e-5)(x)


def _recurrent(sequences: dict[str, Any], present: dict[str, Any], layout: _Layout) -> Any:
    """Return the streams after their GRUs, [B, T, WIDTH] by name."""
    sequences = {name: ZeroMissing()(x, present[name]) for name, x in sequences.items()}
    for stack in range(layout.stacks):
        last = stack == layout.stacks - 1
        units = {name: WIDTH // 2 if last else _units(name) for name in sequences}
        for _ in range(layout.depth):
            # Those of equal width run together.
            for width in sorted(set(units.values())):
                names = [name for name in sequences if units[name] == width]
                found = ParallelGRU(width)(
                    [sequences[name] for name in names], [present[name] for name in names]
                )
                sequences |= dict(zip(names, found, strict=True))
    return sequences


def _units(name: str) -> int:
    return _NARROW.get(name, WIDTH // 2)


def _decoded(x: Any, token: Any, present: Any, layout: _Layout, dropout: float) -> Any:
    """Return a stream after it attended to itself and to the token of the image."""
    for _ in range(layout.decoders):
        x = attention_block(x, present, HEADS, dropout)
        x = token_block(x, token, dropout)
        x = feed_forward_block(x, layout.decoder_width, dropout)
    return x


def _checked(input_shape: Any, least: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all inputs.

    Raises:
        ValueError: If they are no clip.
    """
    if not isinstance(input_shape, Mapping) or "image" not in input_shape:
        raise _refused('a dictionary with "image"', input_shape)
    require_image("tmif_fea", input_shape["image"], least)
    names = [name for name in STREAMS if name in input_shape]
    unknown = set(input_shape) - {"image", *names, *map(mask_of, names)}
    if not names or unknown:
        known = ", ".join(STREAMS)
        what = f"an image and some streams of {known}, each with its mask, and nothing else"
        raise _refused(what, input_shape)
    shapes = {name: tuple(shape) for name, shape in input_shape.items()}
    frames = shapes[names[0]][0] if shapes[names[0]] else None
    for name in names:
        fits = len(shapes[name]) == 2 and None not in shapes[name] and shapes[name][0] == frames
        if not fits or shapes.get(mask_of(name)) != (frames,):
            what = f"{name!r} (frames, numbers) and {mask_of(name)!r} (frames,) of equal length"
            raise _refused(what, input_shape)
    return shapes


def _refused(what: str, input_shape: Any) -> ValueError:
    return ValueError(f"tmif_fea needs {what}, got input_shape {input_shape}.")
