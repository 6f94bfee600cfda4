"""Training on several built databases at once, each annotated for another task."""

import json
from pathlib import Path

import numpy as np
import pytest

from data_prep.build import build
from mtl_dm import datasets
from mtl_dm.measuring import scoring
from mtl_dm.training import run
from mtl_dm.training.config import TrainConfig
from tests.built_faces import ANNOTATED, UNITS_ONLY
from tests.datasets import fakes

pytestmark = pytest.mark.usefixtures("eager")

AFFECTNET, EMOTIONET = "affectnet/manual", "emotionet/manual"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder that holds a tiny AffectNet (expressions) and a tiny EmotioNet (action units)."""
    folder = tmp_path_factory.mktemp("several")
    for name in (AFFECTNET, EMOTIONET):
        database = name.partition("/")[0]
        layout = next(each for each in fakes.layouts(database).values() if each.config == "manual")
        source = layout.write(folder / "raw" / database)
        build(datasets.make_builder(name, folder / "built", source), source, folder / "built")
    return str(folder / "built")


def config(built, **changes):
    return TrainConfig(
        (f"{AFFECTNET}:train", EMOTIONET),
        data_dir=built,
        image_size=16,
        batch_size=8,
        epochs=1,
        steps_per_epoch=2,
    ).replace(**changes)


@pytest.fixture(scope="module")
def trained(built, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    run.train(config(built, shares=(1.0, 1.0), relatedness="facs"), folder)
    return folder


def test_both_tasks_learn(trained):
    record = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    # Every AffectNet training image has an expression, every fake of EmotioNet an action unit.
    assert record["annotated"] == {"expression": 8, "action_units": 5}
    for term in ("expression", "action_units", "distribution_matching", "soft_co_annotation"):
        (loss,) = record["history"][f"{term}_loss"]
        assert np.isfinite(loss), term
        assert loss > 0, term


def test_units_that_no_source_annotates_have_no_rate(trained):
    record = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    rates = record["base_rates"]["action_units"]
    assert rates["AU12"] is not None
    # EmotioNet reads the 11 units of the challenge.
    assert [unit for unit, rate in rates.items() if rate is None] == [
        "AU7",
        "AU10",
        "AU11",
        "AU15",
        "AU23",
        "AU24",
    ]


def test_each_task_is_measured_where_it_is_annotated(trained, built, tmp_path, capsys):
    names = [f"{AFFECTNET}:validation", EMOTIONET]
    scoring.score(str(trained / "last.keras"), names, built, tmp_path)
    found = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    assert {name: set(tasks) for name, tasks in found.items()} == {
        names[0]: {"expression"},
        EMOTIONET: {"action_units"},
    }


def test_validation_on_one_of_the_tasks(built, tmp_path):
    run.train(config(built, validation=f"{AFFECTNET}:validation"), tmp_path)
    history = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["history"]
    assert history["val_expression_loss"][0] > 0
    assert "val_action_units_loss" not in history or not history["val_action_units_loss"][0]
    assert (tmp_path / "best.keras").is_file()


def test_images_of_no_size_of_their_own_need_one(built, tmp_path):
    with pytest.raises(ValueError, match="image_size must be given"):
        run.train(config(built, image_size=None), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def fer2013(faces, tmp_path_factory):
    """The folder of FER2013 (48 px) and the synthetic faces (64 px)."""
    folder = tmp_path_factory.mktemp("fer2013")
    (folder / "synthetic_faces").symlink_to(Path(faces) / "synthetic_faces")
    source = next(iter(fakes.layouts("fer2013").values())).write(folder / "raw")
    build(datasets.make_builder("fer2013", folder, source), source, folder)
    return str(folder)


def test_sizes_that_differ_are_named(fer2013, tmp_path):
    sets = TrainConfig(("fer2013:train", UNITS_ONLY), data_dir=fer2013, steps_per_epoch=1)
    message = f"fer2013:train 48 x 48, {UNITS_ONLY} 64 x 64. Give image_size."
    with pytest.raises(ValueError, match=message):
        run.train(sets, tmp_path / "out")
    # Validation counts too: it would fail only after the first epoch.
    sets = sets.replace(
        datasets=("fer2013:train",), tasks=("expression",), validation=f"{ANNOTATED}:validation"
    )
    with pytest.raises(ValueError, match=f"{ANNOTATED}:validation 64 x 64. Give image_size."):
        run.train(sets, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_size_for_all(fer2013, tmp_path):
    sets = TrainConfig(
        ("fer2013:train", UNITS_ONLY),
        data_dir=fer2013,
        image_size=16,
        shares=(1.0, 1.0),
        batch_size=8,
        epochs=1,
        steps_per_epoch=2,
    )
    run.train(sets, tmp_path)
    history = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["history"]
    assert history["expression_loss"][0] > 0
    assert history["action_units_loss"][0] > 0
