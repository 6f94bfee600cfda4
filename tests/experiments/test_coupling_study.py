"""The coupling study from its command to its report, on tiny data."""

import contextlib
import dataclasses
import json
import sys

import numpy as np
import pytest

from experiments import clothing_data, coupling_study, study
from experiments.coupling import clothing, rows, screening
from experiments.coupling import faces as faces_module
from mtl_dm.reporting import read_results
from mtl_dm.tasks import ACTION_UNITS
from mtl_dm.training.config import TrainConfig
from tests.datasets.fakes import clothing_attributes as fakes

IMAGES = 240  # 10% of a half's training part are more images than classes.
HALVES = "CAD / halves, disjoint"
FACES = "synthetic faces / 20 expression labels"
CLOTHING_ROWS = ("ST", "NC MT (sum)", rows.TUNED, "default", "default, 10% co-annotated")
ROBUSTNESS = ("default, wrong relatedness", "default, wrong relatedness, braked")
CANDIDATES = dict(list(screening.CANDIDATES.items())[:2])
FACE_ROWS = ("NC MT (sum)", "default, counted relatedness", "default, learned relatedness")


@contextlib.contextmanager
def small_study(folder, faces):
    def short(**fields):
        return TrainConfig(**{**fields, "epochs": 2})

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(coupling_study, "EVERYWHERE", CLOTHING_ROWS)
        patch.setattr(coupling_study, "ROBUSTNESS", ROBUSTNESS)
        patch.setattr(coupling_study, "FACE_ROWS", (*FACE_ROWS, "default, CK+ relatedness"))
        patch.setattr(coupling_study, "QUICK_FACE_LABELS", (20,))
        patch.setattr(coupling_study, "FACE_LABELS", (20,))
        patch.setattr(screening, "CANDIDATES", CANDIDATES)
        patch.setattr(screening, "INNER_SPLITS", (0,))
        patch.setattr(clothing, "TrainConfig", short)
        patch.setattr(faces_module, "BUILT", faces)
        patch.setattr(faces_module, "STEPS", 1)
        patch.setattr(faces_module, "EPOCHS", 2)
        patch.setattr(study, "make_deterministic", lambda: None)
        patch.delenv("MTL_DM_COMMAND", raising=False)
        yield patch


def main(patch, *arguments):
    patch.setitem(coupling_study.HALVINGS, "full", 1)
    patch.setattr(sys, "argv", ["coupling_study.py", *map(str, arguments)])
    coupling_study.main()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A folder like DATA_DIR: images, random labels, all of them, and features."""
    parent = tmp_path_factory.mktemp("source")
    folder = fakes.write_cad(parent, IMAGES)
    rng = np.random.default_rng(0)
    for name in fakes.FILES:
        values = {"category": 7, "sleevelength": 3, "neckline": 3}.get(name, 2)
        fakes.write_label(folder, name, rng.integers(1, values + 1, IMAGES).astype(float))
    (parent / "features").mkdir()
    np.save(parent / clothing_data.FEATURES, rng.normal(size=(IMAGES, 6)).astype(np.float16))
    return parent


@pytest.fixture(scope="module")
def finished(source, faces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    with small_study(folder, faces) as patch:
        main(patch, f"--data_dir={source}", f"--only={HALVES}", "--preset=full")
        # Without DATA_DIR only faces are studied; the cells of before stay.
        main(patch)
    return folder / "runs" / "coupling_study"


def test_results(finished):
    frame = read_results(finished / "results.csv")
    assert set(frame["column"]) == {HALVES, FACES}
    of_clothing, of_faces = (frame[frame["column"] == name] for name in (HALVES, FACES))
    assert set(of_clothing["row"]) == {*CLOTHING_ROWS, "default (mean)", *ROBUSTNESS}
    assert set(of_clothing["fold"]) == {0, 1}
    assert set(of_faces["row"]) == set(FACE_ROWS)
    assert of_faces["fold"].isna().all()
    assert frame["value"].between(0, 1).all()
    assert not frame["metric"].str.contains("/").any()
    for part, tasks in (
        (of_clothing, ("category", "attributes")),
        (of_faces, ("expression", "action_units")),
    ):
        pairs = set(zip(part["task"], part["metric"], strict=True))
        for metric in ("f1", "f1_tuned", "average_precision"):
            assert (tasks[1], metric) in pairs
        assert {(tasks[0], "accuracy"), (tasks[0], "average_accuracy")} < pairs


def test_verdict_and_figure(finished):
    text = (finished / "verdict.md").read_text(encoding="utf-8")
    # That of the last call, without clothing.
    assert f"| {FACES} | default, learned relatedness | " in text
    assert (finished / "verdict.png").read_bytes().startswith(b"\x89PNG")
    report = (finished / "report.md").read_text(encoding="utf-8")
    assert "no test half was looked at before" in report


def test_a_second_call_repeats_no_cell(finished, source, faces, capsys):
    calls = []
    with small_study(finished.parents[1], faces) as patch:
        patch.setattr(coupling_study.training, "measure", lambda *_: calls.append(_))
        main(patch, f"--data_dir={source}", f"--only={HALVES}", "--preset=full")
    assert calls == []
    said = capsys.readouterr().out
    assert said.count("finished before") == 2 * 8 + (2 + len(CANDIDATES))
    assert said.count("[screening") == 2 + len(CANDIDATES)


def test_the_tuned_row_is_the_screened_one(finished):
    text = (finished / "screening.md").read_text(encoding="utf-8")
    lines = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert lines[0] == ["| forms and factors", "halves, disjoint |"]
    (chosen,) = [name.strip("| ") for name, shown in lines[1:] if shown.startswith("**")]
    path = next((finished / "cells").glob("CAD_halves*/fixed*/seed0-fold0.json"))
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["record"]["config"]["row"] == CANDIDATES[chosen].to_dict()
    # A call that needs no screening leaves what was screened as it is.
    assert screening.screen(finished, None, [], "full", "command") == {}
    assert (finished / "screening.md").read_text(encoding="utf-8") == text


@pytest.fixture
def table(finished, source, faces):
    with small_study(finished.parents[1], faces):
        yield clothing_data.ClothingData(source, finished)


class TestPlan:
    def test_full(self, table, source):
        columns = [
            dataclasses.replace(column, tuned=rows.ROWS["default"])
            for column in coupling_study.clothing_columns(table, "full")
        ]
        names = [column.name for column in columns]
        assert len(set(names)) == len(names) == 5 + 2
        assert {len(column.repeats) for column in columns[:5]} == {12}
        assert {len(column.repeats) for column in columns[5:]} == {4}
        columns += coupling_study.face_columns("full", source)
        planned = [plan for plan, _ in coupling_study.jobs(columns, "full", "")]
        cells = {(plan.column, plan.row, plan.seed, plan.fold) for plan in planned}
        assert len(cells) == len(planned)
        assert len(cells) == sum(len(column.rows) * len(column.repeats) for column in columns)
        # What the verdict needs comes first, and of that the first repeat of every cell.
        core = [plan.row in coupling_study.CORE for plan in planned]
        assert core == sorted(core, reverse=True)
        count = sum(row in coupling_study.CORE for column in columns for row in column.rows)
        assert len({(plan.column, plan.row) for plan in planned[:count]}) == count
        only = coupling_study.jobs(columns, "full", "default")
        assert {plan.row for plan, _ in only} == {"default"}
        assert {plan.column for plan, _ in coupling_study.jobs(columns, "full", HALVES)} == {HALVES}

    def test_what_a_preset_lacks_is_said(self, table, source, faces):
        del table
        with small_study(source, faces) as patch:
            with pytest.raises(ValueError, match="'fixed factors, tuned' is no part of preset 'qu"):
                main(patch, f"--data_dir={source}", f"--only={rows.TUNED}")
            with pytest.raises(ValueError, match="part of preset 'full' without DATA_DIR"):
                main(patch, "--preset=full", f"--only={HALVES}")

    def test_a_tuned_row_needs_screening(self, table):
        column = coupling_study.clothing_columns(table, "quick")[0]
        assert column.plan("default") == rows.ROWS["default"]
        with pytest.raises(ValueError, match="'fixed factors, tuned' was not screened for 'CAD /"):
            column.plan(rows.TUNED)

    def test_without_data_no_row_needs_them(self, table):
        del table
        (column,) = coupling_study.face_columns("quick", None)
        assert column.rows == FACE_ROWS
        (column,) = coupling_study.face_columns("quick", "raw")
        assert column.rows[-1] == "default, CK+ relatedness"


class TestClothing:
    def problem(self, table, regime="halves, disjoint", **options):
        return clothing.Clothing(table, regime, 0, 1, **options)

    def test_no_test_image_is_trained_on(self, table):
        for inner in (None, 0):
            problem = self.problem(table, inner=inner)
            parts = [set(part) for part in (problem._train, problem._held, problem._test)]
            assert all(parts)
            assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
            half = set(table.halves[0][1])
            assert parts[0] | parts[1] | (parts[2] if inner is not None else set()) == half

    def test_all_labels_are_one_source_and_disjoint_ones_two(self, table):
        (both,) = self.problem(table, "all labels").sources(table.tasks[:2])
        assert set(both.element_spec[1]) == {"category", "attributes"}
        first, second = self.problem(table).sources(table.tasks[:2])
        assert (set(first.element_spec[1]), set(second.element_spec[1])) == (
            {"category"}, {"attributes"},
        )  # fmt: skip

    def test_learned_starts_without_knowing_anything(self, table):
        start = self.problem(table).relatedness("learned").conditional
        assert (start == start[0]).all()

    def test_known_and_few_are_counted_on_training_images(self, table, monkeypatch):
        counted = []

        def estimate(class_labels, attribute_labels, **options):
            counted.append((len(class_labels), options["strength"]))
            return "table"

        monkeypatch.setattr(clothing, "estimate", estimate)
        problem = self.problem(table)
        assert problem.relatedness("known") == problem.relatedness("10%") == "table"
        size = len(problem._train)
        assert counted == [(size, 1.0), (round(0.1 * size), None)]


class TestFaces:
    def test_too_few_expression_labels_are_said(self, table):
        del table
        problem = faces_module.Faces(49, 0, None)
        with pytest.raises(ValueError, match="49 expression labels are asked for, 48 are there"):
            problem.sources(problem.tasks)

    @pytest.mark.parametrize("seed", [0, 3])
    def test_sources(self, table, seed):
        del table
        problem = faces_module.Faces(20, seed, None)
        expression, units = problem.sources(problem.tasks)
        assert int(expression.cardinality()) == 20
        assert len(list(expression)) == 20
        assert int(units.cardinality()) == 64
        (alone,) = problem.sources(problem.tasks[1:])
        assert int(alone.cardinality()) == 64

    def test_columns_are_those_of_labelled_units(self, table):
        del table
        seen = faces_module.Faces(20, 0, None).columns()["action_units"]
        assert "AU10" not in {name for name, one in zip(ACTION_UNITS, seen, strict=True) if one}

    def test_relatedness(self, table, tmp_path):
        del table
        problem = faces_module.Faces(20, 0, None)
        assert problem.relatedness("known").prior is None
        assert problem.relatedness("counted").counts is not None
        with pytest.raises(FileNotFoundError, match="needs DATA_DIR"):
            problem.relatedness("ck+")
