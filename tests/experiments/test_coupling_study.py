"""The coupling study from its command to its report, on tiny data."""

import contextlib
import json
import pickle
import sys

import numpy as np
import pandas as pd
import pytest

from experiments import coupling_study
from experiments.coupling import rows, screening
from experiments.engine import running
from experiments.engine.networks import configuration
from experiments.problems import clothing_data, clothing_regimes, few_expressions
from experiments.relatedness import ck_plus
from mtl_dm.reporting import read_results
from mtl_dm.tasks import ACTION_UNITS
from tests.datasets.fakes import clothing_attributes as fakes
from tests.experiments.engine import tiny

IMAGES = 240  # 10% of a half's training part are more images than classes.
HALVES = "CAD / halves, disjoint"
FACES = "synthetic faces / 20 expression labels"
CLOTHING_ROWS = ("ST", "NC MT (sum)", rows.TUNED, "default", "default, 10% co-annotated")
ROBUSTNESS = ("default, wrong relatedness, gated",)
CANDIDATES = dict(list(screening.CANDIDATES.items())[:2])
FACE_ROWS = ("NC MT (sum)", "default, counted relatedness", "default, learned relatedness")


@contextlib.contextmanager
def small_study(folder, faces):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(coupling_study, "EVERYWHERE", CLOTHING_ROWS)
        patch.setattr(coupling_study, "ROBUSTNESS", ROBUSTNESS)
        patch.setattr(coupling_study, "FACE_ROWS", (*FACE_ROWS, "default, CK+ relatedness"))
        patch.setattr(coupling_study, "QUICK_FACE_LABELS", (20,))
        patch.setattr(coupling_study, "FACE_LABELS", (20,))
        patch.setitem(coupling_study.HALVINGS, "full", 1)
        patch.setattr(screening, "CANDIDATES", CANDIDATES)
        patch.setattr(screening, "INNER_SPLITS", (0,))
        patch.setattr(clothing_regimes, "EPOCHS", {False: 2, True: 2})
        patch.setattr(few_expressions, "BUILT", faces)
        patch.setattr(few_expressions, "STEPS", 1)
        patch.setattr(few_expressions, "EPOCHS", 2)
        patch.delenv("MTL_DM_COMMAND", raising=False)
        tiny.keep(patch)
        yield patch


def main(patch, *arguments):
    patch.setattr(sys, "argv", ["coupling_study.py", "--workers=0", *map(str, arguments)])
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
        # Without DATA_DIR only faces are studied; each preset has a folder of its own.
        main(patch)
    return folder / "runs" / "coupling_study-full"


def test_results(finished):
    of_clothing = read_results(finished / "results.csv")
    of_faces = read_results(finished.with_name("coupling_study") / "results.csv")
    frame = pd.concat([of_clothing, of_faces])
    assert set(of_clothing["column"]) == {HALVES}
    assert set(of_faces["column"]) == {FACES}
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
    assert f"| {HALVES} | {rows.TUNED} | " in text
    of_faces = finished.with_name("coupling_study") / "verdict.md"
    assert f"| {FACES} | default, learned relatedness | " in of_faces.read_text(encoding="utf-8")
    assert (finished / "verdict.svg").read_text(encoding="utf-8").startswith("<svg")
    report = (finished / "report.md").read_text(encoding="utf-8")
    assert "no test half was looked at before" in report


def test_a_second_call_repeats_no_cell(finished, source, faces, capsys):
    with small_study(finished.parents[1], faces) as patch:
        patch.setattr(running, "compute_cell", lambda cell: 1 / 0)
        main(patch, f"--data_dir={source}", f"--only={HALVES}", "--preset=full")
    said = capsys.readouterr().out
    assert f"Without DATA_DIR/{ck_plus.FILE} there is no row 'default, CK+ relatedness'." in said
    screened = 2 + len(CANDIDATES)
    assert f"screening 0 of {screened} cells to compute, {screened} finished before" in said
    assert "\n0 of 14 cells to compute, 14 finished before" in said


def test_the_tuned_row_is_the_screened_one(finished, source):
    text = (finished / "screening.md").read_text(encoding="utf-8")
    lines = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert lines[0] == ["| forms and factors", "halves, disjoint |"]
    (chosen,) = [name.strip("| ") for name, shown in lines[1:] if shown.startswith("**")]
    config = recorded(finished, rows.TUNED)
    for name, value in CANDIDATES[chosen].changes.items():
        if name != "relatedness":
            assert config[name] == value
    # A call that needs no screening leaves what was screened as it is.
    assert screening.screen([], tiny.options(finished, data_dir=str(source))) == {}
    assert (finished / "screening.md").read_text(encoding="utf-8") == text


def test_a_cell_records_what_ran(finished):
    assert recorded(finished, "default")["relatedness"] == clothing_regimes.KNOWN
    assert recorded(finished, "default, 10% co-annotated")["relatedness"] == (
        "counted on 10% of the training part"
    )
    gated = recorded(finished, ROBUSTNESS[0])
    assert gated["relatedness"] == f"{clothing_regimes.KNOWN}; wrong"
    assert (gated["validation_gate"], gated["validation"]) == (True, "held out")
    assert (gated["regime"], gated["attribute_reduction"]) == ("halves, disjoint", "sum")


def recorded(folder, row):
    """The configuration of a finished cell."""
    cells = (json.loads(path.read_text("utf-8")) for path in folder.rglob("seed0-fold0.json"))
    (found,) = [cell for cell in cells if (cell["row"], cell["column"]) == (row, HALVES)]
    return found["record"]["config"]


@pytest.fixture
def table(finished, source, faces):
    with small_study(finished.parents[1], faces):
        yield clothing_data.ClothingData(source, finished)


class TestPlan:
    def study(self, source, finished, preset="full"):
        chosen = tiny.options(finished, data_dir=str(source), preset=preset)
        regimes = (coupling_study.ALL, *coupling_study.CLASS_SHARES)
        tuned = dict.fromkeys(regimes, rows.ROWS["js + posterior"])
        return coupling_study.study(chosen, tuned if preset == "full" else None)

    def test_full(self, table, source, finished, monkeypatch):
        del table
        monkeypatch.setitem(coupling_study.HALVINGS, "full", 3)
        study = self.study(source, finished)
        names = [column.name for column in study.columns]
        assert len(set(names)) == len(names) == 5 + 2 + 1
        assert [len(column.repeats) for column in study.columns] == [6] * 5 + [4] * 2 + [5]
        cells = pickle.loads(pickle.dumps(study.cells(finished, "")))  # As a worker gets them.
        assert len({cell.key for cell in cells}) == len(cells)
        assert len(cells) == sum(
            len(study.rows_of(column)) * len(column.repeats) for column in study.columns
        )
        # What the verdict needs comes first, and of that the first repeat of every cell.
        core = [cell.plan.row in coupling_study.CORE for cell in cells]
        assert core == sorted(core, reverse=True)
        count = sum(
            row in coupling_study.CORE for column in study.columns for row in study.rows_of(column)
        )
        assert len({cell.key[:2] for cell in cells[:count]}) == count
        assert {cell.plan.row for cell in study.cells(finished, "", "default")} == {"default"}
        assert {cell.plan.column for cell in study.cells(finished, "", HALVES)} == {HALVES}
        tuned = [cell for cell in cells if cell.plan.row == rows.TUNED]
        assert {cell.plan.config["matching_form"] for cell in tuned} == {"js"}
        assert study.recorded
        assert not self.study(source, finished, "quick").recorded

    def test_what_a_preset_lacks_is_said(self, source, faces, tmp_path):
        with small_study(tmp_path, faces) as patch:
            with pytest.raises(ValueError, match=f"Unknown row or column {HALVES!r}. Known: ST;"):
                main(patch, "--preset=full", f"--only={HALVES}")
            assert list(tmp_path.iterdir()) == []

    def test_without_data_no_row_needs_them(self, table, finished, source, tmp_path):
        del table
        chosen = tiny.options(finished, preset="quick")
        (column,) = coupling_study.face_columns(chosen)
        assert column.rows == FACE_ROWS
        chosen = tiny.options(finished, preset="quick", data_dir=str(source))
        (column,) = coupling_study.face_columns(chosen)
        assert column.rows == FACE_ROWS  # Of clothing alone.
        (tmp_path / "ckplus").mkdir()
        (tmp_path / ck_plus.FILE).touch()
        chosen = tiny.options(finished, preset="quick", data_dir=str(tmp_path))
        (column,) = coupling_study.face_columns(chosen)
        assert column.rows == (*FACE_ROWS, "default, CK+ relatedness")


class TestClothing:
    def problem(self, table, regime="halves, disjoint", **options):
        return clothing_regimes.ClothingRegime(table, regime, 0, 1, **options)

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
        problem = self.problem(table)
        first, second = problem.sources(table.tasks[:2])
        assert (set(first.element_spec[1]), set(second.element_spec[1])) == (
            {"category"}, {"attributes"},
        )  # fmt: skip
        nothing, alone = problem.sources(table.tasks[1:2])
        assert nothing is None
        assert set(alone.element_spec[1]) == {"attributes"}

    def test_learned_starts_without_knowing_anything(self, table):
        given = self.problem(table).given(clothing_regimes.NAMES["learned"])
        assert given.learned
        start = given.relatedness.conditional
        assert (start == start[0]).all()

    def test_known_and_few_are_counted_on_training_images(self, table, monkeypatch):
        counted = []

        def estimate(class_labels, attribute_labels, **options):
            counted.append((len(class_labels), options["strength"]))
            return "table"

        monkeypatch.setattr(clothing_regimes, "estimate", estimate)
        problem = self.problem(table)
        for name in ("known", "10%"):
            assert problem.given(clothing_regimes.NAMES[name]).relatedness == "table"
        size = len(problem._train)
        assert counted == [(size, 1.0), (round(0.1 * size), None)]

    def test_a_temperature_comes_with_the_table_that_it_was_chosen_for(self, table):
        given = self.problem(table).given(clothing_regimes.NAMES["10%, T"])
        assert set(given.options) == {"temperature"}
        assert self.problem(table).given(clothing_regimes.FEW).options == {}
        assert self.problem(table).given("facs") is None

    def test_elsewhere_is_counted_on_one_end_of_the_training_images(self, table):
        problem = self.problem(table)
        chosen = problem._elsewhere()
        assert set(chosen) < set(problem._train)
        assert len(chosen) == round(0.25 * len(problem._train))
        place = clothing_regimes._components(table, tuple(problem._train))[:, 0]
        rest = sorted(set(problem._train) - set(chosen))
        ends = sorted((place[chosen], place[rest]), key=np.mean)
        assert ends[0].max() <= ends[1].min()
        given = problem.given(clothing_regimes.NAMES["elsewhere"])
        assert not given.learned
        assert given.relatedness != problem.given(clothing_regimes.KNOWN).relatedness


class TestFaces:
    def problem(self, labels=20, seed=0, raw=None):
        return few_expressions.FewExpressions(labels, seed, raw)

    def test_too_few_expression_labels_are_said(self, table):
        del table
        problem = self.problem(49)
        with pytest.raises(ValueError, match="49 expression labels are asked for, 48 are there"):
            problem.sources(problem.tasks)

    @pytest.mark.parametrize("seed", [0, 3])
    def test_sources(self, table, seed):
        del table
        problem = self.problem(seed=seed)
        expression, units = problem.sources(problem.tasks)
        assert int(expression.cardinality()) == 20
        assert len(list(expression)) == 20
        assert int(units.cardinality()) == 64
        nothing, alone = problem.sources(problem.tasks[1:])
        assert nothing is None
        assert int(alone.cardinality()) == 64

    def test_columns_are_those_of_labelled_units(self, table):
        del table
        seen = self.problem().scored["action_units"]
        assert "AU10" not in {name for name, one in zip(ACTION_UNITS, seen, strict=True) if one}

    def test_relatedness(self, table):
        del table
        problem = self.problem()
        config = configuration(problem, rows.ROWS["default"])
        assert config.relatedness == "facs"
        assert problem.given("facs") is None
        assert problem.given("facs; wrong").relatedness.citation.endswith("classes exchanged.")
        with pytest.raises(FileNotFoundError, match="needs DATA_DIR"):
            problem.given(few_expressions.CK_PLUS)
