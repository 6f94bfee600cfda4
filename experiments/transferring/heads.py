"""MLPs on frozen features, and networks that are trained whole on a target.

Shapes: N images, D numbers of features, O outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np

from experiments.transferring.rows import Rows
from experiments.transferring.targets import CLASSES, PEOPLE, loss_of
from mtl_dm.distilling.pictures import network_inputs
from mtl_dm.distilling.student import BATCH, Training, train
from mtl_dm.fusing.autoencoder import perceptron
from mtl_dm.models.finite import require_finite

HIDDEN = 256
VALIDATION = 0.2
"""Share of the training rows that says when an MLP stops, and which source is the best."""
PATIENCE = 6
_BATCH = 64


class Head(NamedTuple):
    """A trained MLP.

    Attributes:
        network: From standardised features to outputs.
        mean: [D], of the training features.
        scale: [D], their standard deviation.
        error: Of the validation rows: of classes the share that is wrong, else the loss.
        epochs: That it was trained.
    """

    network: keras.Model
    mean: np.ndarray
    scale: np.ndarray
    error: float
    epochs: int

    def __call__(self, features: np.ndarray, layer: int = -1) -> np.ndarray:
        """Return outputs [N, O], or what an earlier layer gives."""
        outputs = self.network.layers[layer].output
        part = keras.Model(self.network.inputs[0], outputs)
        rows = ((features - self.mean) / self.scale).astype(np.float32)
        found = [part(rows[at : at + 1024], training=False) for at in range(0, len(rows), 1024)]
        return np.concatenate([keras.ops.convert_to_numpy(each) for each in found])


def fit_head(
    features: np.ndarray,
    labels: np.ndarray,
    kind: str,
    outputs: int,
    *,
    widths: Sequence[int] = (HIDDEN,),
    epochs: int,
    seed: int,
) -> Head:
    """Return an MLP trained on features, until a fifth of the rows is predicted no better.

    Args:
        features: [N, D].
        labels: Of the target.
        kind: Of the target.
        outputs: O.
        widths: Of the hidden layers.
        epochs: At most.
        seed: Of weights, order and validation rows.

    Raises:
        ValueError: If its weights are not finite in the end.
    """
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    rows = ((features - mean) / scale).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(rows))
    held = max(1, round(VALIDATION * len(rows)))
    inner, outer = order[held:], order[:held]
    keras.utils.set_random_seed(seed)
    network = perceptron("head", features.shape[1], [*widths, outputs])
    metrics = ["accuracy"] if kind in (CLASSES, PEOPLE) else []
    network.compile(keras.optimizers.Adam(1e-3), loss_of(kind), metrics=metrics, jit_compile=False)
    stop = keras.callbacks.EarlyStopping("val_loss", patience=PATIENCE, restore_best_weights=True)
    history = network.fit(
        rows[inner],
        labels[inner],
        batch_size=_BATCH,
        epochs=epochs,
        validation_data=(rows[outer], labels[outer]),
        callbacks=[stop],
        verbose=0,
    ).history
    require_finite("The head", network)
    best = int(np.argmin(history["val_loss"]))
    error = 1 - history["val_accuracy"][best] if metrics else history["val_loss"][best]
    return Head(network, mean, scale, float(error), len(history["loss"]))


def fine_tuned(
    backbone: keras.Model,
    images: np.ndarray,
    rows: Rows,
    kind: str,
    outputs: int,
    *,
    steps: int,
    seed: int,
    rectified: bool = False,
) -> keras.Model:
    """Return a network of a backbone and an MLP, all of it trained on a target.

    All training rows are learned from, shifted, mirrored and relit; `fit_head` has four fifths of
    them as they are.

    Args:
        backbone: From images to features; its weights are changed.
        images: All images, uint8.
        rows: To train on.
        kind: Of the target.
        outputs: O.
        steps: About so many, of 64 images.
        seed: Of the MLP, order and augmentation.
        rectified: Whether the MLP has the positive features alone, as a source's own head has. A
            student's are signed, as G's code less its mean is: half of them would be lost.
    """
    keras.utils.set_random_seed(seed)
    x = backbone.outputs[0]
    # Names of their own: those that Keras gives may be in a network that was loaded.
    if rectified:
        x = keras.layers.ReLU(name="target_relu")(x)
    x = keras.layers.Dense(HIDDEN, "relu", name="target_hidden")(x)
    found = keras.layers.Dense(outputs, name="target_outputs")(x)
    network = keras.Model(backbone.inputs[0], found)
    by_place = np.zeros((int(rows.places.max()) + 1, *rows.labels.shape[1:]), rows.labels.dtype)
    by_place[rows.places] = rows.labels
    epochs = max(1, round(steps * _BATCH / len(rows.places)))
    training = Training(epochs, _BATCH, seed=seed)
    train(network, loss_of(kind), images, lambda at: by_place[at], rows.places, training)
    return network


def outputs_for(network: keras.Model, images: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return what a network gives for some images, float32 [N, O]."""
    found = []
    for start in range(0, len(places), BATCH):
        part = network_inputs(images[places[start : start + BATCH]])
        found.append(keras.ops.convert_to_numpy(network(part, training=False)))
    return np.concatenate(found)
