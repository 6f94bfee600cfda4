import contextlib
import dataclasses
import json
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments import table4, table4_cad
from experiments.engine import measuring, running
from experiments.engine.measuring import measure
from experiments.problems import clothing_data, clothing_halves
from mtl_dm.reporting import RESULT_COLUMNS, read_cells, read_results
from tests.datasets.fakes import clothing_attributes as fakes
from tests.experiments.engine import tiny

IMAGES = 61
MISSING = 7  # the number of an image that is not there
ROWS = ("ST", "NC MT", "C MT (printed)")


@contextlib.contextmanager
def small_study(folder, rows=ROWS):
    """The study with one epoch of one halving, in `folder` and in this process."""
    chosen = {name: table4_cad.ROWS[name] for name in rows}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(table4_cad, "EPOCHS", dict.fromkeys(table4_cad.EPOCHS, 1))
        patch.setattr(table4_cad, "REPEATS", 1)
        patch.setattr(table4_cad, "ROWS", chosen)
        patch.setattr(
            table4_cad,
            "PLAIN",
            {name: table4_cad.PLAIN[name] for name in chosen if name in table4_cad.PLAIN},
        )
        patch.delenv("MTL_DM_COMMAND", raising=False)
        tiny.keep(patch)
        yield patch


def main(patch, *arguments):
    patch.setattr(sys, "argv", ["table4.py", "--preset=cad", "--workers=0", *map(str, arguments)])
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
        main(patch, f"--data_dir={source}", f"--only={table4_cad.ON_FEATURES}")
    return folder


@pytest.fixture
def table(source, finished):
    # Beside the finished study, so that the data are not built once more.
    with small_study(finished):
        yield clothing_data.ClothingData(source, finished / "runs" / "table4-cad")


def problem(table, *, images=False, tuned=True):
    """The first fold of the first halving."""
    fields = {
        "backbone": "compact_cnn" if images else "dense_trunk",
        "image_size": 64 if images else None,
        "augment": images,
        "batch_size": 50,
        "epochs": 1,
    }
    inner = clothing_halves.thresholds_part(table, 0, 0) if tuned else None
    return clothing_halves.ClothingHalves(
        table, clothing_halves.halves_of(table, 0, 0), fields, inner
    )


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
        saved = json.loads((finished / "runs" / "table4-cad" / "folds.json").read_text("utf-8"))
        present = sorted(set(range(IMAGES)) - {MISSING - 1})
        assert len(saved) == 6
        for first, second in saved:
            assert sorted(first + second) == present
        np.testing.assert_array_equal(saved[0][0], table.index[table.halves[0][0]])


class TestFinished:
    def test_results(self, finished):
        frame = read_results(finished / "runs" / "table4-cad" / "results.csv")
        assert list(frame.columns) == list(RESULT_COLUMNS)
        assert set(frame["row"]) == set(ROWS)
        assert set(frame["column"]) == {table4_cad.ON_FEATURES}
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
        text = (finished / "runs" / "table4-cad" / "report.md").read_text(encoding="utf-8")
        assert "**Real data**" in text
        assert "**Synthetic data**" not in text
        assert "Preset `cad`" in text
        assert "The networks differ from the paper's" in text
        assert "experiments.table4 --preset=cad --workers=0 --data_dir=" in text

    def test_a_second_call_repeats_no_cell(self, finished, source, capsys):
        with small_study(finished) as patch:
            patch.setattr(running, "compute_cell", lambda cell: 1 / 0)
            main(patch, f"--data_dir={source}", f"--only={table4_cad.ON_FEATURES}")
        assert "0 of 6 cells to compute, 6 finished before" in capsys.readouterr().out

    def test_another_budget_is_refused(self, finished, source):
        with small_study(finished) as patch:
            patch.setattr(table4_cad, "EPOCHS", dict.fromkeys(table4_cad.EPOCHS, 2))
            with pytest.raises(ValueError, match="epochs is 1 there, 2 now"):
                main(patch, f"--data_dir={source}", f"--only={table4_cad.ON_FEATURES}")

    def test_a_cell_records_what_ran(self, finished):
        path = next(
            (finished / "runs" / "table4-cad" / "cells").rglob("C_MT_printed/seed0-fold1.json")
        )
        config = json.loads(path.read_text(encoding="utf-8"))["record"]["config"]
        assert config["relatedness"] == "counted on the training half"
        assert config["thresholds_from"] == "0.2 held out of the training half"
        assert (config["backbone"], config["balancing"]) == ("dense_trunk", "equal")
        assert (config["matching_form"], config["co_annotation_form"]) == ("paper", "paper")


class TestPlan:
    def cells(self, source, finished, only=""):
        chosen = tiny.options(finished, data_dir=str(source), only=only)
        cells = table4_cad.study(chosen).cells(finished, "", only)
        # As a worker gets them.
        return [cell.key for cell in pickle.loads(pickle.dumps(cells))]

    def test_everything(self, source, table, finished):
        del table
        cells = self.cells(source, finished)
        assert len(cells) == len(set(cells)) == 2 * len(ROWS) * 2
        assert self.cells(source, finished, "CAD") == cells

    def test_one_row_or_column(self, source, table, finished):
        del table
        cells = self.cells(source, finished, "NC MT")
        assert {(row, column) for column, row, _, _ in cells} == {
            ("NC MT", column) for column in table4_cad.EPOCHS
        }
        cells = self.cells(source, finished, table4_cad.ON_IMAGES)
        assert {column for column, _, _, _ in cells} == {table4_cad.ON_IMAGES}

    def test_the_papers_protocol(self):
        assert clothing_data.REPEATS == table4_cad.REPEATS == 6
        assert (len(table4_cad.ROWS), len(table4_cad.PLAIN)) == (10, 5)
        images = table4_cad.columns(tiny.options(Path(), data_dir="nowhere"))[1]
        assert (tuple(images.rows), len(images.repeats)) == (tuple(table4_cad.PLAIN), 2)


class TestLeakage:
    """Nothing of a test half reaches training."""

    @staticmethod
    def counted(table):
        return problem(table).given(clothing_halves.COUNTED).relatedness

    def test_relatedness_is_counted_on_the_training_half(self, table):
        train, test = table.halves[0]
        before = self.counted(table)
        table.labels["attributes"][test] = 1 - np.abs(table.labels["attributes"][test])
        table.labels["category"][test] = (table.labels["category"][test] + 1) % 7
        after = self.counted(table)
        np.testing.assert_array_equal(before.conditional, after.conditional)
        np.testing.assert_array_equal(before.prior, after.prior)
        # The same change in the training half shows.
        table.labels["attributes"][train] = 1 - np.abs(table.labels["attributes"][train])
        assert not np.array_equal(before.conditional, self.counted(table).conditional)

    def test_relatedness_by_hand(self, table):
        train = np.array(table.halves[0][0])
        categories = table.labels["category"][train]
        necktie = table.labels["attributes"][train, 0]
        rows = (categories == 2) & (necktie >= 0)
        counted = self.counted(table).conditional[2, 0]
        assert counted == pytest.approx(necktie[rows].mean())

    def test_features_are_scaled_by_the_training_half(self, table):
        found = problem(table)
        (training,) = found.sources(table.tasks)
        inputs = np.stack([element[0] for element in training.as_numpy_iterator()])
        assert inputs.shape == (len(table.halves[0][0]), 6)
        np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(inputs.std(axis=0), 1, atol=1e-3)
        testing = found.test(table.tasks)
        others = np.stack([element[0] for element in testing.as_numpy_iterator()])
        assert np.abs(others.mean(axis=0)).max() > 1e-3

    def test_features_stay_with_their_labels(self, table, source):
        train, _ = table.halves[0]
        stored = np.load(source / clothing_data.FEATURES).astype(np.float32)
        # Images after the missing one would be off by one if rows were counted.
        rows = [number for number in range(IMAGES) if number != MISSING - 1]
        np.testing.assert_array_equal(table.features(), stored[rows])
        (training,) = problem(table).sources(table.tasks)
        labels = np.stack([e[1]["category"].argmax() for e in training.as_numpy_iterator()])
        known = table.labels["category"][train] >= 0
        np.testing.assert_array_equal(labels[known], table.labels["category"][train][known])

    def test_images_of_a_half_are_those_of_its_rows(self, table):
        train, test = table.halves[0]
        found = problem(table, images=True, tuned=False)
        (training,), testing = found.sources(table.tasks), found.test(table.tasks)
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

    def test_unlabelled_images_are_left_out_of_a_single_task(self, table):
        train, _ = table.halves[0]
        table.labels["category"][train[:5]] = -1
        known = (table.labels["category"][train] >= 0).sum()
        (training,) = problem(table).sources(table.tasks[:1])
        assert int(training.cardinality()) == known
        assert all(element[2]["category"] == 1 for element in training.as_numpy_iterator())


class TestThresholds:
    ROW = "C MT (printed)"

    def measure(self, table, source, finished, row=ROW, column=table4_cad.ON_FEATURES, tuned=True):
        """Measure a cell on the labels that the test has changed."""
        made = problem(table, images=column == table4_cad.ON_IMAGES, tuned=tuned)
        chosen = tiny.options(finished, data_dir=str(source))
        cells = table4_cad.study(chosen).cells(finished / "again", "")
        cell = next(each for each in cells if each.key == (column, row, 0, 0))
        return measure(dataclasses.replace(cell, problem=lambda seed, fold: made))

    def test_held_out_rows(self):
        rows = [3, 5, 8, 13, 21, 34, 55, 89, 144, 233]
        train, held = clothing_data.hold_out(rows, 0.2, (0, 1, 1))
        assert (len(train), len(held)) == (8, 2)
        assert sorted(train + held) == rows
        assert (train, held) == (sorted(train), sorted(held))
        assert clothing_data.hold_out(rows, 0.2, (0, 1, 1)) == (train, held)
        others = {tuple(clothing_data.hold_out(rows, 0.2, (0, 1, fold)).held) for fold in range(9)}
        assert len(others) > 1

    def test_test_labels_have_no_part_in_them(self, table, source, finished):
        before = self.measure(table, source, finished)
        train, test = table.halves[0]
        order = np.random.default_rng(0).permutation(test)
        for labels in table.labels.values():
            labels[test] = labels[order]
        after = self.measure(table, source, finished)
        assert after.evidence["thresholds"] == before.evidence["thresholds"]
        assert after.metrics["attributes"]["f1_tuned"] != before.metrics["attributes"]["f1_tuned"]
        # The same change where they are chosen shows.
        held = clothing_halves.thresholds_part(table, 0, 0).held
        assert set(held) < set(train)
        labels = table.labels["attributes"]
        labels[held] = np.where(labels[held] >= 0, 1 - labels[held], -1)
        chosen = self.measure(table, source, finished).evidence["thresholds"]
        assert chosen != before.evidence["thresholds"]

    def test_only_the_training_half_is_given_and_all_rows_hold_out_the_same(
        self, table, source, finished, monkeypatch
    ):
        seen = []
        fit = measuring.fit

        def watched(problem, config, group, sources, start=None):
            seen.append((problem._halves, [task.name for task in group]))
            return fit(problem, config, group, sources, start)

        monkeypatch.setattr(measuring, "fit", watched)
        train, test = table.halves[0]
        for row in ("NC MT", "ST"):
            self.measure(table, source, finished, row)
        both = ["category", "attributes"]
        # ST: the network of categories has no thresholds and is trained once.
        assert [names for _, names in seen] == [
            both, both, ["category"], ["attributes"], ["attributes"],
        ]  # fmt: skip
        assert [tuple(seen[place][0]) for place in (0, 2, 3)] == [(train, test)] * 3
        inner = [seen[1][0], seen[4][0]]
        assert inner[0] == inner[1]
        assert sorted(inner[0].train + inner[0].held) == train

    def test_leave_the_numbers_at_one_half_alone(self, table, source, finished):
        with_them = self.measure(table, source, finished).metrics
        without = self.measure(table, source, finished, tuned=False)
        assert without.evidence["thresholds"] == {}
        for task, metrics in without.metrics.items():
            same = {name: with_them[task][name] for name in metrics}
            assert same == pytest.approx(metrics, nan_ok=True, abs=0)
        beside = set(with_them["attributes"]) - set(without.metrics["attributes"])
        assert {"f1_tuned", "accuracy_tuned", "afa_tuned"} < beside
        assert set(with_them["category"]) == set(without.metrics["category"])

    def test_stand_in_the_results_beside_one_half(self, finished):
        frame = read_results(finished / "runs" / "table4-cad" / "results.csv")
        for row in ROWS:
            metrics = set(frame[(frame["row"] == row) & (frame["task"] == "attributes")]["metric"])
            assert {"f1", "f1_tuned", "accuracy_tuned", "f1_tuned/red"} < metrics
        text = (finished / "runs" / "table4-cad" / "report.md").read_text(encoding="utf-8")
        assert "attributes f1 | attributes f1_tuned | attributes accuracy |" in text
        assert "scored by a second network" in text

    def test_a_cell_of_other_thresholds_is_refused(self, finished, source):
        with small_study(finished) as patch:
            patch.setattr(clothing_halves, "HELD_OUT", 0.3)
            with pytest.raises(ValueError, match=r"thresholds_from is '0.2 held out.* now"):
                main(patch, f"--data_dir={source}", f"--only={table4_cad.ON_FEATURES}")

    def test_image_column_trains_without(self, table, source, finished):
        column = table4_cad.ON_IMAGES
        metrics, steps, evidence = self.measure(table, source, finished, column=column, tuned=False)
        assert len(evidence["samples"]) == 12
        # A second training there costs minutes: see `table4_cad.columns`.
        assert evidence["thresholds"] == {}
        assert "f1_tuned" not in metrics["attributes"]
        assert steps == 1
        assert set(metrics) == {"category", "attributes"}
        assert 0 <= metrics["category"]["accuracy"] <= 1


def test_missing_features_name_the_way_without(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"cad_mobilenetv2.*ONLY='CAD / compact CNN"):
        table4_cad.require_features(str(tmp_path))


def test_data_dir_is_needed(tmp_path):
    with small_study(tmp_path) as patch, pytest.raises(ValueError, match="PRESET=cad needs DATA"):
        main(patch)


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
        main(patch, f"--data_dir={folder}", f"--only={table4_cad.ON_FEATURES}")
    cells = read_cells(tmp_path / "runs" / "table4-cad", "table4").cells
    assert len(cells) == 2
    for cell in cells:
        # One epoch beats guessing the commonest of seven categories (a quarter).
        assert cell.metrics["category"]["accuracy"] > 0.3
        attributes = cell.metrics["attributes"]
        # The printed losses press attributes below 0.5; the ranking is there all the same.
        assert attributes["f1_tuned"] > attributes["f1"] + 0.1
