import contextlib
import json
import pickle
import sys

import numpy as np
import pytest
import tensorflow as tf

from experiments import table2, table2_size
from experiments.engine import records
from experiments.engine.building import build
from experiments.engine.measuring import measure
from experiments.engine.networks import Network, configuration, groups_of, part_of
from mtl_dm import data
from mtl_dm.measuring.evaluation import choose_thresholds
from mtl_dm.reporting import RESULT_COLUMNS, read_cells, read_results
from mtl_dm.runs.cells import CellPlan, run_cell
from mtl_dm.tasks import ACTION_UNITS
from mtl_dm.training import fitting
from tests.built_faces import ANNOTATED, CO_ANNOTATED, UNITS_ONLY
from tests.experiments.engine import tiny

ROWS = ("ST", "NC MT", "S-T NC MT", "C MT (DB)")
NEVER_ANNOTATED = ("AU7", "AU10", "AU11", "AU15", "AU23", "AU24")
SMALL = table2.Preset("_64px", None, 2, 2)
UNSEEN = np.isin(ACTION_UNITS, NEVER_ANNOTATED)


@contextlib.contextmanager
def small_study(folder):
    """The study with two steps an epoch, in `folder` and in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(table2, "PRESETS", {"demo": SMALL})
        patch.setattr(table2, "ROWS", {row: table2.ROWS[row] for row in ROWS})
        patch.delenv("MTL_DM_COMMAND", raising=False)
        tiny.keep(patch)
        yield patch


@pytest.fixture(scope="module")
def finished(faces, tmp_path_factory):
    """The folder of a finished study; every row is trained for real."""
    folder = tmp_path_factory.mktemp("table2")
    with small_study(folder) as patch:
        patch.setattr(sys, "argv", ["table2.py", f"--data_dir={faces}", "--seeds=1", "--workers=0"])
        table2.main()
    return folder


def problem(faces, seed=0):
    return table2.problem(SMALL, faces, "test", seed, None)


class TestFinished:
    def test_results(self, finished):
        frame = read_results(finished / "runs" / "table2" / "results.csv")
        assert list(frame.columns) == list(RESULT_COLUMNS)
        assert set(frame["row"]) == set(ROWS)
        assert set(frame["column"]) == {table2.COLUMN}
        assert set(frame["preset"]) == {"demo"}
        assert set(frame["dataset"]) == {"synthetic_faces (synthetic)"}
        assert frame["value"].between(0, 1).all()
        for row in ROWS:
            measured = frame[frame["row"] == row]
            assert set(measured["task"]) == {"expression", "action_units", table2.UNSEEN}
            pairs = set(zip(measured["task"], measured["metric"], strict=True))
            assert {
                ("expression", "accuracy"),
                ("action_units", "afa"),
                (table2.UNSEEN, "average_precision"),
            } < pairs
            # Taught and never annotated action units stand apart.
            for unit in ACTION_UNITS:
                unseen = unit in NEVER_ANNOTATED
                assert ((table2.UNSEEN, f"accuracy/{unit}") in pairs) == unseen
                assert (("action_units", f"accuracy/{unit}") in pairs) != unseen

    def test_rows_differ(self, finished):
        cells = read_cells(finished / "runs" / "table2", "table2").cells
        scores = {
            cell.row: tuple(cell.metrics["action_units"][f"average_precision/{unit}"]
                            for unit in ("AU12", "AU25", "AU1"))
            for cell in cells
        }  # fmt: skip
        assert len(set(scores.values())) == len(ROWS)
        assert {cell.steps for cell in cells} == {4}

    def test_report_states_what_it_is(self, finished):
        text = (finished / "runs" / "table2" / "report.md").read_text(encoding="utf-8")
        assert "**Synthetic data**" in text
        assert "Preset `demo`" in text
        assert "python -m experiments.table2 --data_dir=" in text
        assert "The prior is only roughly right" in text

    def test_chosen_thresholds_stand_beside_one_half(self, finished):
        frame = read_results(finished / "runs" / "table2" / "results.csv")
        for row in ROWS:
            of_row = frame[frame["row"] == row]
            tuned = of_row[of_row["metric"].str.contains("_tuned")]
            assert set(tuned["task"]) == {"action_units"}
            names = set(tuned["metric"])
            assert {"afa_tuned", "f1_tuned", "accuracy_tuned", "f1_tuned/AU12"} < names
            assert not any(name.endswith(NEVER_ANNOTATED) for name in names if "/" in name)
        text = (finished / "runs" / "table2" / "report.md").read_text(encoding="utf-8")
        assert "action_units afa | action_units afa_tuned | action_units f1 |" in text
        assert "have no thresholds chosen" in text


class TestRows:
    def test_three_seeds_of_all_rows_are_planned(self, faces, tmp_path):
        cells = table2.study(tiny.options(tmp_path, data_dir=faces, seeds=table2.SEEDS)).cells(
            tmp_path, ""
        )
        assert len(cells) == len({cell.key for cell in cells}) == 27
        assert pickle.loads(pickle.dumps(cells[0])).key == cells[0].key
        assert [cell.plan.seed for cell in cells] == [0] * 9 + [1] * 9 + [2] * 9

    def test_couplings(self, faces):
        found = problem(faces)
        configs = {row: configuration(found, method) for row, method in table2.ROWS.items()}
        base = configs["NC MT"]
        assert base == configs["ST"] == configs["S-T NC MT"] == found.config
        assert base.relatedness is None
        assert configs["C MT (DM)"].relatedness == "facs"
        assert configs["C MT (DB)"].relatedness == f"inferred:{CO_ANNOTATED}"
        other = configs["C MT (DB, bernoulli + distillation)"]
        assert (other.matching_form, other.co_annotation_form) == ("bernoulli", "distillation")
        assert configs["default, learned relatedness"].relatedness == "learned"
        # Nothing else differs.
        forms = {"matching_form": base.matching_form, "co_annotation_form": base.co_annotation_form}
        assert other.replace(relatedness=None, **forms) == base
        assert configs["default (DM)"].replace(relatedness=None) == base

    def test_every_row_gets_the_same_images_of_a_task(self, faces):
        found = problem(faces)
        groups = groups_of(found, found.config, table2.ROWS["ST"])
        expression, units = (part_of(found, found.config, group) for group in groups)
        assert found.config.batch_size == 64
        assert found.config.shares == (1.0, 1.0)
        for (config, sources), name in ((expression, "expression"), (units, "action_units")):
            assert config.batch_size == 32
            assert (config.epochs, config.steps_per_epoch) == (2, 2)
            assert config.tasks == (name,)
            (source,) = sources
            assert list(source.element_spec[1]) == [name]
        assert [int(sources[0].cardinality()) for _, sources in (expression, units)] == [48, 64]

    def test_the_test_set_is_no_training_set(self, faces):
        found = problem(faces)
        assert found.record["test"] == f"{ANNOTATED}:test"
        assert found.record["thresholds_from"] == f"{ANNOTATED}:validation"
        assert not any("fully_annotated" in name for name in found.config.datasets)


class TestTeachers:
    def test_taught_sources_mask_what_the_teacher_never_saw(self, faces, tmp_path, monkeypatch):
        rng = np.random.default_rng(0)
        taught = []

        def fit(problem, config, group, sources, start=None):
            taught.extend(sources)
            raise InterruptedError

        def predict(teacher, source):
            task = teacher
            return {task.name: rng.normal(size=(int(source.cardinality()), task.size))}

        def kept(cell, row, problem, names):
            assert row == "ST"
            return next(task for task in problem.tasks if task.name == names[0])

        engine = "experiments.engine"
        monkeypatch.setattr(f"{engine}.measuring.fit", fit)
        monkeypatch.setattr(f"{engine}.measuring.kept", kept)
        monkeypatch.setattr(f"{engine}.distillation.predict", predict)
        with small_study(tmp_path):
            study = table2.study(tiny.options(tmp_path, data_dir=faces))
            _, student = study.cells(tmp_path, "", "S-T NC MT")
            with pytest.raises(InterruptedError):
                measure(student)
        of_faces, of_units = taught
        for _, labels, masks in of_faces.batch(100):
            np.testing.assert_array_equal(
                masks["action_units"].numpy(), np.tile(1.0 - UNSEEN, (48, 1))
            )
            assert masks["expression"].numpy().all()
            soft = labels["action_units"].numpy()
            assert ((soft > 0) & (soft < 1)).all()
        for _, labels, masks in of_units.batch(100):
            assert masks["expression"].numpy().tolist() == [1.0] * 64
            soft = labels["expression"].numpy()
            np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-5)
            assert soft.max() < 1
        own = data.label_arrays(UNITS_ONLY, data_dir=faces)["action_units"][0]
        np.testing.assert_array_equal(labels["action_units"].numpy(), own)


class TestThresholds:
    @pytest.fixture
    def model(self, faces):
        found = problem(faces)
        with fitting.settings(found.config):
            model = build(found, found.config, found.tasks, found.sources(found.tasks)[0])
        model.compile(optimizer="adam", jit_compile=False)
        return model

    def test_unseen_units_keep_one_half_the_others_are_of_the_validation_images(self, faces, model):
        found = problem(faces)
        chosen = choose_thresholds(model, found.validation(found.tasks), columns=found.scored)
        source = data.load(f"{ANNOTATED}:validation", data_dir=faces, tasks=found.tasks)
        every = choose_thresholds(model, source)["action_units"]
        assert set(chosen) == {"action_units"}
        assert (chosen["action_units"][UNSEEN] == 0.5).all()
        assert (chosen["action_units"][~UNSEEN] != 0.5).any()
        np.testing.assert_array_equal(chosen["action_units"][~UNSEEN], every[~UNSEEN])

    def test_test_labels_have_no_part_in_them(self, faces, model, tmp_path, monkeypatch):
        def untrained(problem, config, group, sources, start=None):
            return Network(model, {}, 0)

        with small_study(tmp_path):
            study = table2.study(tiny.options(tmp_path, data_dir=faces))
            (cell,) = study.cells(tmp_path, "", "NC MT")
        monkeypatch.setattr("experiments.engine.measuring.fit", untrained)
        original = measure(cell)
        test = table2.Built.test

        def permuted(found, tasks):
            elements = list(test(found, tasks).as_numpy_iterator())
            order = np.random.default_rng(0).permutation(len(elements))
            labels = [elements[place][1] for place in order]
            inputs = np.stack([element[0] for element in elements])
            return tf.data.Dataset.from_tensor_slices(
                (
                    inputs,
                    {name: np.stack([each[name] for each in labels]) for name in labels[0]},
                    {
                        name: np.stack([element[2][name] for element in elements])
                        for name in labels[0]
                    },
                )
            )

        monkeypatch.setattr(table2.Built, "test", permuted)
        changed = measure(cell)
        assert changed.evidence["thresholds"] == original.evidence["thresholds"]
        before, after = (each.metrics["action_units"] for each in (original, changed))
        assert after["average_precision"] != before["average_precision"]


class TestSize:
    def test_candidates_are_measured_on_validation_images(self, faces, tmp_path):
        chosen = tiny.options(tmp_path, data_dir=faces)
        study = table2_size.study(chosen)
        cells = study.cells(tmp_path, "")
        assert len(cells) == 2 * len(table2_size.CANDIDATES)
        found = cells[0].make()
        assert found.record == {"test": f"{ANNOTATED}:validation", "thresholds_from": None}
        assert found.test(found.tasks).element_spec[0].shape == (48, 48, 3)
        assert {cell.plan.row for cell in cells} == {"ST", "NC MT"}

    def test_writes_a_record(self, faces, tmp_path, monkeypatch, capsys):
        name = "32 px, 2 steps"
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(table2_size, "CANDIDATES", {name: table2.Preset("_64px", 32, 1, 2)})
        monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
        tiny.keep(monkeypatch)
        arguments = [f"--data_dir={faces}", "--seeds=1", "--workers=0"]
        monkeypatch.setattr(sys, "argv", ["table2_size.py", *arguments])
        table2_size.main()
        said = capsys.readouterr().out
        assert f"{name}: Table 2 would take about " in said
        record = tmp_path / "results" / "table2_size" / "32_px_2_steps.json"
        assert f"The record is {record}" in said
        entries = json.loads(record.read_text(encoding="utf-8"))["cells"]
        assert [entry["row"] for entry in entries] == ["NC MT", "ST"]
        assert all(entry["metrics"]["action_units"]["afa"] > 0 for entry in entries)

    def test_minutes(self, tmp_path):
        plan = CellPlan("table2_size", "64 px", "ST", 0, None, "demo", "a (real)", {})
        run_cell(tmp_path, plan, lambda: ({"expression": {"accuracy": 0.5}}, 1), command="")
        ((name, minutes),) = table2_size.minutes(tmp_path).items()
        assert name == "64 px"
        assert 0 <= minutes < 1
