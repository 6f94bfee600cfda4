"""Table 5: what its rows try, what is chosen of it, and what the verdict says."""

import dataclasses
import json

import numpy as np
import pytest

from experiments import table5, table5_paper, table5_rows, table5_screening
from experiments.engine import costs
from experiments.engine.dry_run import describe
from experiments.table5_rows import BALANCED, COUPLED, ON_BEST, ROWS, SETTINGS, SINGLE, UNCOUPLED
from experiments.table5_screening import Chosen, called, chosen_from, read, screen
from experiments.table5_verdict import TASKS, gaps, transfer, verdict
from mtl_dm.balancing import BALANCING
from mtl_dm.reporting import published, to_frame
from mtl_dm.reporting.measured import Measured
from mtl_dm.runs.schema import Cell
from mtl_dm.spec import parse
from tests.experiments.engine import tiny

FOLDS = [(repeat, fold) for repeat in range(6) for fold in (0, 1)]


def options(folder, **changes):
    return tiny.options(folder, **{"data_dir": "raw", **changes})


def cells(levels, spread=0.001, column=table5.ON_FEATURES, folds=FOLDS):
    """Cells whose metrics lie around a row's level of both tasks, in every fold."""
    rng = np.random.default_rng(0)
    return [
        Cell("table5", column, row, seed, fold, "demo", "x (real)",
             {task: dict.fromkeys(("accuracy", "average_accuracy", "f1", "average_precision"),
                                  level + spread * rng.normal())
              for (task, _), level in zip(TASKS, own, strict=True)}, 1.0, 1)
        for row, own in levels.items()
        for seed, fold in folds
    ]  # fmt: skip


class TestRows:
    def test_every_row_has_six_trials(self):
        for row, settings in SETTINGS.items():
            assert len(settings) == len(set(settings)) == table5_rows.TRIALS, row
        assert set(table5_rows.TWO_RATES) < set(table5_rows.RATES)
        assert 1e-3 in table5_rows.TWO_RATES  # The paper's.

    @pytest.mark.parametrize("row", SETTINGS)
    def test_every_setting_is_of_the_method_that_the_row_names(self, row):
        for setting in SETTINGS[row]:
            BALANCING.create(setting.balancing)
        names = {BALANCING.spec(setting.balancing).name for setting in SETTINGS[row]}
        assert names == {row if row in BALANCED else "equal"}

    def test_every_registered_method_has_a_row(self):
        # One task a step belongs to Task Routing, the weight units to a study of their own.
        others = {"equal", "one_task", "dynamic", "naive_dynamic"}
        assert set(BALANCING) == {*BALANCED, *others}

    def test_single_task_networks_are_together_as_large(self):
        def size(width, *heads):
            return (1280 + 1) * width + (width + 1) * sum(heads)

        width = parse(table5_rows.MATCHED).options["width"]
        categories, attributes = 7, 29
        assert size(width, categories) + size(width, attributes) == pytest.approx(
            size(256, categories, attributes), rel=0.005
        )

    def test_what_is_coupled_and_what_a_method_then_weighs(self):
        found = table5.methods(None)
        assert list(found) == list(ROWS)
        assert [row for row, each in found.items() if "relatedness" in each.changes] == [
            COUPLED, ON_BEST,
        ]  # fmt: skip
        assert found[SINGLE].single_task
        spec = BALANCING.spec(found[ON_BEST].changes["balancing"])
        assert (spec.name, spec.options["balances"]) == ("static", "tasks")


@pytest.fixture
def chosen():
    """Every row's fourth setting is the best, and mgda's better than any other's."""
    scores = dict.fromkeys(SETTINGS, (1.0, 2.0, 3.0, 5.0, 5.0, 0.0))
    return Chosen({**scores, "mgda": (1.0, 2.0, 3.0, 6.0, 5.0, 0.0), UNCOUPLED: (9.0,) * 6})


class TestScreening:
    def test_the_best_setting_is_fixed_for_all_folds(self, chosen):
        assert chosen.setting("mgda") == SETTINGS["mgda"][3]
        assert chosen.best == "mgda"
        found = table5.methods(chosen)
        assert found["mgda"].changes["learning_rate"] == SETTINGS["mgda"][3].learning_rate
        spec = BALANCING.spec(found[ON_BEST].changes["balancing"])
        assert spec.name == "mgda"

    def test_a_file_says_it_all(self, chosen, tmp_path):
        path = tmp_path / "chosen.json"
        path.write_text(chosen.to_json())
        assert read(path) == chosen
        said = json.loads(path.read_text())
        assert said["best"] == "mgda"
        assert said["rows"]["mgda"]["chosen"] == "mgda(normalization=loss+) at 0.003"

    def test_a_file_of_other_settings_is_refused(self, chosen, tmp_path, monkeypatch):
        path = tmp_path / "chosen.json"
        path.write_text(chosen.to_json())
        changed = {**SETTINGS, "mgda": SETTINGS["mgda"][::-1]}
        monkeypatch.setattr(table5_screening, "SETTINGS", changed)
        with pytest.raises(ValueError, match=r"made of other settings of 'mgda'.*Delete it"):
            read(path)
        path.write_text("{}")
        with pytest.raises(ValueError, match="is damaged"):
            read(path)

    def test_scores_are_means_over_folds_tasks_and_metrics(self):
        levels = {
            called(row, place): (0.3 + place / 100, 0.5)
            for row, settings in SETTINGS.items()
            for place in range(len(settings))
        }
        found = chosen_from(to_frame(cells(levels, 0.0, folds=FOLDS[:2])))
        assert found.scores["dwa"] == pytest.approx([40 + place / 2 for place in range(6)])
        assert found.setting("dwa") == SETTINGS["dwa"][5]

    def test_trains_on_parts_of_two_training_halves(self, tmp_path):
        stage = table5_screening.stage(options(tmp_path))
        (column,) = stage.columns
        assert list(column.repeats) == [(0, 0), (0, 1)]
        assert len(stage.rows) == 6 * len(SETTINGS)
        assert not stage.detailed

    def test_a_file_is_taken_instead_of_training(self, chosen, tmp_path, monkeypatch):
        monkeypatch.setattr(table5_screening, "COMMITTED", tmp_path / "none")
        monkeypatch.setattr(table5_screening, "compute", lambda *_, **__: ["a cell: an error"])
        with pytest.raises(ValueError, match="Screening is not complete: a cell: an error"):
            screen(options(tmp_path))
        (tmp_path / "chosen.json").write_text(chosen.to_json())
        assert screen(options(tmp_path)) == chosen


class TestStudy:
    def test_columns(self, chosen, tmp_path):
        plan = table5.study(options(tmp_path), chosen)
        features, images = plan.columns
        assert (len(features.repeats), len(images.repeats)) == (12, 2)
        assert features.rows == ROWS
        assert tuple(images.rows[:2]) == (SINGLE, UNCOUPLED)
        # What was tuned on features is not what trains on images.
        assert plan.method(images, SINGLE).changes == {}
        report = plan.specification("make")
        assert list(report.levels) == [table5.ON_IMAGES]
        assert report.baselines_of(ON_BEST).all == (SINGLE, UNCOUPLED, "mgda")
        assert any("mgda: mgda(normalization=loss+) at 0.003" in note for note in report.notes)

    def test_data_dir_is_needed(self, tmp_path):
        with pytest.raises(ValueError, match="Table 5 needs DATA_DIR"):
            table5.study(options(tmp_path, data_dir=""))


LEVELS = {
    SINGLE: (0.60, 0.40),
    UNCOUPLED: (0.55, 0.40),
    "static": (0.60, 0.40),
    "mgda": (0.61, 0.30),
    COUPLED: (0.57, 0.42),
    ON_BEST: (0.62, 0.33),
}


class TestVerdict:
    def test_what_is_lost_and_prevented(self):
        text = verdict(to_frame(cells(LEVELS)), table5.ON_FEATURES, ROWS, "mgda")
        assert "negative: NC MT, mgda, default, default on the best method" in text
        assert "- prevented: static" in text
        assert "- open: none" in text
        assert "What coupling adds (the best method: mgda):" in text
        line = next(each for each in text.splitlines() if each.startswith("| NC MT |"))
        assert "-5.0 ± 0.3 (p < 0.001)" in line
        assert "negative in category |" in line

    def test_few_folds_and_noise_are_open(self):
        found = to_frame(cells({SINGLE: (0.6, 0.4), "mgda": (0.59, 0.39)}, 0.05))
        measured = Measured(found, table5.ON_FEATURES)
        each = gaps(measured, [("mgda", SINGLE)])["mgda"]
        assert transfer(each) == "open"
        one = to_frame(cells({SINGLE: (0.6, 0.4), "mgda": (0.2, 0.1)}, folds=FOLDS[:1]))
        assert "open: mgda" in verdict(one, table5.ON_FEATURES, ROWS, "mgda")

    def test_p_values_are_adjusted_over_rows_and_tasks(self):
        levels = {SINGLE: (0.6, 0.4), "dwa": (0.59, 0.4), "rlw": (0.6, 0.4), "gls": (0.6, 0.4)}
        measured = Measured(to_frame(cells(levels, 0.004)), table5.ON_FEATURES)
        alone = gaps(measured, [("dwa", SINGLE)])["dwa"][0]
        beside = gaps(measured, [(row, SINGLE) for row in ("dwa", "rlw", "gls")])["dwa"][0]
        assert alone.difference == beside.difference
        assert beside.p == pytest.approx(3 * alone.p)  # The smallest of 6 instead of 2.


class TestPaper:
    def test_rows_and_columns_are_the_published_ones(self, tmp_path):
        frame = published("table5")
        plan = table5.study(options(tmp_path, preset="paper", dry_run=True))
        rows = set(plan.rows)
        assert set(frame["row"]) <= rows
        assert {column.group for column in plan.columns} == set(frame["column"])
        report = plan.specification("make")
        assert report.baselines_of("NTS C MT").all == ("NTS ST", "NTS NC MT")
        assert report.baselines_of("MGDA-UB").all == ("ST", "NC MT")

    def test_a_dry_run_without_any_database(self, tmp_path, monkeypatch):
        monkeypatch.setattr(costs, "network_of", lambda *_: costs.Network(10, 20, 10**9, 1000))
        chosen = options(tmp_path, preset="paper", dry_run=True, data_dir=str(tmp_path / "none"))
        chosen = dataclasses.replace(chosen, only="CUB")
        said = describe(table5_paper.study(chosen), chosen)
        assert "mgda(scope=features)" in said
        assert said.count("Missing: cub_200_2011. python -m data_prep.build") == 1
