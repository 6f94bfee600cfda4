"""Training the student: images in, the teacher's embeddings as what they should give.

Shapes: B images of a batch, D numbers of the common embedding, N of all sources.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_dm.data.augmentation import change_images
from mtl_dm.distilling.pictures import network_inputs
from mtl_dm.losses.cosine import cosine_distance

Targets = Callable[[np.ndarray], np.ndarray]
"""Places -> what the network should give for these images."""
BATCH = 256
"""Images a batch where nothing is trained."""


@dataclasses.dataclass(frozen=True)
class Training:
    """How a student is trained.

    Args:
        epochs: Passes over the images.
        batch_size: Images a step.
        learning_rate: Of Adam; it falls to 0 along a cosine.
        shift: Of augmentation: largest shift as a part of a side, with mirrored and relit images.
        seed: Of order and augmentation.

    Raises:
        ValueError: If a number is not above 0, or the shift outside [0, 0.5).
    """

    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 1e-3
    shift: float = 0.08
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}.")
        if not 0 <= self.shift < 0.5:
            raise ValueError(f"shift must lie in [0, 0.5), got {self.shift}.")


def train(
    network: keras.Model,
    loss: Any,
    stored: np.ndarray,
    targets: Targets,
    places: np.ndarray,
    training: Training,
    noted: Callable[[int, float], object] = lambda epoch, loss: None,
) -> list[float]:
    """Train a network on some images; return the mean loss of each epoch.

    Args:
        network: From images [B, S, S, 3] in [-1, 1] to what `targets` gives.
        loss: Of Keras, or a function (wanted, found) -> [B].
        stored: All images, uint8 [R, S, S, 3].
        targets: What the network should give.
        places: Of the images to train on.
        training: How.
        noted: Called with epoch, from 1, and loss.

    Raises:
        ValueError: If a loss is no finite number.
    """
    size = min(training.batch_size, len(places))
    steps = len(places) // size
    rate = keras.optimizers.schedules.CosineDecay(training.learning_rate, training.epochs * steps)
    # The state of the optimizer stays here: it would be three times the student's file.
    trained = keras.Model(network.inputs, network.outputs[0])
    trained.compile(keras.optimizers.Adam(rate), loss, jit_compile=False)
    order, losses, number = np.random.default_rng(training.seed), [], 0
    changed = tf.function(change_images)
    for epoch in range(1, training.epochs + 1):
        found = []
        for chosen in order.permutation(places)[: steps * size].reshape(steps, size):
            chosen = np.sort(chosen)  # Files are read from front to back.
            draw = tf.constant(training.seed * 1_000_003 + number, tf.int64)
            images = changed(network_inputs(stored[chosen]), draw, training.shift).numpy()
            found.append(float(trained.train_on_batch(images, targets(chosen))))
            number += 1
        losses.append(float(np.mean(found)))
        if not np.isfinite(losses[-1]):
            raise ValueError(f"The loss of the student is {losses[-1]} in epoch {epoch}.")
        noted(epoch, losses[-1])
    return losses


def agreement(
    network: keras.Model,
    stored: np.ndarray,
    targets: Targets,
    places: np.ndarray,
    fitted: np.ndarray,
) -> tuple[float, float]:
    """Return the mean cosine of what a network gives and what it should give, and a constant's.

    The constant is the mean of a / |a| over the fitted targets a: of all that give every image the
    same, it has the largest mean cosine there.

    Args:
        network: From images to embeddings.
        stored: All images, uint8 [R, S, S, 3].
        targets: What it should give, [B, D].
        places: Of the images to look at, BATCH at a time.
        fitted: Of the images that were trained on.
    """
    always = sum(_directions(targets(part)).sum(axis=0) for part in _in_parts(fitted))
    sums = np.zeros(2)
    for part in _in_parts(places):
        wanted = targets(part)
        found = network(network_inputs(stored[part]), training=False)
        constant = np.tile(always, (len(part), 1)).astype(np.float32)
        for place, each in enumerate((found, constant)):
            distance = cosine_distance(wanted, keras.ops.convert_to_tensor(each))
            sums[place] += keras.ops.convert_to_numpy(1.0 - distance).sum()
    cosine, of_constant = (sums / len(places)).tolist()
    return cosine, of_constant


def _in_parts(places: np.ndarray) -> list[np.ndarray]:
    return [places[start : start + BATCH] for start in range(0, len(places), BATCH)]


def _directions(rows: np.ndarray) -> np.ndarray:
    """Return rows of length 1, float64; one of length 0 stays."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)


def through(student: keras.Model, decoder: keras.Model) -> keras.Model:
    """Return the control E_MT: a student and a decoder that restores the sources, as one network.

    Vielzeuf et al. 2019, section 3.4, train both at once to give the sources' embeddings.

    Args:
        student: Images -> [B, D].
        decoder: [B, D] -> [B, N].
    """
    return keras.Model(student.inputs, decoder(student.outputs[0]), name="student_and_decoder")
