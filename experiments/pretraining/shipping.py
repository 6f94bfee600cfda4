"""From a trained model to the files that are shipped: what predicts, and nothing of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from experiments.pretraining.half_precision import halve
from mtl_dm import faces
from mtl_dm.files import strict_json, write_atomically
from mtl_dm.measuring.calibration import fit_temperatures
from mtl_dm.measuring.scoring import load_model
from mtl_dm.measuring.temperatures import calibration_file
from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.models.backbones.aligned_grey import crop_of
from mtl_dm.runs.origin import fingerprint
from mtl_dm.runs.record import commit, versions
from mtl_dm.tasks import Task
from mtl_dm.training.checkpoints import save_model

INPUT = (faces.SIZE, faces.SIZE, 3)
LARGEST_DIFFERENCE = 0.05
"""Of a logit, between the trained model and the file: what float16 may change."""


def ship(trained: MultiTaskModel, path: Path) -> None:
    """Write the network of a trained model as a file that takes aligned faces.

    Couplings, balancing and the optimizer stay behind: they belong to the training.

    Args:
        trained: On grey images [48, 48, 1].
        path: Of the `.keras` file.

    Raises:
        ValueError: If the file gives other logits than the model, beyond rounding.
        OSError: If it cannot be written.
    """
    tasks = [Task(task.name, task.kind, task.labels) for task in trained.tasks]
    model = MultiTaskModel(BACKBONES.create("pretrained(weights=none)", INPUT), tasks)
    model(keras.ops.zeros((1, *INPUT)))
    model.backbone.set_weights(trained.backbone.get_weights())
    for name, head in model.heads.items():
        head.set_weights(trained.heads[name].get_weights())
    save_model(model, path)
    halve(path)
    _require_equal(trained, load_model(path))


def _require_equal(trained: MultiTaskModel, shipped: MultiTaskModel) -> None:
    images = np.random.default_rng(0).integers(0, 256, (8, *trained.backbone.input_shape[1:3]))
    given = trained(scaled(images)[..., None], training=False)
    found = shipped(scaled(framed(images)), training=False)
    for name, logits in given.items():
        difference = float(np.abs(np.asarray(logits) - np.asarray(found[name])).max())
        if not difference <= LARGEST_DIFFERENCE:
            raise ValueError(f"The file's logits of {name} differ by {difference:.3g}.")


def framed(images: np.ndarray) -> np.ndarray:
    """Return grey images of 48 px as aligned faces, uint8 [N, 112, 112, 3].

    They are put, every pixel four times, where `AlignedGrey` will cut them out again, pixel for
    pixel; the rest, which nobody sees, is black.

    Args:
        images: Integers [N, 48, 48] in 0 to 255.
    """
    left, top, right, bottom = crop_of(faces.SIZE)
    found = np.zeros((len(images), *INPUT), np.uint8)
    found[:, top:bottom, left:right] = np.repeat(np.repeat(images, 2, 1), 2, 2)[..., None]
    return found


def scaled(images: np.ndarray) -> np.ndarray:
    """Return images as a network sees them, float32 in [-1, 1]."""
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def calibrate(path: Path, held_out: tf.data.Dataset, name: str) -> dict[str, Any]:
    """Fit the temperatures of a shipped file, write them beside it and return them.

    Args:
        path: The file.
        held_out: Aligned faces (image, labels, masks) that train nothing and test nothing.
        name: What they are called.
    """
    fitted = fit_temperatures(load_model(path), held_out)
    content = {
        "checkpoint": path.name,
        "sha256": fingerprint(path),
        "fitted_on": name,
        "tasks": fitted,
        "commit": commit(),
        "versions": versions(),
    }
    write_atomically(calibration_file(path), strict_json(content))
    return fitted
