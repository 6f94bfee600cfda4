"""One training run from its configuration to its folder."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from absl import logging

from mtl_dm import data, processes
from mtl_dm.cards.trained import write_trained_card
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.models.counting import parameters_of
from mtl_dm.models.gradient_gate import openings
from mtl_dm.outputs import owned, require_writable
from mtl_dm.runs.record import claim_folder, plugins_named, write_record
from mtl_dm.training import assembly, fitting, stages
from mtl_dm.training.commands import command_of
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.judgement_words import verdict
from mtl_dm.training.resuming import Progress


def make_deterministic() -> None:
    """Make TensorFlow choose kernels whose result does not depend on timing.

    It cannot be undone, so programs call it, never the library.
    """
    tf.config.experimental.enable_op_determinism()


def train(config: TrainConfig, output: str | Path) -> MultiTaskModel:
    """Train as configured and leave checkpoints, logs and the record in `output`.

    Everything that can be wrong is checked before the first step. A run that was killed goes on
    after its last finished epoch and ends in the weights that it would have had.

    Args:
        config: What to train.
        output: Folder; it may hold an earlier start of the same run.

    Raises:
        ValueError: If the configuration is wrong or the folder holds another one's run.
        FileNotFoundError: If a data set or a relatedness file does not exist.
        OSError: If the disk is full.
    """
    folder = Path(output)
    require_writable(folder)
    assembly.check_names(config)
    with processes.main_first("data sets"):  # One process builds those that are not there.
        tasks = assembly.tasks_of(config)
        data.require_different(config.datasets, data_dir=config.data_dir)
        summary = assembly.summary_of(config, tasks)
        sources = assembly.sources_of(config, tasks)
        validation = assembly.validation_of(config, tasks)
        assembly.check_inputs(config, sources, validation)
        stage_configs = [config, *(part for _, part in config.stage_configs())]
        assembly.check_memory(sources, max(map(fitting.rows_on_host, stage_configs)))
        couplings = assembly.couplings_of(config, tasks)
    for line in summary.lines():
        logging.info("%s", line)
    for line in assembly.balancing_concerns_of(config, tasks):
        logging.warning("%s", line)
    with contextlib.ExitStack() as held, fitting.settings(config):
        shape = assembly.input_shape_of(sources[0])
        model = assembly.model_of(config, tasks, shape, couplings)
        for coupling in (each for each in model.couplings if isinstance(each, Coupling)):
            for line in assembly.concerns_of(config, coupling, tasks):
                logging.warning("%s", line)
        parts = stages.stages_of(config, sources)
        stages.check_stages(model, parts)  # Before a folder is claimed.
        if processes.is_main():
            held.enter_context(owned(folder))
            # Changed, a plugin may be another network: the run would go on with two of them.
            claim_folder(folder, {**config.to_dict(), **plugins_named()}, config.upgraded)
            for index, coupling in enumerate(model.couplings):
                # A kind of relation of a user's own need not write files.
                write = getattr(coupling.relation, "to_json", None)
                if write is not None:
                    write(folder / f"relatedness_{index}.json")
        done = stages.train_stages(model, parts, validation=validation, output=folder)
        if processes.is_main():
            _write_results(folder, config, summary, model, parts, done)
    return model


def _write_results(
    folder: Path,
    config: TrainConfig,
    summary: data.Summary,
    model: MultiTaskModel,
    parts: Sequence[stages.Stage],
    done: Sequence[Progress],
) -> None:
    for index, live in model.live_relatedness.items():
        live.value().to_json(folder / f"relatedness_{index}_learned.json")
    write_record(
        folder,
        config=config.to_dict(),
        annotated=summary.annotated,
        base_rates=summary.base_rates,
        history=stages.joined_history(done),
        seconds=sum(progress.seconds for progress in done),
        **judged_of(model),
        **({"gates": openings(model.gates)} if model.gates else {}),
        **({"stages": stages.record_of(parts, done)} if config.stages else {}),
    )
    write_trained_card(
        folder,
        model.tasks,
        backbone=config.backbone,
        parameters=parameters_of(model).total,
        validation=config.validation,
        command=command_of(config, str(folder)),
    )


def judged_of(model: MultiTaskModel) -> dict[str, Any]:
    """Return what the record says of couplings whose relatedness labels judge; empty without any.

    "confirmed" is the share of the table that they confirm, null where it came to no judging;
    "verdict" says it in words.
    """
    judged = [
        {
            "source": each.source,
            "target": each.target,
            "confirmed": live.confirmed,
            "verdict": verdict(live.confirmed),
        }
        for index, live in model.live_relatedness.items()
        if (each := model.couplings[int(index)]).trusts
    ]
    return {"judged": judged} if judged else {}
