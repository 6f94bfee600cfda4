"""Heterogeneous tasks on faces: who reads which labels, what is planned, one tiny run."""

import sys

import keras
import numpy as np
import pytest
from scipy import stats

from experiments import faces as study_file
from experiments import faces_paper
from experiments.engine.dry_run import describe
from experiments.engine.networks import configuration, part_of
from experiments.engine.running import run_study
from experiments.faces_compounds import PAGE, compounds_page
from experiments.faces_rows import AFFECT, ALONE, BASELINES, EVERY, PRINTED, ROWS, UNCOUPLED, UNITS
from experiments.faces_words import ceiling
from experiments.problems import behaviour
from experiments.problems.behaviour import FEW_SHOT, ON_ANNOTATED, ZERO_SHOT
from mtl_dm import data
from mtl_dm.compound import Evidence, compounds_of, judged, observe
from mtl_dm.compound.scores import zero_shot
from mtl_dm.datasets import SyntheticCompounds
from mtl_dm.models import MultiTaskModel
from mtl_dm.relatedness import compound_emotionet
from mtl_dm.reporting import read_cells, to_frame
from mtl_dm.runs.schema import Cell
from mtl_dm.synthetic.compounds import TASKS as COMPOUND_TASKS
from mtl_dm.synthetic.face_sets import EMOTIONET_UNITS
from mtl_dm.tasks import ACTION_UNITS
from tests.built_faces import COUNTS
from tests.experiments.engine import tiny

SIDE = 32


@pytest.fixture(scope="module")
def built(faces):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SyntheticCompounds, "COUNTS", {"support": 22, "test": 22})
        data.load("synthetic_compounds/64px:test", data_dir=faces)
    return faces


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(study_file, "SIDE", SIDE)
    monkeypatch.setattr(study_file, "EPOCHS", 1)
    monkeypatch.setattr(study_file, "NETWORKS", {"compact CNN": ("compact_cnn", 1)})
    monkeypatch.setattr(behaviour, "SHOTS", (1, 2))
    monkeypatch.setattr(behaviour, "MAIN_SHOTS", ("class_means", 2))
    monkeypatch.setattr(behaviour, "DRAWS", 3)


def problem(folder):
    return study_file.problem(1, SIDE, folder, 0, None)


def test_every_database_is_read_for_one_task(built):
    found = problem(built)
    sources = found.sources(found.tasks)
    assert [list(source.element_spec[1]) for source in sources] == [
        ["expression"], ["action_units"], ["valence_arousal"],
    ]  # fmt: skip
    sets = ("expression_only", "action_units_only", "co_annotated")
    assert found.sizes(found.tasks) == [COUNTS[name]["train"] for name in sets]
    assert found.sizes(found.tasks[2:]) == [None, None, COUNTS["co_annotated"]["train"]]
    for place, task in enumerate(found.tasks):
        own, [source] = part_of(found, found.config, [task])
        assert list(source.element_spec[1]) == [task.name]
        assert own.datasets == (found.config.datasets[place],)
        assert (own.batch_size, own.steps_per_epoch) == (32, 1)
    assert not found.by_name
    # Units whose labels the third database has, and nobody reads, are unseen.
    np.testing.assert_array_equal(
        found.scored["action_units"], np.isin(ACTION_UNITS, EMOTIONET_UNITS)
    )
    assert set(found.test(found.tasks).element_spec[1]) == set(study_file.TASKS)


def test_nobody_trains_on_compounds(built):
    found = problem(built)
    assert not any("compound" in name for name in found.config.datasets)
    assert list(found.beside()) == [
        "synthetic_compounds/64px:support", "synthetic_compounds/64px:test",
    ]  # fmt: skip
    assert found.record["compounds"] == list(found.beside())


def test_compounds_are_what_the_parts_give(built):
    found = problem(built)
    keras.utils.set_random_seed(0)
    models = []
    for task in found.tasks:
        inputs = keras.Input((SIDE, SIDE, 3))
        pooled = keras.layers.Flatten()(keras.layers.AveragePooling2D(8)(inputs))
        models.append(MultiTaskModel(keras.Model(inputs, pooled), [task]))
    metrics = found.beyond(models)

    task = COMPOUND_TASKS[0]
    source = data.load(
        "synthetic_compounds/64px:test", data_dir=built, tasks=[task], image_size=SIDE
    )
    seen = observe(models, source, task)
    assert seen.features.shape == (22, 3 * 48)  # Those of three networks.
    table = compounds_of(compound_emotionet(), task.labels)
    for name, units in (("zero_shot", table.attributes), (ON_ANNOTATED, EMOTIONET_UNITS)):
        part = table.restrict(attributes=[unit for unit in table.attributes if unit in units])
        scores = zero_shot(Evidence(found.tasks, seen.outputs, part))
        want = judged(seen.ids, scores, task.labels)["uar"]
        assert metrics[ZERO_SHOT][f"uar/{name}"] == pytest.approx(want)
    assert metrics[ZERO_SHOT]["uar"] == metrics[ZERO_SHOT]["uar/zero_shot"]
    assert metrics[FEW_SHOT]["uar"] == metrics[FEW_SHOT]["uar/class_means, k=2"]
    assert {name.partition("/")[0] for name in metrics[FEW_SHOT]} == {"uar", "half_width"}


class TestPlan:
    def test_rows(self, tmp_path):
        study = study_file.study(tiny.options(tmp_path, seeds=3))
        assert len(study.cells(tmp_path, "")) == 5 * 3
        made = {row: configuration(problem(str(tmp_path)), method) for row, method in ROWS.items()}
        assert ROWS[ALONE].single_task
        assert made[ALONE].coupling_choices() == made[UNCOUPLED].coupling_choices() == []
        assert {config.task_losses["valence_arousal"] for config in made.values()} == {"ccc"}
        [printed], [units] = made[PRINTED].coupling_choices(), made[UNITS].coupling_choices()
        assert (printed.matching_form, units.matching_form) == ("paper", "conditional")
        # What the last row adds is one coupling, written in one place.
        assert made[EVERY].replace(couplings=()) == made[UNITS]
        assert made[EVERY].couplings == (AFFECT,)
        assert study.specification("").baselines_of(EVERY) == BASELINES[EVERY]

    def test_networks(self, monkeypatch):
        monkeypatch.undo()
        backbones = [backbone for backbone, _ in study_file.NETWORKS.values()]
        assert backbones == ["compact_cnn", "faces_behaviour(variant=demo)"]

    def test_paper_says_what_is_missing(self, tmp_path, monkeypatch):
        monkeypatch.setattr(faces_paper, "SIDE", SIDE)
        monkeypatch.setattr(faces_paper, "BACKBONE", "compact_cnn")
        chosen = tiny.options(tmp_path, data_dir=str(tmp_path), preset="paper", dry_run=True)
        text = describe(study_file.study(chosen), chosen)
        for name in ("affectnet/manual", "emotionet/manual", "aff_wild2", "raf_db/basic"):
            assert f"Missing: {name}. python -m data_prep.build --dataset={name}" in text
        assert "data: raf_db/compound (MISSING)" in text
        chosen = tiny.options(tmp_path, data_dir=str(tmp_path), preset="paper")
        with pytest.raises(FileNotFoundError, match=r"not built in .*raf_db/compound \(python -m"):
            study_file.study(chosen)

    def test_paper_reads_each_database_for_its_task(self, databases, monkeypatch):
        monkeypatch.setattr(faces_paper, "SIDE", SIDE)
        found = faces_paper.problem(databases, 0, None)
        assert [list(each.element_spec[1]) for each in found.sources(found.tasks)] == [
            ["expression"], ["action_units"], ["valence_arousal"],
        ]  # fmt: skip
        # AffectNet has valence and arousal too, Aff-Wild2 all three: each test image counts once.
        annotated = [
            [name for name, mask in masks.items() if np.max(mask) > 0]
            for _, _, masks in found.test(found.tasks).as_numpy_iterator()
        ]
        assert max(map(len, annotated)) == 1
        assert {name for names in annotated for name in names} == set(study_file.TASKS)
        further = found.further(found.tasks)
        assert {place: list(each.element_spec[1]) for place, each in further.items()} == {
            "raf_db": ["expression"],
            "aff_wild2": ["expression", "action_units"],
            "affectnet": ["valence_arousal"],
        }
        assert list(found.further(found.tasks[2:])) == ["affectnet"]

    def test_paper_names_metrics_by_database(self, tmp_path):
        found = faces_paper.problem(str(tmp_path), 0, None)
        assert found.config.datasets == (
            "affectnet/manual:train", "emotionet/manual:train[:60%]", "aff_wild2:train",
        )  # fmt: skip
        measured = {name.removesuffix(f"_{place}")
                    for name in faces_paper.METRICS
                    for place in found.record["further"] if name.endswith(f"_{place}")}  # fmt: skip
        assert measured == set(study_file.TASKS)


def test_a_tiny_run(built, tmp_path, monkeypatch):
    tiny.keep(monkeypatch)
    chosen = tiny.options(tmp_path, data_dir=built, only=UNITS)
    run_study(study_file.study(chosen), chosen)
    [cell] = read_cells(tmp_path, study_file.TABLE).cells
    assert (cell.row, cell.steps) == (UNITS, 1)
    assert set(study_file.METRICS) <= set(cell.metrics)
    assert "ccc/arousal" in cell.metrics["valence_arousal"]
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "**Synthetic data**" in text
    assert "### compound_zero_shot: uar of each label" in text
    assert "| class_means, k=2 |" in text
    assert "| coupled expression-AU, printed | 65.4 | 78.0 | 48.3 |" in text
    assert "No real valence-arousal data" in text
    assert (tmp_path / "report.html").is_file()
    assert "### No example" in (tmp_path / PAGE).read_text(encoding="utf-8")


def test_compounds_can_be_told_by_units_that_are_known():
    text = ceiling(550)
    assert 70 < int(text.partition("UAR of ")[2].partition(" ")[0]) < 95
    assert "(550 sampled)" in text


def test_compounds_page():
    levels = {UNCOUPLED: (0.2, 0.3, 0.4), UNITS: (0.4, 0.45, 0.62)}
    cells = [
        Cell(
            study_file.TABLE, "faces / net", row, seed, None, "demo", "drawn (synthetic)",
            {
                ZERO_SHOT: {"uar/zero_shot": value},
                FEW_SHOT: {"uar/means, k=1": value, "half_width/means, k=1": 0.015},
            },
            1.0, 1, {},
        )
        for row, values in levels.items()
        for seed, value in enumerate(values)
    ]  # fmt: skip
    text = compounds_page(to_frame(cells), ["faces / net", "other"], (*levels, EVERY), UNCOUPLED)
    half = stats.t.ppf(0.975, 2) * np.std(levels[UNCOUPLED], ddof=1) / np.sqrt(3)
    assert f"| {UNCOUPLED} | 30.0 ± {100 * half:.1f} |" in text
    assert f"| {UNCOUPLED} | 30.0 ± {100 * half:.1f} (1.5) |" in text
    gaps = np.subtract(levels[UNITS], levels[UNCOUPLED])
    half = stats.t.ppf(0.975, 2) * np.std(gaps, ddof=1) / np.sqrt(3)
    p = stats.ttest_1samp(gaps, 0).pvalue  # One comparison: nothing to adjust.
    assert f"| {UNITS} | {100 * gaps.mean():+.1f} ± {100 * half:.1f} (p {p:.3f}) |" in text
    assert f"| {EVERY} | — |" in text
    assert text.count("Not measured yet.") == 2


def test_ten_examples_stand_behind_five():
    found = {f"uar/means, k={k}": 0.5 for k in (1, 10, 5)}
    cell = Cell(
        study_file.TABLE, "net", UNCOUPLED, 0, None, "demo", "drawn", {FEW_SHOT: found}, 1.0, 1, {}
    )
    text = compounds_page(to_frame([cell]), ["net"], (UNCOUPLED,), UNCOUPLED)
    assert "| row | means, k=1 | means, k=5 | means, k=10 |" in text


def test_the_command_refuses_an_unknown_preset(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["faces.py", "--preset=real"])
    with pytest.raises(ValueError, match=r"Unknown preset 'real'\. Known: demo, paper"):
        study_file.main()
