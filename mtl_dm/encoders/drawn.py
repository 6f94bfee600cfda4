"""Encoders trained here on drawn faces: sources that need no download and no licence.

Each knows one thing of a face (expression, action units, who it is, attributes) and was never shown
a photo. The first use trains it, about a minute on one core, and leaves it in a folder.

Shapes: B images of a batch, D numbers of an embedding.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_dm.data.augmentation import change_images
from mtl_dm.files import expand_home, written_beside
from mtl_dm.models import BACKBONES
from mtl_dm.models.finite import require_finite
from mtl_dm.outputs import owned
from mtl_dm.synthetic import generate
from mtl_dm.synthetic.identities import COUNTS, generate_identities

SIDE, WIDTH, LAYER = 48, 128, "embedding"
FOLDER = "build/encoders"
REVISION = 1
"""Of how an encoder is drawn for and trained, but for what a `Recipe` says. Raise it with every
change after which the same recipe trains another: those of before are not taken up."""
DRAWN_SIDE = 64
"""Of a whole drawn head."""
_LEFT, _TOP = 8, 12
"""Where what is used of it begins: from above the brows to below the mouth, as in databases of
expressions, without most of the hair."""
_BATCH, _RATE, _SHIFT = 64, 1e-3, 0.08
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
"""Of red, green and blue, ITU-R BT.601."""


@dataclasses.dataclass(frozen=True)
class Knowledge:
    """What an encoder learns.

    Attributes:
        label: Name of the label in the examples.
        examples: Number of images and seed -> examples.
        classes: Whether a face has one of several; else each attribute is there or not.
    """

    label: str
    examples: Callable[[int, int], Iterator[dict[str, Any]]]
    classes: bool


def _faces(count: int, seed: int) -> Iterator[dict[str, Any]]:
    return generate("co_annotated", "train", count, DRAWN_SIDE, seed)


def _people(count: int, seed: int) -> Iterator[dict[str, Any]]:
    most = COUNTS["pretraining"]
    return generate_identities("pretraining", min(count, most), DRAWN_SIDE, seed)


KNOWLEDGE: Mapping[str, Knowledge] = {
    "expression": Knowledge("expression", _faces, True),
    "action_units": Knowledge("action_units", _faces, False),
    "identity": Knowledge("identity", _people, True),
    "attributes": Knowledge("attributes", _faces, False),
}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a drawn encoder is trained; part of its file's name.

    Args:
        images: How many, at most.
        epochs: Passes over them.
        seed: Of faces, weights and order.

    Raises:
        ValueError: If there are too few images for a batch, or no epoch.
    """

    images: int = 4000
    epochs: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if self.images < _BATCH or self.epochs < 1 or self.seed < 0:
            raise ValueError(
                f"A drawn encoder needs at least {_BATCH} images, 1 epoch and a seed of at least "
                f"0, got images={self.images}, epochs={self.epochs}, seed={self.seed}."
            )

    def file(self, name: str) -> str:
        """Return the file of an encoder that is trained so."""
        return f"{name}-{self.images}x{self.epochs}-seed{self.seed}-r{REVISION}.keras"


def drawn_encoder(name: str, folder: str | Path = FOLDER, recipe: Recipe = Recipe()) -> Path:
    """Return the file of an encoder, which is trained if it is not there.

    Args:
        name: One of `KNOWLEDGE`.
        folder: For the files.
        recipe: How it is trained.

    Raises:
        ValueError: If the name is unknown.
        OSError: If the folder cannot be written.
    """
    if name not in KNOWLEDGE:
        raise ValueError(f"Unknown drawn encoder {name!r}. Known: {', '.join(KNOWLEDGE)}.")
    path = Path(expand_home(str(folder))) / recipe.file(name)
    if path.is_file():
        return path
    # Two studies that begin at once train it once.
    with owned(path.parent, wait=True, deep=False):
        if not path.is_file():
            print(f"Training the drawn encoder {path} ...", flush=True)
            with written_beside(path) as written:
                trained(KNOWLEDGE[name], recipe).save(written)
    return path


def trained(knowledge: Knowledge, recipe: Recipe) -> keras.Model:
    """Return a compact CNN with an embedding and a head, trained on drawn faces.

    Half of the images of a batch lose their colour, for photos of many databases have none.

    Args:
        knowledge: What it learns.
        recipe: How.

    Raises:
        ValueError: If its weights are not finite in the end.
    """
    images, labels = _drawn(knowledge, recipe)
    keras.utils.set_random_seed(recipe.seed)
    outputs = int(labels.max()) + 1 if knowledge.classes else labels.shape[1]
    network = _network(outputs)
    losses = keras.losses
    kind = losses.SparseCategoricalCrossentropy if knowledge.classes else losses.BinaryCrossentropy
    size = min(_BATCH, len(images))
    steps = recipe.epochs * (len(images) // size)
    rate = keras.optimizers.schedules.CosineDecay(_RATE, steps)
    compiled = keras.Model(network.inputs[0], network.outputs[0])
    compiled.compile(keras.optimizers.Adam(rate), kind(from_logits=True), jit_compile=False)
    changed = tf.function(change_images)
    rng = np.random.default_rng(recipe.seed)
    for step, chosen in enumerate(itertools.islice(_batches(rng, len(images), size), steps)):
        batch = images[chosen].astype(np.float32) / 127.5 - 1.0
        batch[::2] = (batch[::2] @ _GREY)[..., None]
        draw = tf.constant(recipe.seed * 1_000_003 + step, tf.int64)
        compiled.train_on_batch(changed(batch, draw, _SHIFT).numpy(), labels[chosen])
    require_finite("The drawn encoder", network)
    return network


def _drawn(knowledge: Knowledge, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Return images, uint8 [N, S, S, 3], and labels, [N] of classes or [N, A]."""
    examples = list(knowledge.examples(recipe.images, recipe.seed))
    labels = np.stack([each[knowledge.label] for each in examples])
    kind = np.int64 if knowledge.classes else np.float32
    return np.stack([face_of(each["image"]) for each in examples]), labels.astype(kind)


def face_of(head: np.ndarray) -> np.ndarray:
    """Return what these encoders see of a drawn head, uint8 [48, 48, 3] of [64, 64, 3]."""
    return head[_TOP : _TOP + SIDE, _LEFT : _LEFT + SIDE]


def _network(outputs: int) -> keras.Model:
    trunk = BACKBONES.create("compact_cnn(dropout=0.2)", (SIDE, SIDE, 3))
    embedding = keras.layers.Dense(WIDTH, name=LAYER)(trunk.outputs[0])
    found = keras.layers.Dense(outputs, name="head")(keras.layers.ReLU()(embedding))
    return keras.Model(trunk.inputs[0], found)


def _batches(rng: np.random.Generator, count: int, size: int) -> Iterator[np.ndarray]:
    while True:
        yield from rng.permutation(count)[: count // size * size].reshape(-1, size)
