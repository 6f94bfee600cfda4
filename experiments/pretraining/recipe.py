"""What `small_faces` is trained on and how; nothing here is chosen on a test image.

FER2013's Training without the images that equal one of PublicTest, less a tenth that is held out
for the learning curve and the temperatures, and the measured images of LFW's training people; both
with expressions and facial movements, at 48 px in grey (`experiments.problems.real_faces_data`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from experiments.problems import facial_movements
from experiments.problems.facial_movements import MOVEMENTS, binary
from experiments.problems.facial_movements import thresholds as thresholds_of
from experiments.problems.real_faces_data import SIDE, Faces, RealFaces
from mtl_dm import data
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.models.backbones.pretrained import WIDTH
from mtl_dm.relatedness import from_annotations
from mtl_dm.tasks import EXPRESSIONS, Task
from mtl_dm.training import assembly
from mtl_dm.training.config import TrainConfig

SOURCES = ("FER2013 (Training)", "LFW (training people)")
SEED = 0
EPOCHS = 50
EXPRESSION = Task.multiclass("expression", EXPRESSIONS)
TASKS = (EXPRESSION, facial_movements.TASK)


class Photos(NamedTuple):
    """The photos by what they are for.

    Attributes:
        train: FER2013's, LFW's.
        held_out: A tenth of FER2013's Training.
        thresholds: [12], above which a movement is there, fixed on `train`.
    """

    train: tuple[Faces, Faces]
    held_out: Faces
    thresholds: np.ndarray


def photos_of(faces: RealFaces) -> Photos:
    """Return the photos of the recipe; what Table 2 keeps for counting trains here."""
    fer2013 = Faces(
        *(np.concatenate(pair) for pair in zip(faces.train, faces.co_annotated, strict=True))
    )
    train = (fer2013, faces.lfw_train)
    scores = np.concatenate([part.scores for part in train])
    return Photos(train, faces.held_out, thresholds_of(scores))


def config_of(epochs: int = EPOCHS, steps_per_epoch: int | None = None) -> TrainConfig:
    """Return the configuration of the training.

    Args:
        epochs: Over which the learning rate falls.
        steps_per_epoch: None: until every photo of FER2013 was seen.
    """
    return TrainConfig(
        datasets=SOURCES,
        tasks=tuple(task.name for task in TASKS),
        image_size=SIDE,
        backbone=f"small_resnet(width={WIDTH})",
        label_smoothing=0.1,
        batch_size=128,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        optimizer="adamw(weight_decay=0.05)",
        schedule="cosine(warmup=1)",
        learning_rate=2e-3,
        seed=SEED,
    )


def tasks_of(config: TrainConfig) -> tuple[Task, ...]:
    """Return the tasks with the options of the configuration."""
    return tuple(assembly.configured(task, config) for task in TASKS)


def source_of(faces: Faces, least: np.ndarray) -> tf.data.Dataset:
    """Return a source of grey images [48, 48, 1] in [-1, 1] with both tasks.

    Args:
        faces: The photos.
        least: Thresholds of the movements.
    """
    source = data.from_arrays(faces.images[..., None], labels_of(faces, least), TASKS)
    return source.map(_scaled, num_parallel_calls=tf.data.AUTOTUNE)


def labels_of(faces: Faces, least: np.ndarray) -> dict[str, np.ndarray]:
    """Return the labels of both tasks; -1 where one is missing."""
    return {"expression": faces.expression, "facial_movements": binary(faces.scores, least)}


def coupling_of(photos: Photos) -> Coupling:
    """Return the default coupling, P(movement | expression) counted on the training rows."""
    labels = [labels_of(part, photos.thresholds) for part in photos.train]
    table = from_annotations(
        *(np.concatenate([each[task.name] for each in labels]) for task in TASKS),
        classes=EXPRESSIONS,
        attributes=MOVEMENTS,
    )
    return Coupling(attributes=facial_movements.TASK.name, relatedness=table)


def model_of(config: TrainConfig, photos: Photos) -> MultiTaskModel:
    """Return the model to train; call it inside `fitting.settings(config)`."""
    return assembly.model_of(config, tasks_of(config), (SIDE, SIDE, 1), [coupling_of(photos)])


def _scaled(image: tf.Tensor, labels: Any, masks: Any) -> tuple[tf.Tensor, Any, Any]:
    # As `mtl_dm.data.network_input`, but of one channel: a third of the memory to shuffle.
    return tf.cast(image, tf.float32) / 127.5 - 1.0, labels, masks
