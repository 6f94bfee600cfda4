"""Checkpoints as `predict` and all others load them: what is in the archive, and the archive."""

from pathlib import Path

from mtl_dm.measuring.scoring import load_model
from tests import saved_models
from tests.fuzz.target import Read, Target, members


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    path = saved_models.save(folder)
    return members(path, lambda: load_model(path))


TARGET = Target(prepare)
