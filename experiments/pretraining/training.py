"""The training of the recipe, which goes on where it was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.pretraining.recipe import Photos, model_of, source_of
from experiments.problems.real_faces import identity
from experiments.problems.real_faces_data import RealFaces
from mtl_dm.models import MultiTaskModel
from mtl_dm.runs.record import claim_folder
from mtl_dm.training import fitting
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.resuming import Progress


def train(
    config: TrainConfig, photos: Photos, faces: RealFaces, folder: Path
) -> tuple[MultiTaskModel, Progress]:
    """Return the model with its last weights, and how it got there.

    Args:
        config: Of `recipe.config_of`.
        photos: To train on and to look at after each epoch.
        faces: What they were taken of; a folder of other photos is not gone on with.
        folder: For checkpoints, states and TensorBoard logs.

    Raises:
        ValueError: If the folder holds another training.
        OSError: If the disk is full.
    """
    record: dict[str, Any] = {**config.to_dict(), "data": identity(faces)}
    claim_folder(folder, record)
    with fitting.settings(config):
        model = model_of(config, photos)
        sources = [source_of(part, photos.thresholds) for part in photos.train]
        held_out = source_of(photos.held_out, photos.thresholds)
        progress = fitting.fit(model, sources, config, validation=held_out, output=folder)
    return model, progress
