import contextlib
import shutil
import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from experiments import study, table2
from mtl_dm import data
from mtl_dm.measuring.evaluation import choose_thresholds
from mtl_dm.reporting import RESULT_COLUMNS, read_cells, read_results
from mtl_dm.tasks import ACTION_UNITS
from mtl_dm.training import assembly, fitting
from tests.built_faces import ANNOTATED, CO_ANNOTATED, UNITS_ONLY

ROWS = ("ST", "NC MT", "S-T NC MT", "C MT (DB)")
NEVER_ANNOTATED = ("AU7", "AU10", "AU11", "AU15", "AU23", "AU24")


@contextlib.contextmanager
def small_study(folder, rows):
    """The study with two steps a row, in `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(table2, "PRESETS", {"demo": table2.Preset("_64px", 2, 2)})
        patch.setattr(table2, "ROWS", rows)
        patch.setattr(study, "make_deterministic", lambda: None)
        patch.delenv("MTL_DM_COMMAND", raising=False)
        yield patch


def main(patch, *arguments):
    patch.setattr(sys, "argv", ["table2.py", *arguments])
    table2.main()


@pytest.fixture(scope="module")
def finished(faces, tmp_path_factory):
    """The folder of a finished study; every row is trained for real."""
    folder = tmp_path_factory.mktemp("table2")
    with small_study(folder, ROWS) as patch:
        main(patch, f"--data_dir={faces}")
    return folder


@pytest.fixture
def table(faces, tmp_path):
    with small_study(tmp_path, ROWS):
        yield table2.Table2("demo", 0, faces, tmp_path)


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
            assert {("expression", "accuracy"), ("action_units", "afa")} < pairs
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

    def test_a_second_call_repeats_no_cell(self, finished, faces, capsys):
        results = finished / "runs" / "table2" / "results.csv"
        before = results.read_bytes()
        calls = []
        with small_study(finished, ROWS) as patch:
            patch.setattr(table2.Table2, "measure", lambda self, row: calls.append(row))
            main(patch, f"--data_dir={faces}")
        assert calls == []
        assert results.read_bytes() == before
        assert capsys.readouterr().out.count("finished before") == len(ROWS)

    def test_only_the_missing_cell_is_computed(self, finished, faces, tmp_path):
        shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
        calls = []

        def measure(table, row):
            calls.append((table.seed, row))
            values = {"expression": {"accuracy": 0.5}, "action_units": {"afa": 0.5}}
            return {**values, table2.UNSEEN: {"afa": 0.5}}, 2

        with small_study(tmp_path, ROWS) as patch:
            patch.setattr(table2.Table2, "measure", measure)
            main(patch, f"--data_dir={faces}", "--seeds=2", "--only=ST")
        assert calls == [(1, "ST")]

    def test_another_preset_is_refused(self, finished, faces):
        with small_study(finished, ROWS) as patch:
            patch.setattr(table2, "PRESETS", {"demo": table2.Preset("_64px", 2, 3)})
            with pytest.raises(ValueError, match="steps_per_epoch is 2 there, 3 now"):
                main(patch, f"--data_dir={faces}")


class TestRows:
    def test_couplings(self, table):
        assert table.config("NC MT").relatedness is None
        assert table.config("C MT (DM)").relatedness == "facs"
        assert table.config("C MT (DB)").relatedness == f"inferred:{CO_ANNOTATED}"
        other = table.config("C MT (DB, bernoulli + distillation)")
        assert (other.matching_form, other.co_annotation_form) == ("bernoulli", "distillation")
        # Nothing else differs.
        base = table.config("NC MT")
        forms = {"matching_form": base.matching_form, "co_annotation_form": base.co_annotation_form}
        assert other.replace(relatedness=None, **forms) == base
        assert table.config("default (DM)").replace(relatedness=None) == base

    def test_every_row_gets_the_same_images_of_a_task(self, table, monkeypatch):
        fits = []

        def fit(config, tasks, sources):
            fits.append((config, [task.name for task in tasks], len(sources)))
            raise InterruptedError

        monkeypatch.setattr(table, "fit", fit)
        for row in ("NC MT", "C MT (DM)"):
            with pytest.raises(InterruptedError):
                table.measure(row)
        for index in (0, 1):
            with pytest.raises(InterruptedError):
                table.teacher(index)
        both, coupled, expression, units = (config for config, _, _ in fits)
        assert both.batch_size == coupled.batch_size == 64
        assert both.shares == (1.0, 1.0)
        assert expression.batch_size == units.batch_size == 32
        budgets = {(config.epochs, config.steps_per_epoch) for config, _, _ in fits}
        assert budgets == {(2, 2)}
        assert [names for _, names, _ in fits[2:]] == [["expression"], ["action_units"]]
        assert [count for _, _, count in fits] == [2, 2, 1, 1]

    def test_taught_sources_mask_what_the_teacher_never_saw(self, table, monkeypatch):
        rng = np.random.default_rng(0)

        def predict(teacher, source):
            task = table.tasks[teacher]
            return {task.name: rng.normal(size=(int(source.cardinality()), task.size))}

        monkeypatch.setattr(table, "teacher", lambda index: index)
        monkeypatch.setattr(table2, "predict", predict)
        faces, units = table.taught_sources()
        for _, labels, masks in faces.batch(100):
            unseen = np.isin(ACTION_UNITS, NEVER_ANNOTATED)
            np.testing.assert_array_equal(
                masks["action_units"].numpy(), np.tile(1.0 - unseen, (48, 1))
            )
            assert masks["expression"].numpy().all()
            soft = labels["action_units"].numpy()
            assert ((soft > 0) & (soft < 1)).all()
        for _, labels, masks in units.batch(100):
            assert masks["expression"].numpy().tolist() == [1.0] * 64
            soft = labels["expression"].numpy()
            np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-5)
            assert soft.max() < 1
        own = data.label_arrays(UNITS_ONLY, data_dir=table.base.data_dir)["action_units"][0]
        np.testing.assert_array_equal(labels["action_units"].numpy(), own)


class TestThresholds:
    @pytest.fixture
    def model(self, table):
        with fitting.settings(table.base):
            return assembly.model_of(table.base, table.tasks, (64, 64, 3))

    def test_unseen_units_keep_one_half(self, table, model):
        chosen = table.thresholds(model)
        assert set(chosen) == {"action_units"}
        unseen = np.isin(ACTION_UNITS, NEVER_ANNOTATED)
        assert (chosen["action_units"][unseen] == 0.5).all()
        assert (chosen["action_units"][~unseen] != 0.5).any()

    def test_are_those_of_the_validation_images(self, table, model):
        chosen = table.thresholds(model)["action_units"]
        source = data.load(
            f"{ANNOTATED}:validation", data_dir=table.base.data_dir, tasks=table.tasks
        )
        every = choose_thresholds(model, source)["action_units"]
        known = ~np.isin(ACTION_UNITS, NEVER_ANNOTATED)
        np.testing.assert_array_equal(chosen[known], every[known])

    def test_need_no_model_of_classes(self, table):
        assert table.thresholds(types.SimpleNamespace(tasks=table.tasks[:1])) == {}

    def test_test_labels_have_no_part_in_them(self, table, model, monkeypatch):
        # An untrained model has thresholds too.
        monkeypatch.setattr(table, "fit", lambda *_: table2.Trained(model, {}))
        test_source, original = table.test_source, table.measure("NC MT")

        def permuted(model):
            elements = list(test_source(model).as_numpy_iterator())
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

        monkeypatch.setattr(table, "test_source", permuted)
        changed = table.measure("NC MT")
        assert changed.evidence["thresholds"] == original.evidence["thresholds"]
        before, after = (each.metrics["action_units"] for each in (original, changed))
        assert after["average_precision"] != before["average_precision"]

    def test_stand_in_the_results_beside_one_half(self, finished):
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

    def test_a_cell_without_them_is_refused(self, table):
        plan = table.plan("NC MT", "demo")
        assert plan.config["thresholds_from"] == f"{ANNOTATED}:validation"
        assert {**plan.config} == {
            **table.config("NC MT").to_dict(),
            "thresholds_from": f"{ANNOTATED}:validation",
        }


class TestInput:
    @pytest.mark.parametrize(
        ("argument", "message"),
        [
            ("--preset=huge", "Unknown preset 'huge'. Known: demo"),
            ("--only=VGG", "Unknown row or column 'VGG'. Known: ST; NC MT"),
            ("--seeds=0", "seeds must be at least 1, got 0"),
        ],
    )
    def test_refused_before_anything_is_written(self, faces, tmp_path, argument, message):
        with small_study(tmp_path, ROWS) as patch, pytest.raises(ValueError, match=message):
            main(patch, f"--data_dir={faces}", argument)
        assert list(tmp_path.iterdir()) == []

    def test_guard(self, capsys):
        def wrong():
            raise ValueError("the reason")

        with pytest.raises(SystemExit) as stop:
            study.main_guard(wrong)
        assert stop.value.code == 1
        assert capsys.readouterr().err == "error: the reason\n"

    def test_the_test_set_is_no_training_set(self, table):
        assert f"{ANNOTATED}:test" == table._test_set
        assert not any("fully_annotated" in name for name in table.base.datasets)
