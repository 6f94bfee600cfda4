"""Fixtures: drawn faces as built data sets, and a finished run on them."""

import types

import pytest

from mtl_dm.training import run
from mtl_dm.training.config import TrainConfig
from tests import built_faces, eagerly

_finished = {}


@pytest.fixture(scope="session")
def faces(tmp_path_factory):
    return str(built_faces.built_faces(tmp_path_factory))


@pytest.fixture(scope="session")
def finished(faces, tmp_path_factory):
    """A finished run: its configuration, folder and model; several conftests share one."""
    session = tmp_path_factory.getbasetemp()
    if session not in _finished:
        _finished[session] = _run(faces, tmp_path_factory.mktemp("finished"))
    return _finished[session]


def _run(faces, folder):
    config = TrainConfig(
        (built_faces.EXPRESSIONS_ONLY, built_faces.UNITS_ONLY),
        validation=f"{built_faces.ANNOTATED}:validation",
        data_dir=faces,
        image_size=16,
        relatedness="facs",
        matching_form="paper",
        co_annotation_form="paper",
        batch_size=8,
        epochs=2,
        steps_per_epoch=2,
    )
    with eagerly.steps():
        model = run.train(config, folder)
    return types.SimpleNamespace(config=config, folder=folder, model=model)
