"""ResNet-50 in pieces, for networks in which tasks take ways of their own through shared layers.

As torchvision has it: convolutions without bias, the stride of a stage on its first 3 x 3
convolution; 23,508,032 trainable parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from keras import layers

EXPANSION = 4
MOMENTUM, EPSILON = 0.9, 1e-5
"""Of normalisations: as torchvision's."""

Normalise = Callable[[Any, str], Any]
"""Normalises what a convolution gave; the name is that of the convolution."""


class Size(NamedTuple):
    """How large a network is.

    Attributes:
        channels: Of the first convolution and inside the first stage; doubled in each later one.
        repeats: Blocks of each stage.
        strides: Of each stage.
    """

    channels: int
    repeats: tuple[int, ...]
    strides: tuple[int, ...]


PAPER = Size(64, (3, 4, 6, 3), (1, 2, 2, 2))
DEMO = Size(16, (1, 1, 2, 1), (1, 2, 2, 1))


class Block(NamedTuple):
    """One residual block.

    Attributes:
        name: Prefix of its layers.
        channels: Inside; EXPANSION times as many leave it.
        strides: Of its 3 x 3 convolution.
        projects: Whether its shortcut is a convolution.
    """

    name: str
    channels: int
    strides: int
    projects: bool


def blocks_of(size: Size) -> list[Block]:
    """Return the blocks of a network in their order."""
    return list(_blocks(size))


def _blocks(size: Size) -> Iterator[Block]:
    for stage, (repeats, strides) in enumerate(zip(size.repeats, size.strides, strict=True)):
        for place in range(repeats):
            name = f"stage{stage + 1}_block{place + 1}"
            yield Block(name, size.channels * 2**stage, 1 if place else strides, not place)


class SharedLayers:
    """Makes a layer when its name is first asked for, and gives it out again after that."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __call__(self, name: str, kind: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Return the layer called `name`.

        Args:
            name: Of the layer.
            kind: Makes it.
            *args: For `kind`.
            **options: Likewise.
        """
        if name not in self._made:
            self._made[name] = kind(*args, name=name, **options)
        return self._made[name]


def stem(shared: SharedLayers, images: Any, size: Size, normalise: Normalise) -> Any:
    """Return a map of a quarter of the images' size."""
    x = _convolved(shared, images, "stem", size.channels, 7, 2, normalise)
    x = shared("stem_relu", layers.ReLU)(x)
    return shared("stem_pool", layers.MaxPooling2D, 3, strides=2, padding="same")(x)


def shortcut(shared: SharedLayers, x: Any, block: Block, normalise: Normalise) -> Any:
    """Return what a block adds to: its input, or a projection of it."""
    if not block.projects:
        return x
    filters = EXPANSION * block.channels
    return _convolved(shared, x, f"{block.name}_shortcut", filters, 1, block.strides, normalise)


def residual(shared: SharedLayers, x: Any, block: Block, normalise: Normalise) -> Any:
    """Return what a block adds."""
    plans: Sequence[tuple[str, int, int, int]] = (
        ("reduce", block.channels, 1, 1),
        ("conv", block.channels, 3, block.strides),
        ("increase", EXPANSION * block.channels, 1, 1),
    )
    for part, filters, side, strides in plans:
        name = f"{block.name}_{part}"
        if part != "reduce":
            x = shared(f"{name}_relu", layers.ReLU)(x)
        x = _convolved(shared, x, name, filters, side, strides, normalise)
    return x


def added(shared: SharedLayers, block: Block, short: Any, inner: Any) -> Any:
    """Return relu(shortcut + residual)."""
    both = shared(f"{block.name}_add", layers.Add)([short, inner])
    return shared(f"{block.name}_out", layers.ReLU)(both)


def _convolved(
    shared: SharedLayers,
    x: Any,
    name: str,
    filters: int,
    side: int,
    strides: int,
    normalise: Normalise,
) -> Any:
    options = {"strides": strides, "padding": "same", "use_bias": False}
    start = "he_normal"
    convolution = shared(name, layers.Conv2D, filters, side, kernel_initializer=start, **options)
    return normalise(convolution(x), name)
