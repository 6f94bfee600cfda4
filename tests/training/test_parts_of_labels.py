"""Six expressions, seven, 11 and 12 of 17 action units: data sets that know a part, together."""

import numpy as np
import pytest

from data_prep.build import build
from mtl_dm import ACTION_UNITS, EXPRESSIONS, data, datasets, metrics, relatedness
from mtl_dm.tasks import Task
from mtl_dm.training import assembly
from mtl_dm.training.config import TrainConfig
from tests.datasets.fakes import abaw4_lsd, aff_wild2, emotionet

SETS = ("abaw4_lsd:train", "emotionet/manual", "aff_wild2:train")
UNITS_OF_AFF_WILD2 = (1, 2, 4, 6, 7, 10, 12, 15, 23, 24, 25, 26)
UNITS_OF_EMOTIONET = (1, 2, 4, 5, 6, 9, 12, 17, 20, 25, 26)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    raw = tmp_path_factory.mktemp("raw")
    built = tmp_path_factory.mktemp("built")
    for name, source in (
        ("abaw4_lsd", abaw4_lsd.write(raw / "lsd")),
        ("emotionet/manual", emotionet.write_manual(raw / "emotionet")),
        ("aff_wild2", aff_wild2.write_challenges(raw / "aff")),
    ):
        build(datasets.make_builder(name, built), source, built)
    return str(built)


def config_of(folder, *names):
    return TrainConfig(
        names, data_dir=folder, relatedness="facs", image_size=16, batch_size=6, augment=False
    )


def test_six_classes_alone_lose_neutral_in_the_relatedness_too(folder):
    config = config_of(folder, *SETS[:2])
    expression, units = tasks = assembly.tasks_of(config)
    assert (expression.labels, units.labels) == (EXPRESSIONS[1:], ACTION_UNITS)
    (coupling,) = assembly.couplings_of(config, tasks)
    want = relatedness.facs().within(EXPRESSIONS[1:], ACTION_UNITS)
    assert coupling.relatedness.classes == want.classes == EXPRESSIONS[1:]
    np.testing.assert_array_equal(coupling.relatedness.conditional, want.conditional)


def test_with_a_set_of_seven_the_six_find_their_places(folder):
    config = config_of(folder, *SETS)
    tasks = assembly.tasks_of(config)
    assert [task.labels for task in tasks] == [EXPRESSIONS, ACTION_UNITS]
    lsd, of_emotionet, aff = assembly.annotations_of(config, tasks)
    ids, mask = lsd["expression"]
    assert sorted(ids) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert mask.all()
    assert set(lsd) == {"expression"}
    assert set(of_emotionet) == {"action_units"}
    for found, units in ((aff, UNITS_OF_AFF_WILD2), (of_emotionet, UNITS_OF_EMOTIONET)):
        known = found["action_units"][1].any(axis=0)
        named = {label for label, some in zip(ACTION_UNITS, known, strict=True) if some}
        assert named <= {f"AU{unit}" for unit in units}
    assert {label for label, _ in zip(ACTION_UNITS, known, strict=True)} >= {"AU1", "AU26"}


def test_a_stream_says_the_same_as_the_labels_alone(folder):
    config = config_of(folder, *SETS)
    tasks = assembly.tasks_of(config)
    sources = assembly.sources_of(config, tasks)
    assert sources[0].element_spec[1]["expression"].shape == (7,)
    _, labels, masks = next(iter(sources[0].batch(12)))
    want = data.label_arrays(SETS[0], data_dir=folder, tasks=tasks)["expression"]
    np.testing.assert_array_equal(labels["expression"], want[0])
    np.testing.assert_array_equal(masks["expression"], want[1])
    merged = data.merge(sources, 6, repeat=True).element_spec
    assert merged[0].shape[1:] == (16, 16, 3)  # Rows are known where they are mixed.
    assert set(merged[1]) == {"expression", "action_units"}


def test_every_database_is_judged_by_a_metric_that_there_is():
    for name, judged in datasets.DATABASE_METRICS.items():
        assert name in datasets.names()
        for task_name, metric in judged.items():
            make = Task.multiclass if task_name == "expression" else Task.multilabel
            task = make(task_name, ("a", "b"))
            mask = np.ones((2, *task.mask_shape))
            assert metrics.evaluate(task, np.eye(2), np.eye(2), mask)[metric] == 1.0
