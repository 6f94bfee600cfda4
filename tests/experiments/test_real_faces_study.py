"""Real faces with few labels: who carries what, what is planned, what the verdict says."""

import dataclasses
import json

import numpy as np
import pytest
from scipy import stats

from experiments import real_faces as study_file
from experiments.engine import costs, running
from experiments.engine.dry_run import describe
from experiments.engine.networks import configuration
from experiments.problems import face_regimes, real_faces
from experiments.problems.face_regimes import REGIMES, SHARES, TWO_DATABASES, FaceRegime, contents
from experiments.problems.facial_movements import EVERY, MOVEMENTS
from experiments.problems.real_faces_data import Faces, RealFaces
from experiments.real_faces import (
    BALANCED,
    BELIEVED,
    GOALS,
    ON_BALANCED,
    ROWS,
    UNCOUPLED,
    named,
)
from experiments.real_faces_verdict import METRICS, PAIRS, PLACES, Goal, checked, gaps, verdict
from mtl_dm.relatedness import facs
from mtl_dm.reporting import to_frame
from mtl_dm.runs.schema import Cell
from mtl_dm.tasks import EXPRESSIONS
from tests.experiments.engine import tiny

SIZE, REPEATS, NO_FACE = 420, 20, 60
FIELDS = {"batch_size": 8, "epochs": 2, "steps_per_epoch": 1}


def some(size, seed, no_face=0, high=1.0):
    """Different images of all classes, in some of which no face was found."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.0, high, (size, len(EVERY))).astype(np.float32)
    scores[:no_face] = np.nan
    pixels = rng.integers(0, 256, (size, 48, 48), np.uint8)
    return Faces(pixels, np.arange(size, dtype=np.int64) % len(EXPRESSIONS), scores)


@pytest.fixture(scope="module")
def faces():
    train = some(SIZE, 0, NO_FACE, high=0.8)
    train.images[-REPEATS:] = train.images[-2 * REPEATS : -REPEATS]
    few = some(28, 1)
    other = some(30, 2, high=0.4)
    return RealFaces(
        train, few, few, some(21, 3, 2), other, some(14, 4), np.full(14, 0.3), 3, 2, 1, ""
    )


@pytest.fixture(autouse=True)
def read(faces, monkeypatch):
    monkeypatch.setattr(real_faces, "real_faces", lambda data_dir, movements: faces)


def regime(name, seed=0):
    return FaceRegime("somewhere", name, "test", {**FIELDS, "seed": seed})


def images(source):
    return [inputs.tobytes() for inputs, _, _ in source.as_numpy_iterator()]


class TestRegimes:
    @pytest.mark.parametrize("name", SHARES)
    def test_a_share_carries_its_class_and_the_others_their_movements(self, name):
        problem = regime(name)
        classes, movements = problem.sources(problem.tasks)
        different = SIZE - REPEATS
        assert classes.cardinality() == round(SHARES[name] * different)
        without = different - NO_FACE
        left = (1 - SHARES[name]) * different
        assert max(0, left - NO_FACE) <= int(movements.cardinality()) <= min(left, without)
        assert problem.record["carry"] == {
            "expression": int(classes.cardinality()),
            "facial_movements": int(movements.cardinality()),
        }
        assert list(classes.element_spec[1]) == ["expression"]
        assert list(movements.element_spec[1]) == ["facial_movements"]

    def test_no_image_carries_both_and_none_is_tested(self):
        problem = regime("10% of classes")
        classes, movements = map(images, problem.sources(problem.tasks))
        tested = images(problem.test(problem.tasks))
        tested += images(problem.further(problem.tasks)["lfw"])
        seen = [*classes, *movements]
        assert len(seen) == len(set(seen))
        assert len(tested) == 35
        assert not set(seen) & set(tested)

    def test_movements_that_train_were_all_measured(self):
        problem = regime("1% of movements")
        source = problem.sources(problem.tasks)[1]
        masks = [masks["facial_movements"] for _, _, masks in source.as_numpy_iterator()]
        assert masks
        assert np.all(masks)

    def test_the_seed_draws_and_less_is_among_more(self):
        few, more, other = (
            set(
                images(regime(f"{share}% of classes", seed).sources(regime(TWO_DATABASES).tasks)[0])
            )
            for share, seed in ((1, 0), (10, 0), (1, 1))
        )
        assert few < more
        assert few != other

    def test_two_databases_are_whole(self, faces):
        problem = regime(TWO_DATABASES)
        assert problem.record["carry"] == {"expression": SIZE, "facial_movements": 30}
        assert problem.record["thresholds"] == [0.3] * 14
        assert problem.config.datasets != regime("1% of classes").config.datasets

    def test_thresholds_are_of_the_images_that_carry_movements(self, faces):
        # The upper quartile of scores between 0 and 0.8.
        found = np.array(regime("1% of movements").record["thresholds"])
        assert np.abs(found - 0.6).max() < 0.08
        np.testing.assert_allclose(
            found, np.nanquantile(faces.train.scores, 0.75, axis=0), atol=1e-4
        )
        assert regime("10% of classes").record["thresholds"] == found.tolist()

    def test_no_thresholds_are_chosen(self):
        problem = regime("1% of classes")
        assert problem.validation(problem.tasks) is None
        assert problem.calibrated

    def test_unknown(self):
        with pytest.raises(ValueError, match=r"Unknown regime '5%'. Known: \['1% of classes'"):
            regime("5%")

    def test_contents_are_rows_of_first_sight(self):
        pixels = np.array([[1, 2], [3, 4], [1, 2], [5, 6], [3, 4]], np.uint8)
        assert contents(pixels) == [0, 1, 3]


class TestRelatedness:
    def test_each_row_has_its_own(self, faces):
        problem = regime("1% of classes", seed=1)
        names = {row: configuration(problem, method).relatedness for row, method in ROWS.items()}
        near = problem.given(names["default, Table 1"]).relatedness
        assert near.attributes == MOVEMENTS
        assert set(EVERY) - set(near.attributes) == {"mouthLowerDown", "mouthPucker"}
        assert set(near.classes) == set(facs().classes)
        counted = problem.given(names["default"]).relatedness
        assert counted.attributes == EVERY
        assert counted.counts[:, 0].sum() == len(faces.co_annotated.images)
        assert names["printed"] == names["default"]
        learned = problem.given(names["default, learned"])
        assert learned.learned
        # Nothing but the rates of what is labelled: the same for every class.
        assert np.ptp(learned.relatedness.conditional, axis=0).max() == pytest.approx(0)
        permuted = problem.given(names["default, permuted"]).relatedness
        places = [
            np.abs(counted.conditional - row).sum(axis=1).argmin() for row in permuted.conditional
        ]
        assert sorted(places) == list(range(7))
        assert all(place != row for row, place in enumerate(places))
        assert problem.given("facs") is None


def planned(folder, preset="full", **changes):
    return study_file.study(
        tiny.options(folder, **{"preset": preset, "data_dir": "somewhere", **changes})
    )


class TestStudy:
    def test_full(self, tmp_path):
        found = planned(tmp_path)
        *compact, mobile = found.columns
        assert [column.name for column in compact] == [named(name) for name in REGIMES]
        assert [len(column.repeats) for column in compact] == [5, 5, 3, 3, 3]
        assert len(mobile.repeats) == 5
        assert mobile.group == compact[0].group == "1% of classes"
        made = mobile.problem(1, None)
        assert made.record == compact[0].problem(1, None).record
        assert found.rows_of(mobile) == (UNCOUPLED, "default", BALANCED, ON_BALANCED)
        assert all(found.rows_of(column) == (*ROWS, *BELIEVED) for column in compact[:2])
        assert all(found.rows_of(column) == tuple(ROWS) for column in compact[2:])
        # What the goals need comes first.
        assert set(found.first) == {UNCOUPLED, *(goal.row for goal in GOALS)}

    def test_the_best_method_weighs_the_tasks_alone_where_they_are_coupled(self, tmp_path):
        found = planned(tmp_path)
        balanced, both = found.rows[BALANCED].changes, found.rows[ON_BALANCED].changes
        assert balanced["balancing"] == study_file.BALANCING
        assert "balances=tasks" in both["balancing"]
        spec = found.specification("")
        assert spec.baselines_of(ON_BALANCED).all == ("ST", BALANCED, UNCOUPLED)
        assert spec.baselines_of("default").all == ("ST", UNCOUPLED)

    def test_quick_is_one_seed_of_the_fewest_labels(self, tmp_path):
        found = planned(tmp_path, "quick")
        assert [column.name for column in found.columns] == [
            named("1% of classes"), named("1% of movements"),
        ]  # fmt: skip
        assert tuple(found.rows) == (*ROWS, *BELIEVED)
        cells = found.cells(tmp_path, "", named("1% of movements"))
        assert len(cells) == len(ROWS) + len(BELIEVED)
        # Where the data lie on this machine is no part of what decides a value.
        assert "somewhere" not in json.dumps([cell.plan.config for cell in cells])

    def test_rows_differ_in_what_couples_alone(self, tmp_path):
        problem = regime("1% of movements")
        plain = configuration(problem, ROWS[UNCOUPLED]).to_dict()
        for row, method in ROWS.items():
            config = configuration(problem, method).to_dict()
            differs = {name for name, value in config.items() if value != plain.get(name)}
            coupled = {"relatedness", "matching_form", "co_annotation_form"}
            assert differs <= coupled | {"trust", "gate", "rule"}, row
        for row, method in BELIEVED.items():
            config = configuration(problem, method)
            assert (config.trust, config.gate) == (False, False)
            judged = configuration(problem, ROWS[row.removesuffix(", believed")])
            assert config.replace(trust=None, gate=None) == judged

    def test_movements_are_never_called_action_units(self, tmp_path):
        spec = planned(tmp_path).specification("")
        said = " ".join([spec.title, spec.intro, *spec.notes, *spec.rows, *spec.columns])
        assert "action unit" not in said.lower()
        assert not any(f"AU{digit}" in said for digit in range(10))
        assert {f"facial_movements{place}" for place in PLACES.values()} < set(spec.main_metrics)
        assert all("ece" in metrics for metrics in spec.main_metrics.values())

    def test_what_is_said_is_counted(self, tmp_path):
        notes = " ".join(planned(tmp_path).specification("").notes)
        carry = regime("1% of classes").record["carry"]
        assert f"4 carry their expression alone and {carry['facial_movements']} their" in notes
        assert "420 images of FER2013 carry their expression alone, 30 of LFW's" in notes
        assert "Table 1 says something of 12 of them" in notes
        assert "movements on the 19 in which a face was found; 3 images" in notes

    def test_data_dir_is_needed(self, tmp_path):
        with pytest.raises(ValueError, match="Real faces need DATA_DIR"):
            planned(tmp_path, data_dir="")

    def test_a_dry_run_says_how_long_it_takes(self, tmp_path, monkeypatch):
        monkeypatch.setattr(costs, "network_of", lambda *_: costs.Network(10, 20, 10**9, 1000))
        chosen = tiny.options(
            tmp_path / "runs",
            preset="quick",
            data_dir="somewhere",
            workers=2,
            dry_run=True,
            only="default, learned",
        )
        found = study_file.study(chosen)
        said = describe(found, chosen)
        assert said.startswith(f"2 cells{running.expected(found, 2, 2)}; nothing is trained.")
        assert f"about {study_file.SECONDS / 60:.0f} min (an estimate" in said
        assert not (tmp_path / "runs").exists()


def cells(column, gains, seeds=5, spread=0.004):
    """Cells of rows whose every metric lies above the uncoupled row's by a gain; ece too."""
    rng = np.random.default_rng(0)
    base = {(pair, seed): 0.5 + 0.05 * rng.normal() for pair in PAIRS for seed in range(seeds)}
    for row, gain in {UNCOUPLED: dict.fromkeys(PAIRS, 0.0), **gains}.items():
        for seed in range(seeds):
            noise = 0.0 if row == UNCOUPLED else spread
            metrics = {f"{task}{place}": {} for place in PLACES.values() for task in METRICS}
            for pair in PAIRS:
                value = base[pair, seed] + gain.get(pair, 0.0) + noise * rng.normal()
                metrics[pair[0]][pair[1]] = value
            yield Cell("real_faces", column, row, seed, None, "full", "x", metrics, 1.0, 1)


ACCURACY, BALANCE = ("expression", "accuracy"), ("expression", "average_accuracy")
COLUMN = named("1% of classes")
AGAINST = {"default": UNCOUPLED, "default, permuted": UNCOUPLED}


def found(gains, **changes):
    return gaps(to_frame(cells(COLUMN, gains, **changes)), COLUMN, AGAINST)


class TestVerdict:
    def test_differences_are_paired_and_adjusted_over_the_rows(self):
        gains = {"default": {ACCURACY: 0.06}, "default, permuted": {ACCURACY: 0.004}}
        frame = to_frame(cells(COLUMN, gains))
        each = {row: gap for (row, pair), gap in found(gains).items() if pair == ACCURACY}
        table = frame[(frame["task"] == "expression") & (frame["metric"] == "accuracy")]
        values = table.pivot_table(index="seed", columns="row", values="value")
        p = {row: stats.ttest_rel(values[row], values[UNCOUPLED]).pvalue for row in AGAINST}
        assert each["default"].p == pytest.approx(2 * p["default"])
        assert each["default, permuted"].p == pytest.approx(p["default, permuted"])
        assert each["default"].difference.mean == pytest.approx(
            (values["default"] - values[UNCOUPLED]).mean()
        )

    def test_goals_are_reached_or_missed(self):
        goal = Goal(COLUMN, "default", {ACCURACY: 5.0, BALANCE: 4.0})
        reached = checked(goal, found({"default": {ACCURACY: 0.06, BALANCE: 0.05}}))
        assert "reached (expression accuracy +" in reached
        assert "wanted at least +4" in reached
        missed = checked(goal, found({"default": {ACCURACY: 0.06, BALANCE: 0.03}}))
        assert "MISSED" in missed
        assert checked(goal, {}).endswith("not measured yet")

    def test_harm_is_named_and_a_higher_calibration_error_is_harm(self):
        goal = Goal(COLUMN, "default", {ACCURACY: 0.0}, unharmed=True)
        error = ("facial_movements_lfw", "ece")
        harmed = checked(goal, found({"default": {ACCURACY: 0.02, error: 0.1}}))
        assert "MISSED" in harmed
        assert (
            "decidedly worse in facial_movements_lfw ece, decidedly better in expression" in harmed
        )
        better = checked(goal, found({"default": {ACCURACY: 0.02, error: -0.1}}))
        assert ": reached (" in better
        assert "decidedly worse in nothing" in better
        no_gain = checked(goal, found({"default": {ACCURACY: -0.001}}, spread=0.0))
        assert "MISSED" in no_gain
        assert "wanted above 0" in no_gain

    def test_one_seed_decides_nothing(self):
        goal = Goal(COLUMN, "default, permuted", unharmed=True)
        one = found({"default, permuted": {ACCURACY: -0.3}}, seeds=1, spread=0.0)
        assert not any(gap.decided for gap in one.values())
        assert "decidedly worse in nothing" in checked(goal, one)
        assert one["default, permuted", ACCURACY].text == "-30.0"

    def test_text_has_both_test_sets_of_every_column(self):
        frame = to_frame(cells(COLUMN, {"default": {ACCURACY: 0.06}}))
        text = verdict(frame, {COLUMN: AGAINST, named("10% of classes"): AGAINST}, GOALS)
        assert text.count("| FER2013's PublicTest | minus | expression accuracy |") == 2
        assert text.count("| unseen people of LFW | minus | expression accuracy |") == 2
        assert "| default, permuted | NC MT | — | — |" in text
        assert "10% of classes / compact CNN, default: not measured yet" in text
        assert "two databases" not in text
        assert text.count("(p ") >= len(PAIRS)

    def test_goals_are_of_rows_and_metrics_that_are_there(self, tmp_path):
        columns = {column.name: column.rows for column in planned(tmp_path).columns}
        for goal in GOALS:
            assert goal.row in columns[goal.column]
            assert set(goal.least) <= set(PAIRS)
        wanted = {(goal.column.partition(" /")[0], *pair): least
                  for goal in GOALS for pair, least in goal.least.items()}  # fmt: skip
        assert wanted == {
            ("1% of classes", "expression", "accuracy"): 5.0,
            ("1% of classes", "expression", "average_accuracy"): 4.0,
            ("1% of movements", "facial_movements", "f1"): 10.0,
            ("1% of movements", "facial_movements", "average_precision"): 2.0,
            ("10% of classes", "expression", "accuracy"): 0.0,
            ("10% of movements", "facial_movements", "f1"): 0.0,
        }


def test_verdict_is_written_from_the_cells_that_are_there(tmp_path, monkeypatch):
    for cell in cells(COLUMN, {"default": {ACCURACY: 0.06}}, seeds=2):
        path = tmp_path / "cells" / f"{cell.row}{cell.seed}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(dataclasses.replace(cell, record={"config": {}}).to_json())
    study_file.write_verdict({COLUMN: AGAINST}, tmp_path)
    text = (tmp_path / study_file.VERDICT).read_text(encoding="utf-8")
    assert f"## {COLUMN}" in text
    assert face_regimes.TWO_DATABASES not in text
