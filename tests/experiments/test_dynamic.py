"""The study of dynamic weights: what is planned, who starts from whom, one tiny run."""

import functools

import keras
import numpy as np
import pytest

from experiments import dynamic, dynamic_paper, dynamic_rows
from experiments.dynamic_page import PAGE
from experiments.dynamic_rows import (
    AUTHOR,
    DYNAMIC,
    EQUAL,
    NAIVE,
    ON_PHOTOS,
    PRETRAINED,
    ROWS,
    SWEPT,
    SWEPT_ONCE,
    TRANSFERRED,
    TUNED,
    UNCERTAINTY,
)
from experiments.engine.dry_run import describe
from experiments.engine.networks import configuration, groups_of, part_of
from experiments.engine.running import run_study
from experiments.engine.study import Study
from experiments.problems import faces_compared
from experiments.problems.face_verification import EXPRESSION, IDENTITY, FaceVerification
from mtl_dm.balancing import BALANCING
from mtl_dm.models import BACKBONES
from mtl_dm.reporting import ReportSpec, read_cells
from mtl_dm.runs.evidence import read_evidence
from tests.experiments.engine.tiny import keep, options
from tests.experiments.test_face_verification import tiny


def chosen(tmp_path, **changes):
    return options(tmp_path, **{"seeds": 3, **changes})


@pytest.fixture
def columns(tmp_path):
    found = dynamic.study(chosen(tmp_path, data_dir="faces")).columns
    return {column.name: column for column in found}


def test_five_static_weights_in_full_and_the_others_once(columns):
    assert [len(columns[name].repeats) for name in columns] == [3, 1, 6, 2]
    full, once = columns[dynamic.DRAWN].rows, columns[dynamic.DRAWN_ONCE].rows
    assert len(SWEPT) == 5
    assert set(SWEPT) <= set(full)
    assert set(once) == {PRETRAINED, *SWEPT_ONCE}
    weights = sorted((*dynamic_rows.FULL, *dynamic_rows.ONCE))
    np.testing.assert_allclose(weights, np.arange(11) / 10)


def test_seven_rows_on_photos_of_both_halves(columns):
    for name, seeds in ((dynamic.LFW, 3), (dynamic.CMU, 1)):
        column = columns[name]
        assert len(column.rows) == 7
        assert list(column.repeats) == [(seed, fold) for seed in range(seeds) for fold in (0, 1)]
    assert {PRETRAINED, TUNED, EQUAL, NAIVE, DYNAMIC} <= set(ON_PHOTOS)


def test_without_photos_drawn_people_alone(tmp_path):
    found = dynamic.study(chosen(tmp_path))
    assert [column.name for column in found.columns] == [dynamic.DRAWN, dynamic.DRAWN_ONCE]
    assert any("Real faces are left out" in note for note in found.report["notes"])


def test_a_verdict_on_photos_looks_at_no_class_of_a_few_images(tmp_path):
    made = dynamic.study(chosen(tmp_path, data_dir="faces"))
    names = [column.name for column in made.columns]
    fields = {"table": made.table, "rows": list(made.rows), "columns": names, "command": "make"}
    spec = ReportSpec(**made.report, **fields)
    balanced = (EXPRESSION, "average_accuracy")
    assert balanced not in spec.for_column(dynamic.LFW).judged
    assert balanced in spec.for_column(dynamic.DRAWN).judged
    assert (EXPRESSION, "accuracy") in spec.for_column(dynamic.LFW).judged
    assert (EXPRESSION, "recall") in spec.for_column(dynamic.LFW).per_label


@pytest.mark.parametrize(("preset", "ratio"), [("paper", 1 / 9), ("demo", 1.0)])
def test_intervals_know_how_many_folds_train(tmp_path, monkeypatch, preset, ratio):
    column = dynamic.Column("CK+", "CK+ (real)", problem, [(0, 0), (0, 1)], (PRETRAINED,))
    monkeypatch.setattr(dynamic_paper, "columns", lambda chosen: [column])
    made = dynamic.study(chosen(tmp_path, preset=preset))
    assert made.report["test_train_ratio"] == pytest.approx(ratio)
    assert made.pages.keywords == {"test_train_ratio": pytest.approx(ratio)}


def test_all_rows_but_one_start_from_it_with_a_branch_transferred():
    assert ROWS[PRETRAINED].pretraining
    for row, method in ROWS.items():
        if row != PRETRAINED:
            assert method.starts_from == PRETRAINED
            assert method.changes["stages"] == (() if row == TUNED else TRANSFERRED)
    assert [row for row, method in ROWS.items() if method.single_task] == [TUNED]
    weights = ROWS[dynamic_rows.static(0.3)].changes["balancing"]
    assert BALANCING.create(weights).get_config()["weights"] == {
        IDENTITY: 0.3,
        EXPRESSION: pytest.approx(0.7),
    }


def test_the_backbone_is_there_in_both_sizes():
    BACKBONES.spec(dynamic.BACKBONE)
    BACKBONES.spec(dynamic_paper.BACKBONE)


def test_the_fields_of_the_preset_paper_are_valid():
    made = FaceVerification(tiny(), dynamic_paper.FIELDS, dynamic_paper.PRETRAINED)
    assert made.config.optimizer.startswith("rmsprop(")
    assert made.pretraining().config.epochs == 40


def test_a_preset_without_its_databases(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"PRESET=paper needs one of its databases built"):
        dynamic.study(chosen(tmp_path, preset="paper", data_dir=str(tmp_path)))


TRAINED = {
    "backbone": "compact_cnn",
    "batch_size": 4,
    "epochs": 1,
    "steps_per_epoch": 1,
    "terms": ("centre_loss(task=identity)",),
}


def problem(seed, fold):
    del fold
    return FaceVerification(tiny(), {**TRAINED, "seed": seed}, {"epochs": 2})


@pytest.mark.parametrize("row", list(ROWS))
def test_every_row_has_a_configuration(row):
    made = problem(0, None)
    method = ROWS[row]
    if method.pretraining:
        made = made.pretraining()
    config = configuration(made, method)
    for group in groups_of(made, config, method):
        own, sources = part_of(made, config, group)
        assert len(sources) == 1
        names = [task.name for task in group]
        assert own.terms == (TRAINED["terms"] if IDENTITY in names else ())
        # As many images a step in as many steps, whatever the tasks are.
        steps = [(part.batch_size, part.steps_per_epoch) for _, part in own.stage_configs()]
        assert steps == [(4, 1)]
        assert own.epochs == (2 if method.pretraining else 1)


def test_a_tiny_run(tmp_path, monkeypatch):
    keep(monkeypatch)
    rows = (PRETRAINED, DYNAMIC)
    column = dynamic.Column("people / tiny", "people (synthetic)", problem, [(0, None)], rows)
    monkeypatch.setattr(dynamic, "columns", lambda chosen: [column])
    monkeypatch.setattr(dynamic, "PUBLISHED", {"people / tiny": ("CK+",)})
    typed = chosen(tmp_path, data_dir="there")
    run_study(dynamic.study(typed), typed)
    cells = {cell.row: cell for cell in read_cells(tmp_path, dynamic.TABLE).cells}
    assert set(cells) == set(rows)
    assert set(cells[PRETRAINED].metrics) == {"verification"}
    assert {"verification", "expression"} <= set(cells[DYNAMIC].metrics)
    evidence = read_evidence(tmp_path, list(cells.values())).contents
    (content,) = evidence["people / tiny", DYNAMIC]
    balance = content["history"][0]["balance"]
    assert balance["identity_weight"][0] + balance["expression_weight"][0] == pytest.approx(1)
    assert "Which task got the larger weight" in (tmp_path / PAGE).read_text(encoding="utf-8")
    assert (tmp_path / "report.html").is_file()
    # Once more: everything is there.
    run_study(dynamic.study(typed), typed)
    keras.backend.clear_session()


def test_a_dry_run_names_what_each_row_starts_from(tmp_path):
    rows = (PRETRAINED, NAIVE)
    column = dynamic.Column("people / tiny", "people (synthetic)", problem, [(0, None)], rows)
    told = describe(
        Study(dynamic.TABLE, "demo", [column], {row: ROWS[row] for row in rows}), chosen(tmp_path)
    )
    first, second = told.split("\n\n")[1:3]
    assert first.startswith(f"{PRETRAINED} (people / tiny, seed 0)")
    assert "--tasks=identity " in f"{first} "
    assert f"uses the networks of {PRETRAINED} of the same column" in second
    assert "--balancing=naive_dynamic" in second


def test_a_fold_of_a_built_database(monkeypatch):
    faces = tiny()
    parts = {"ck_plus:train": faces.train, "ck_plus:validation": faces.pretraining}

    def built(name, data_dir, side, crop=None):
        return parts.get(name, faces.test)

    monkeypatch.setattr(faces_compared, "built_people", built)
    monkeypatch.setattr(faces_compared.data, "tasks_in", lambda name, data_dir: faces_tasks())
    make = functools.partial(faces_compared.folded.__wrapped__, "ck_plus", "", folds=2, side=48)
    halves = [make(fold=fold) for fold in (0, 1)]
    for half in halves:
        assert not half.train.people & half.test.people
    assert halves[0].test.people == halves[1].train.people
    assert halves[0].expressions == ("neutral", "happy")
    assert len(set(halves[0].pairs.fold.tolist())) == len(halves[0].test.people) // 2
    assert {AUTHOR, UNCERTAINTY} <= set(ROWS)


def faces_tasks():
    return FaceVerification(tiny(), TRAINED, {}).tasks
