"""A study from its declaration to its report."""

import dataclasses
import json
import math

import numpy as np
import pytest

from experiments.engine import running
from experiments.engine.measuring import measure
from experiments.engine.method import Method
from experiments.engine.networks import configuration, groups_of, part_of
from experiments.engine.study import Column, Study
from mtl_dm.measuring.scoring import load_model
from mtl_dm.reporting import read_cells
from mtl_dm.training import fitting
from tests.experiments.engine import tiny

COLUMN = "animals / dense trunk"
COUPLED = Method({"relatedness": "known"})
BOTH = (tiny.KIND, tiny.MARKS)


@pytest.fixture(autouse=True)
def kept_settings(monkeypatch):
    tiny.keep(monkeypatch)


def cells(study, tmp_path, only=""):
    return study.cells(tmp_path, "make tiny", only)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    with pytest.MonkeyPatch.context() as patch:
        tiny.keep(patch)
        running.run_study(tiny.study(), tiny.options(folder))
    return folder


class TestTwoRows:
    def test_every_row_is_trained_and_measured_on_every_task(self, finished):
        found, damaged = read_cells(finished, "tiny")
        assert damaged == []
        assert [cell.row for cell in found] == ["NC MT", "ST"]
        for cell in found:
            assert list(cell.metrics) == ["kind", "marks", "weight"]
            assert math.isfinite(cell.metrics["weight"]["ccc"])
            assert {"f1", "f1_tuned", "f1/tail"} < set(cell.metrics["marks"])
            assert cell.steps == 4
            assert cell.record["command"] == "make tiny"

    def test_a_cell_records_what_ran(self, finished):
        single, multi = (
            json.loads(path.read_text(encoding="utf-8"))["record"]["config"]
            for path in (
                finished / "cells" / "animals_dense_trunk" / row / "seed0.json"
                for row in ("ST", "NC_MT")
            )
        )
        assert single.pop("single_task") is True
        assert single == multi
        assert multi["backbone"] == "dense_trunk"
        assert multi["animals"] == 24

    def test_report_and_page(self, finished):
        text = (finished / "report.md").read_text(encoding="utf-8")
        assert "make tiny" in text
        assert "Not finished" not in text
        assert (finished / "report.html").is_file()

    def test_a_second_run_computes_nothing(self, finished, monkeypatch, capsys):
        monkeypatch.setattr(running, "compute_cell", lambda cell: 1 / 0)
        running.run_study(tiny.study(), tiny.options(finished))
        assert "0 of 2 cells to compute, 2 finished before." in capsys.readouterr().out

    def test_a_third_seed_computes_that_one(self, finished, monkeypatch):
        calls = []
        monkeypatch.setattr(running, "compute_cell", calls.append)
        assert running.compute(tiny.study(seeds=2), tiny.options(finished)) == []
        assert [(cell.plan.seed, cell.plan.row) for cell in calls] == [(1, "ST"), (1, "NC MT")]

    def test_cells_from_before_an_option_are_finished(self, finished, tmp_path, capsys):
        for row in ("ST", "NC_MT"):
            place = f"cells/animals_dense_trunk/{row}/seed0.json"
            content = json.loads((finished / place).read_text(encoding="utf-8"))
            # Cells of then: with the optimizer that is the default now.
            del content["record"]["config"]["optimizer"]
            (tmp_path / place).parent.mkdir(parents=True)
            (tmp_path / place).write_text(json.dumps(content), encoding="utf-8")
        assert running.compute(tiny.study(), tiny.options(tmp_path)) == []
        assert "0 of 2 cells to compute, 2 finished before." in capsys.readouterr().out

    def test_another_configuration_is_refused(self, finished):
        rows = {"ST": tiny.UNCOUPLED["ST"], "NC MT": Method({"epochs": 3})}
        with pytest.raises(ValueError, match="epochs is 2 there, 3 now"):
            running.run_study(tiny.study(rows), tiny.options(finished))


class TestPlan:
    def test_all_rows_of_the_first_seed_come_first(self, tmp_path):
        planned = cells(tiny.study(seeds=2), tmp_path)
        names = [(cell.plan.seed, cell.plan.row) for cell in planned]
        assert names == [(0, "ST"), (0, "NC MT"), (1, "ST"), (1, "NC MT")]
        planned = cells(tiny.study(seeds=2, first=("NC MT",)), tmp_path)
        names = [(cell.plan.seed, cell.plan.row) for cell in planned]
        assert names == [(0, "NC MT"), (1, "NC MT"), (0, "ST"), (1, "ST")]

    def test_a_row_brings_those_that_it_needs(self, tmp_path):
        rows = {**tiny.UNCOUPLED, "S-T": Method(teachers="ST")}
        st, student = cells(tiny.study(rows, BOTH), tmp_path, "S-T")
        assert (st.plan.row, student.plan.row) == ("ST", "S-T")
        assert student.needs == (st.key,)
        assert st.kept
        assert not student.kept
        assert [cell.plan.row for cell in cells(tiny.study(rows, BOTH), tmp_path, "NC MT")] == [
            "NC MT"
        ]

    def test_a_column_may_have_fewer_rows_other_networks_and_other_methods(self, tmp_path):
        study = tiny.study()
        (first,) = study.columns
        second = Column(
            "animals / wide trunk",
            first.dataset,
            first.problem,
            first.repeats,
            ("NC MT",),
            {"batch_size": 16},
            {"NC MT": Method({"epochs": 1})},
        )
        both = Study("tiny", "demo", [first, second], study.rows, study.report)
        _, plain, wide = cells(both, tmp_path)
        assert (plain.plan.config["batch_size"], plain.plan.config["epochs"]) == (8, 2)
        assert (wide.plan.config["batch_size"], wide.plan.config["epochs"]) == (16, 1)
        assert wide.make().config.batch_size == 16
        assert both.names() == [
            "ST", "NC MT", "animals", "animals / dense trunk", "animals / wide trunk",
        ]  # fmt: skip
        assert len(cells(both, tmp_path, "animals")) == 3
        assert len(cells(both, tmp_path, "animals / wide trunk")) == 1

    def test_the_name_of_a_relatedness_is_recorded_as_what_it_is(self, tmp_path):
        (cell,) = cells(tiny.study({"coupled": COUPLED}, BOTH), tmp_path)
        assert cell.plan.config["relatedness"] == tiny.COUNTED

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ({"S-T": Method(teachers="ST")}, r"Row 'S-T' needs \['ST'\], which column 'animals"),
            ({}, "rows must be distinct and not empty"),
            ({"A": Method(teachers="A")}, "must not need each other: 'A' needs 'A'"),
            (
                {"A": Method(teachers="B"), "B": Method(starts_from="A")},
                "must not need each other: '(A' needs 'B' needs 'A|B' needs 'A' needs 'B)'",
            ),
            ({"C (a)": Method(), "C [a]": Method()}, r"rows 'C \(a\)' and 'C \[a\]' would share"),
        ],
    )
    def test_a_study_that_cannot_be(self, rows, message):
        with pytest.raises(ValueError, match=message):
            tiny.study(rows).specification("make tiny")

    def test_unknown_rows_of_a_column(self):
        (column,) = tiny.study().columns
        wrong = Column(column.name, column.dataset, column.problem, column.repeats, ("NC",))
        with pytest.raises(ValueError, match=r"unknown rows \['NC'\]. Known: \['ST', 'NC MT'\]"):
            Study("tiny", "demo", [wrong], tiny.UNCOUPLED)

    def test_columns_have_files_of_their_own(self):
        (column,) = tiny.study().columns
        other = dataclasses.replace(column, name="animals, dense trunk")
        with pytest.raises(ValueError, match="would share the files of 'animals_dense_trunk'"):
            Study("tiny", "demo", [column, other], tiny.UNCOUPLED)


class TestRun:
    def test_the_folder_of_another_preset_is_refused(self, finished):
        other = dataclasses.replace(tiny.study(), preset="large")
        with pytest.raises(ValueError, match=r"of the preset demo, .* those of large"):
            running.run_study(other, tiny.options(finished))

    def test_an_unknown_row_is_refused_before_anything_is_written(self, tmp_path):
        with pytest.raises(ValueError, match=r"Unknown row or column 'VGG'\. Known: ST; NC MT; an"):
            running.run_study(tiny.study(), tiny.options(tmp_path, only="VGG"))
        assert list(tmp_path.iterdir()) == []

    def test_what_is_wrong_with_the_last_row_is_found_before_the_first_trains(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(running, "compute_cell", lambda cell: 1 / 0)
        rows = {**tiny.UNCOUPLED, "coupled": COUPLED.but(matching_form="none")}
        with pytest.raises(ValueError, match="Unknown matching form 'none'"):
            running.run_study(tiny.study(rows, BOTH), tiny.options(tmp_path))

    def test_a_cell_that_fails_is_reported_and_the_others_go_on(
        self, tmp_path, monkeypatch, capsys
    ):
        def compute(cell):
            if cell.plan.row == "ST":
                raise MemoryError("too much")
            done(cell)

        done = running.compute_cell
        monkeypatch.setattr(running, "compute_cell", compute)
        rows = {**tiny.UNCOUPLED, "S-T": Method(teachers="ST")}
        with pytest.raises(SystemExit) as stop:
            running.run_study(tiny.study(rows, BOTH), tiny.options(tmp_path))
        assert stop.value.code == 1
        said = capsys.readouterr().out
        assert "FAILED ST (animals / dense trunk, seed 0): MemoryError: too much" in said
        assert "S-T (animals / dense trunk, seed 0): needs ST (animals" in said
        assert [cell.row for cell in read_cells(tmp_path, "tiny").cells] == ["NC MT"]
        assert "Not finished" in (tmp_path / "report.md").read_text(encoding="utf-8")

    def test_progress_has_the_time_left_and_pages_are_written_on_the_way(
        self, tmp_path, monkeypatch, capsys
    ):
        monkeypatch.setattr(running, "SECONDS_BETWEEN_REPORTS", 0)
        monkeypatch.setattr(running, "SHARE_OF_REPORTS", math.inf)
        seen = []

        def pages(folder):
            seen.append(len(list(folder.rglob("seed?.json"))))

        running.run_study(
            tiny.study(pages=pages, detailed=False, seconds=300.0), tiny.options(tmp_path)
        )
        assert seen == [1, 2, 2]
        said = capsys.readouterr().out
        assert "2 of 2 cells to compute; about 10 min (an estimate: 300 s a cell).\n" in said
        assert "[1/2] ST (animals / dense trunk, seed 0): training ..." in said
        assert "; 1 to go, about " in said

    def test_every_line_is_printed_once(self, tmp_path, capsys):
        (cell, *_) = cells(tiny.study(detailed=False), tmp_path)
        path = cell.plan.path(tmp_path)
        path.parent.mkdir(parents=True)
        path.write_text("damaged", encoding="utf-8")
        running.compute(tiny.study(detailed=False), tiny.options(tmp_path, only="ST"))
        lines = [
            line for line in capsys.readouterr().out.splitlines() if "epoch" not in line.lower()
        ]
        titled = [line for line in lines if "ST (animals" in line or "is damaged" in line]
        assert [line.partition("seed 0)")[2] or "damaged" for line in titled] == [
            "damaged", ": training ...", titled[-1].partition("seed 0)")[2],
        ]  # fmt: skip
        assert titled[-1].endswith(" s")

    def test_this_process_is_prepared_like_a_worker_before_anything_is_read(
        self, tmp_path, monkeypatch
    ):
        done = []
        monkeypatch.undo()
        monkeypatch.setattr(running, "prepare_worker", lambda: done.append("prepared"))
        monkeypatch.setattr(running, "require_possible", lambda cells: done.append("read"))
        monkeypatch.setattr(running, "compute_cell", lambda cell: None)
        running.compute(tiny.study(), tiny.options(tmp_path))
        assert done == ["prepared", "read"]

    def test_threads_that_cannot_be_changed_are_said(self, monkeypatch, capsys):
        def begun():
            raise RuntimeError("after initialization")

        done = []
        monkeypatch.undo()
        monkeypatch.setattr(running, "prepare_worker", begun)
        monkeypatch.setattr(running, "make_deterministic", lambda: done.append(True))
        running.prepare_this_process()
        assert done == [True]
        assert "threads that this process has: after initialization" in capsys.readouterr().out

    def test_a_worker_computes_what_this_process_does(self, finished, tmp_path):
        # One network is enough: a row of several trains them one after the other.
        options = tiny.options(tmp_path, workers=1, only="NC MT")
        assert running.compute(tiny.study(), options) == []
        here, there = (
            {
                f"{task} {name}": value
                for cell in read_cells(folder, "tiny").cells
                if cell.row == "NC MT"
                for task, values in cell.metrics.items()
                for name, value in values.items()
            }
            for folder in (finished, tmp_path)
        )
        assert "kind accuracy" in there
        # Steps run one by one here and as a graph there.
        assert there == pytest.approx(here, abs=1e-3)


class TestRows:
    def test_a_single_network_sees_its_part_of_every_batch(self, tmp_path):
        st, nc = cells(tiny.study(), tmp_path)
        problem = st.make()
        groups = groups_of(problem, problem.config, st.method)
        parts = [part_of(problem, problem.config, group) for group in groups]
        assert [config.batch_size for config, _ in parts] == [4, 2, 2]
        assert {(config.steps_per_epoch, config.shares) for config, _ in parts} == {(2, None)}
        assert [config.datasets for config, _ in parts] == [
            ("kind alone",), ("marks alone",), ("weight alone",),
        ]  # fmt: skip
        assert [len(sources) for _, sources in parts] == [1, 1, 1]
        (whole,) = groups_of(problem, problem.config, nc.method)
        config, sources = part_of(problem, problem.config, whole)
        assert config == problem.config
        assert len(sources) == 3

    def test_a_coupled_row_is_coupled_as_it_says(self, tmp_path):
        rows = {
            "NC MT": Method(),
            "coupled": COUPLED.but(gate=False),  # So few steps open no gate.
            "balanced": Method({"balancing": "uncertainty"}),
        }
        metrics = [
            measure(cell).metrics["marks"]["average_precision"]
            for cell in cells(tiny.study(rows, BOTH), tmp_path)
        ]
        assert len(set(metrics)) == 3

    def test_students_learn_from_kept_teachers(self, tmp_path, monkeypatch):
        rows = {"ST": Method(single_task=True), "S-T": Method(teachers="ST")}
        st, student = cells(tiny.study(rows, BOTH), tmp_path)
        measure(st)
        kept = sorted(tmp_path.rglob("*.keras"))
        assert [path.name.partition("-")[0] for path in kept] == ["kind", "marks"]
        taught = []

        def with_soft_labels(source, task, soft, known, *, gaps):
            assert not gaps
            taught.append((task.name, soft))
            return source

        monkeypatch.setattr("mtl_dm.data.with_soft_labels", with_soft_labels)
        with_kept = measure(student)
        assert [name for name, _ in taught] == ["marks", "kind"]
        # Where their files are gone, the same teachers are trained again.
        for path in kept:
            path.unlink()
        assert measure(student).metrics == with_kept.metrics
        for (_, first), (_, again) in zip(taught[:2], taught[2:], strict=True):
            np.testing.assert_array_equal(first, again)

    def test_stages_are_trained_as_the_cell_records_them(self, tmp_path, monkeypatch):
        stages = ('kinds(datasets="kind alone", epochs=1)', "all(epochs=2, learning_rate=0.01)")
        (cell,) = cells(tiny.study({"staged": Method({"stages": stages})}), tmp_path)
        trained = []
        fit = fitting.fit

        def watched(model, sources, config, **options):
            trained.append((len(sources), config.datasets, config.epochs, config.learning_rate))
            return fit(model, sources, config, **options)

        monkeypatch.setattr(fitting, "fit", watched)
        measured = measure(cell)
        every = cell.make().config.datasets
        assert trained == [(1, ("kind alone",), 1, 0.05), (3, every, 2, 0.01)]
        assert measured.steps == 2 * (1 + 2)
        assert cell.plan.config["stages"] == list(stages)

    def test_stages_that_cannot_be_are_refused_before_anything_trains(self, tmp_path, monkeypatch):
        monkeypatch.setattr(running, "compute_cell", lambda cell: 1 / 0)
        stages = ("a(epochs=1)", "b(batch_size=4)")
        rows = {"ST": Method({"stages": stages}, single_task=True)}
        with pytest.raises(
            ValueError, match=r"\['kind'\] alone reads a part .* 'b' sets \['batch_s"
        ):
            running.run_study(tiny.study(rows), tiny.options(tmp_path))
        problem = tiny.Animals()
        problem.config = problem.config.replace(datasets=("one", "one", "two"))
        assert configuration(problem, Method()).datasets == ("one", "one", "two")
        with pytest.raises(ValueError, match=r"needs different names, got datasets \['one', 'one'"):
            configuration(problem, Method({"stages": ("a", "b")}))

    def test_single_networks_have_stages_that_leave_the_data_alone(self, tmp_path):
        rows = {"ST": Method({"stages": ("a(epochs=1)", "b(epochs=2)")}, single_task=True)}
        (cell,) = cells(tiny.study(rows), tmp_path)
        assert measure(cell).steps == 2 * (1 + 2)

    def test_a_stage_starts_from_the_backbone_of_another_row(self, tmp_path, monkeypatch):
        rows = {"first": Method(), "second": Method({"epochs": 1}, starts_from="first")}
        first, second = cells(tiny.study(rows, BOTH), tmp_path)
        assert second.needs == (first.key,)
        measure(first)
        started = []
        fit = fitting.fit

        def watched(model, *arguments, **options):
            started.append(model.backbone.get_weights()[0].copy())
            return fit(model, *arguments, **options)

        monkeypatch.setattr(fitting, "fit", watched)
        measure(second)
        (path,) = tmp_path.rglob("*.keras")
        np.testing.assert_array_equal(started[0], load_model(path).backbone.get_weights()[0])
