"""One training run from its configuration to its folder."""

from __future__ import annotations

import time
from pathlib import Path

import tensorflow as tf
from absl import logging

from mtl_dm.models import MultiTaskModel
from mtl_dm.training import assembly, fitting
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.record import claim_folder, write_record


def make_deterministic() -> None:
    """Make TensorFlow choose kernels whose result does not depend on timing.

    It cannot be undone, so programs call it, never the library.
    """
    tf.config.experimental.enable_op_determinism()


def train(config: TrainConfig, output: str | Path) -> MultiTaskModel:
    """Train as configured and leave checkpoints, logs and the record in `output`.

    Everything that can be wrong is checked before the first step.

    Args:
        config: What to train.
        output: Folder; it may hold an earlier run of the same configuration, which is replaced.

    Raises:
        ValueError: If the configuration is wrong or the folder holds another one's run.
        FileNotFoundError: If a data set or a relatedness file does not exist.
    """
    started = time.perf_counter()
    tasks = assembly.tasks_of(config)
    summary = assembly.summary_of(config, tasks)
    for line in summary.lines():
        logging.info("%s", line)
    sources = assembly.sources_of(config, tasks)
    validation = assembly.validation_of(config, tasks)
    with fitting.settings(config):
        model = assembly.model_of(config, tasks, tuple(sources[0].element_spec[0].shape))
        folder = claim_folder(output, config.to_dict())
        for index, coupling in enumerate(model.couplings):
            coupling.relatedness.to_json(folder / f"relatedness_{index}.json")
        history = fitting.fit(model, sources, config, validation=validation, output=folder)
    write_record(
        folder,
        config=config.to_dict(),
        annotated=summary.annotated,
        base_rates=summary.base_rates,
        history=history.history,
        seconds=time.perf_counter() - started,
    )
    return model
