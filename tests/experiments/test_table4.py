import contextlib
import dataclasses
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments import clothing_data, study, table4
from mtl_dm.reporting import RESULT_COLUMNS, read_cells, read_results
from tests.datasets.fakes import clothing_attributes as fakes

IMAGES = 61
MISSING = 7  # the number of an image that is not there
ROWS = ("ST", "NC MT", "C MT (printed)")


@contextlib.contextmanager
def small_study(folder, rows=ROWS):
    """The study with one epoch of one halving, in `folder`."""
    columns = {
        name: dataclasses.replace(column, epochs=1, repeats=1)
        for name, column in table4.COLUMNS.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(table4, "COLUMNS", columns)
        patch.setattr(table4, "ROWS", {name: table4.ROWS[name] for name in rows})
        patch.setattr(study, "make_deterministic", lambda: None)
        patch.delenv("MTL_DM_COMMAND", raising=False)
        yield patch


def main(patch, *arguments):
    patch.setattr(sys, "argv", ["table4.py", *map(str, arguments)])
    table4.main()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A folder like DATA_DIR: images, random labels, features; one image missing."""
    parent = tmp_path_factory.mktemp("source")
    folder = fakes.write_cad(parent, IMAGES)
    rng = np.random.default_rng(0)
    for name in fakes.FILES:
        values = {"category": 7, "sleevelength": 3, "neckline": 3}.get(name, 2)
        column = rng.integers(1, values + 1, IMAGES).astype(float)
        # Complete where every class occurs, so that any half can count every pair.
        column[56:][rng.random(IMAGES - 56) < 0.5] = np.nan
        if name == "category":
            column[:56] = np.tile(np.arange(1, 8), 8)
        fakes.write_label(folder, name, column)
    (folder / "images" / f"{MISSING:06d}.jpg").unlink()
    (parent / "features").mkdir()
    features = rng.normal(size=(IMAGES, 6)).astype(np.float16)
    np.save(parent / clothing_data.FEATURES, features)
    return parent


@pytest.fixture(scope="module")
def finished(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("table4")
    with small_study(folder) as patch:
        main(patch, f"--data_dir={source}", f"--only={table4.ON_FEATURES}")
    return folder


@pytest.fixture
def table(source, finished):
    # Beside the finished study, so that the data are not built once more.
    with small_study(finished):
        yield table4.ClothingTable(source, finished / "runs" / "table4")


class TestFolds:
    def test_six_different_disjoint_halvings(self):
        halves = clothing_data.folds(61, 6, seed=0)
        assert len(halves) == 6
        for first, second in halves:
            assert not set(first) & set(second)
            assert sorted(first + second) == list(range(61))
            assert abs(len(first) - len(second)) == 1
        assert len({tuple(first) for first, _ in halves}) == 6

    def test_the_seed_decides(self):
        assert clothing_data.folds(20, 2, 0) == clothing_data.folds(20, 2, 0)
        assert clothing_data.folds(20, 2, 0) != clothing_data.folds(20, 2, 1)

    def test_are_saved_as_rows_of_the_released_files(self, finished, table):
        saved = json.loads((finished / "runs" / "table4" / "folds.json").read_text("utf-8"))
        present = sorted(set(range(IMAGES)) - {MISSING - 1})
        assert len(saved) == 6
        for first, second in saved:
            assert sorted(first + second) == present
        np.testing.assert_array_equal(saved[0][0], table.index[table.halves[0][0]])


class TestFinished:
    def test_results(self, finished):
        frame = read_results(finished / "runs" / "table4" / "results.csv")
        assert list(frame.columns) == list(RESULT_COLUMNS)
        assert set(frame["row"]) == set(ROWS)
        assert set(frame["column"]) == {table4.ON_FEATURES}
        assert set(frame["fold"]) == {0, 1}
        assert set(frame["dataset"]) == {"clothing_attributes (real)"}
        for row in ROWS:
            measured = frame[(frame["row"] == row) & (frame["fold"] == 1)]
            pairs = set(zip(measured["task"], measured["metric"], strict=True))
            assert {
                ("category", "accuracy"),
                ("attributes", "f1"),
                ("attributes", "f1/red"),
            } < pairs
        assert not frame.duplicated(["row", "task", "metric", "seed", "fold"]).any()

    def test_report_states_what_it_is(self, finished):
        text = (finished / "runs" / "table4" / "report.md").read_text(encoding="utf-8")
        assert "**Real data**" in text
        assert "**Synthetic data**" not in text
        assert "Preset `demo`" in text
        assert "The networks differ from the paper's" in text
        assert "experiments.table4 --data_dir=" in text

    def test_a_second_call_repeats_no_cell(self, finished, source, capsys):
        calls = []
        with small_study(finished) as patch:
            patch.setattr(table4.ClothingTable, "measure", lambda *_: calls.append(_))
            main(patch, f"--data_dir={source}", f"--only={table4.ON_FEATURES}")
        assert calls == []
        assert capsys.readouterr().out.count("finished before") == 2 * len(ROWS)

    def test_another_budget_is_refused(self, finished, source):
        with small_study(finished) as patch:
            longer = dataclasses.replace(table4.COLUMNS[table4.ON_FEATURES], epochs=2)
            patch.setitem(table4.COLUMNS, table4.ON_FEATURES, longer)
            with pytest.raises(ValueError, match="epochs is 1 there, 2 now"):
                main(patch, f"--data_dir={source}", f"--only={table4.ON_FEATURES}")


class TestPlan:
    def jobs(self, finished, source, *arguments):
        planned = []
        with small_study(finished, tuple(table4.ROWS)) as patch:
            patch.setattr(table4, "run_study", lambda _, jobs, spec: planned.extend(jobs))
            main(patch, f"--data_dir={source}", *arguments)
        return [(plan.column, plan.row, plan.seed, plan.fold) for plan, _ in planned]

    def test_everything(self, finished, source):
        jobs = self.jobs(finished, source, "--only=CAD")
        assert len(jobs) == len(set(jobs)) == 2 * 10 + 2 * 5
        assert {row for _, row, _, _ in jobs} == set(table4.ROWS)
        assert self.jobs(finished, source) == jobs

    def test_one_row_or_column(self, finished, source):
        jobs = self.jobs(finished, source, "--only=NC MT")
        assert {(row, column) for column, row, _, _ in jobs} == {
            ("NC MT", column) for column in table4.COLUMNS
        }
        jobs = self.jobs(finished, source, f"--only={table4.ON_IMAGES}")
        assert {column for column, _, _, _ in jobs} == {table4.ON_IMAGES}

    def test_the_papers_protocol(self):
        assert clothing_data.REPEATS == 6
        assert table4.COLUMNS[table4.ON_FEATURES].repeats == 6


class TestLeakage:
    """Nothing of a test half reaches training."""

    @pytest.fixture
    def halves(self, table):
        return table.halves[0]

    @staticmethod
    def conditional(table, train):
        (coupling,) = table.couplings("C MT (printed)", train)
        return coupling.relatedness

    def test_relatedness_is_counted_on_the_training_half(self, table, halves):
        train, test = halves
        before = self.conditional(table, train)
        table.labels["attributes"][test] = 1 - np.abs(table.labels["attributes"][test])
        table.labels["category"][test] = (table.labels["category"][test] + 1) % 7
        after = self.conditional(table, train)
        np.testing.assert_array_equal(before.conditional, after.conditional)
        np.testing.assert_array_equal(before.prior, after.prior)
        # The same change in the training half shows.
        table.labels["attributes"][train] = 1 - np.abs(table.labels["attributes"][train])
        assert not np.array_equal(before.conditional, self.conditional(table, train).conditional)

    def test_relatedness_by_hand(self, table, halves):
        train = np.array(halves[0])
        relatedness = self.conditional(table, train)
        categories = table.labels["category"][train]
        necktie = table.labels["attributes"][train, 0]
        rows = (categories == 2) & (necktie >= 0)
        assert relatedness.conditional[2, 0] == pytest.approx(necktie[rows].mean())

    def test_features_are_scaled_by_the_training_half(self, table, halves):
        train, test = halves
        training, testing = table.sources(table4.ON_FEATURES, table.tasks, train, test)
        inputs = np.stack([element[0] for element in training.as_numpy_iterator()])
        assert inputs.shape == (len(train), 6)
        np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(inputs.std(axis=0), 1, atol=1e-3)
        others = np.stack([element[0] for element in testing.as_numpy_iterator()])
        assert np.abs(others.mean(axis=0)).max() > 1e-3

    def test_features_stay_with_their_labels(self, table, halves, source):
        train, test = halves
        stored = np.load(source / clothing_data.FEATURES).astype(np.float32)
        # Images after the missing one would be off by one if rows were counted.
        rows = [number for number in range(IMAGES) if number != MISSING - 1]
        np.testing.assert_array_equal(table.features(), stored[rows])
        training, _ = table.sources(table4.ON_FEATURES, table.tasks, train, test)
        labels = np.stack([e[1]["category"].argmax() for e in training.as_numpy_iterator()])
        known = table.labels["category"][train] >= 0
        np.testing.assert_array_equal(labels[known], table.labels["category"][train][known])

    def test_images_of_a_half_are_those_of_its_rows(self, table, halves):
        train, test = halves
        training, testing = table.sources(table4.ON_IMAGES, table.tasks, train, test)
        assert training.element_spec[0].shape == (64, 64, 3)
        assert int(training.cardinality()) == len(train)
        assert int(testing.cardinality()) == len(test)
        labels = sorted(
            np.flatnonzero(element[1]["category"]).tolist()
            for element in testing.as_numpy_iterator()
        )
        wanted = sorted(
            [value] if value >= 0 else [] for value in table.labels["category"][test].tolist()
        )
        assert labels == wanted

    def test_unlabelled_images_are_left_out_of_a_single_task(self, table, halves):
        train, test = halves
        table.labels["category"][train[:5]] = -1
        known = (table.labels["category"][train] >= 0).sum()
        training, _ = table.sources(table4.ON_FEATURES, table.tasks[:1], train, test)
        assert int(training.cardinality()) == known
        assert all(element[2]["category"] == 1 for element in training.as_numpy_iterator())


class TestThresholds:
    ROW = "C MT (printed)"

    def measure(self, table, row=ROW):
        return table.measure(table4.ON_FEATURES, row, 0, 0)

    def test_held_out_rows(self):
        rows = [3, 5, 8, 13, 21, 34, 55, 89, 144, 233]
        train, held = clothing_data.hold_out(rows, 0.2, (0, 1, 1))
        assert (len(train), len(held)) == (8, 2)
        assert sorted(train + held) == rows
        assert (train, held) == (sorted(train), sorted(held))
        assert clothing_data.hold_out(rows, 0.2, (0, 1, 1)) == (train, held)
        others = {tuple(clothing_data.hold_out(rows, 0.2, (0, 1, fold)).held) for fold in range(9)}
        assert len(others) > 1

    def test_test_labels_have_no_part_in_them(self, table):
        before = self.measure(table)
        train, test = table.halves[0]
        order = np.random.default_rng(0).permutation(test)
        for labels in table.labels.values():
            labels[test] = labels[order]
        after = self.measure(table)
        assert after.evidence["thresholds"] == before.evidence["thresholds"]
        assert after.metrics["attributes"]["f1_tuned"] != before.metrics["attributes"]["f1_tuned"]
        # The same change where they are chosen shows.
        _, held = clothing_data.hold_out(train, table4.HELD_OUT, (clothing_data.SPLIT_SEED, 0, 0))
        labels = table.labels["attributes"]
        labels[held] = np.where(labels[held] >= 0, 1 - labels[held], -1)
        chosen = self.measure(table).evidence["thresholds"]
        assert chosen != before.evidence["thresholds"]

    def test_only_the_training_half_is_given_and_all_rows_hold_out_the_same(
        self, table, monkeypatch
    ):
        seen = []
        fit = table.fit
        monkeypatch.setattr(table, "fit", lambda *args: seen.append(args) or fit(*args))
        train, test = table.halves[0]
        for row in ("NC MT", "ST"):
            self.measure(table, row)
        names = [[task.name for task in group] for _, _, _, group, _ in seen]
        both = ["category", "attributes"]
        # ST: the network of categories has no thresholds and is trained once.
        assert names == [both, both, ["attributes"], ["category"], ["attributes"]]
        inner = [seen[0][-1], seen[2][-1]]
        assert inner[0] == inner[1]
        assert sorted(inner[0].train + inner[0].held) == train
        assert [seen[place][-1] for place in (1, 3, 4)] == [(train, test)] * 3

    def test_leave_the_numbers_at_one_half_alone(self, table, monkeypatch):
        with_them = self.measure(table).metrics
        plain = dataclasses.replace(table4.COLUMNS[table4.ON_FEATURES], tuned=False)
        monkeypatch.setitem(table4.COLUMNS, table4.ON_FEATURES, plain)
        without = self.measure(table)
        assert without.evidence["thresholds"] == {}
        for task, metrics in without.metrics.items():
            same = {name: with_them[task][name] for name in metrics}
            assert same == pytest.approx(metrics, nan_ok=True, abs=0)
        beside = set(with_them["attributes"]) - set(without.metrics["attributes"])
        assert {"f1_tuned", "accuracy_tuned", "afa_tuned"} < beside
        assert set(with_them["category"]) == set(without.metrics["category"])

    def test_stand_in_the_results_beside_one_half(self, finished):
        frame = read_results(finished / "runs" / "table4" / "results.csv")
        for row in ROWS:
            metrics = set(frame[(frame["row"] == row) & (frame["task"] == "attributes")]["metric"])
            assert {"f1", "f1_tuned", "accuracy_tuned", "f1_tuned/red"} < metrics
        text = (finished / "runs" / "table4" / "report.md").read_text(encoding="utf-8")
        assert "attributes f1 | attributes f1_tuned | attributes accuracy |" in text
        assert "scored by a second network" in text

    def test_a_cell_of_other_thresholds_is_refused(self, finished, source):
        with small_study(finished) as patch:
            patch.setattr(table4, "HELD_OUT", 0.3)
            with pytest.raises(ValueError, match=r"thresholds_from is '0.2 held out.* now"):
                main(patch, f"--data_dir={source}", f"--only={table4.ON_FEATURES}")


def test_image_column_trains(table):
    metrics, steps, evidence = table.measure(table4.ON_IMAGES, "C MT (printed)", 0, 1)
    assert len(evidence["samples"]) == 12
    # A second training there costs minutes: see COLUMNS.
    assert evidence["thresholds"] == {}
    assert "f1_tuned" not in metrics["attributes"]
    assert steps == 1
    assert set(metrics) == {"category", "attributes"}
    assert 0 <= metrics["category"]["accuracy"] <= 1


def test_missing_features_name_the_way_without(table, tmp_path):
    table._source = tmp_path
    with pytest.raises(FileNotFoundError, match=r"cad_mobilenetv2.*ONLY='CAD / compact CNN"):
        table4.require_features(table)


def test_data_dir_is_needed(tmp_path, capsys):
    with small_study(tmp_path) as patch, pytest.raises(SystemExit) as stop:
        main(patch)
    assert stop.value.code == 2
    assert "--data_dir" in capsys.readouterr().err


def test_nothing_at_data_dir(tmp_path):
    with (
        small_study(tmp_path) as patch,
        pytest.raises(FileNotFoundError, match=r"does not exist or is empty|ClothingAttribute"),
    ):
        main(patch, f"--data_dir={tmp_path / 'nowhere'}")


def test_the_real_data(tmp_path):
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("MTL_DM_TEST_DATA", beside))
    if (
        not (folder / "ClothingAttributeDataset").is_dir()
        or not (folder / clothing_data.FEATURES).is_file()
    ):
        pytest.skip(f"no Clothing Attribute Dataset with features in {folder}: MTL_DM_TEST_DATA")
    with small_study(tmp_path, ("C MT (printed)",)) as patch:
        main(patch, f"--data_dir={folder}", f"--only={table4.ON_FEATURES}")
    cells = read_cells(tmp_path / "runs" / "table4", "table4").cells
    assert len(cells) == 2
    for cell in cells:
        # One epoch beats guessing the commonest of seven categories (a quarter).
        assert cell.metrics["category"]["accuracy"] > 0.3
        attributes = cell.metrics["attributes"]
        # The printed losses press attributes below 0.5; the ranking is there all the same.
        assert attributes["f1_tuned"] > attributes["f1"] + 0.1
