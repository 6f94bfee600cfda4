"""The study of multi-source transfer: its cells, what is refused, what its page says."""

import dataclasses
import json
import pickle

import keras
import numpy as np
import pandas as pd
import pytest

from experiments import transfer
from experiments.engine.options import Options
from experiments.transferring import cells, claim, heads, images, page, sources, tables, transfers
from experiments.transferring import representations as made
from experiments.transferring.rows import Rows, pairs_of, require_rows, training_rows, trains
from experiments.transferring.rows import testing_rows as rows_to_test
from experiments.transferring.setting import Setting
from experiments.transferring.sizes import SIZES
from experiments.transferring.sources import LABELS, knowing, sources_of
from experiments.transferring.targets import (
    CLASSES,
    NAMED,
    NUMBERS,
    PEOPLE,
    Target,
    scores,
    verified,
)
from experiments.transferring.words import words
from mtl_dm.encoders.encoder import fingerprint_of
from mtl_dm.files import strict_json, write_atomically
from mtl_dm.reporting.measured import Summary, summarise

MARK = "mark"
PEOPLE_TARGET = NAMED["drawn identity"]


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    """A folder with twelve images a part, as `images.make` leaves it, and features of sources."""
    folder = tmp_path_factory.mktemp("transfer")
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(4), 3)
    known = {
        "drawn_unlabelled": {},
        "drawn_train": {"expression": person % 2, "valence_arousal": rng.normal(size=(12, 2))},
        "drawn_test": {"expression": person % 2, "valence_arousal": rng.normal(size=(12, 2))},
        "people_train": {"person": person},
        "people_test": {"first": [0, 0, 6, 6], "second": [1, 3, 7, 9],
                        "same": [True, False] * 2, "fold": [1, 1, 2, 2]},
    }  # fmt: skip
    for part in ("drawn_train", "drawn_test"):
        known[part]["action_units"] = rng.integers(0, 2, (12, 3))
    arrays = {f"{p}/{key}": np.asarray(v) for p, own in known.items() for key, v in own.items()}
    arrays |= {f"{p}/end": np.array(12 * (n + 1)) for n, p in enumerate(known)}
    np.savez(folder / "labels.npz", **arrays)
    np.save(folder / "images.npy", rng.integers(0, 256, (60, 4, 4, 3), np.uint8))
    write_atomically(folder / "images.json", strict_json({"digest": "d"}))
    made_of = Setting(folder, "demo", "", MARK)
    told = np.tile(person, 5)  # One source knows who it is.
    for place, name in enumerate(made_of.sources):
        rows = rng.normal(size=(60, 4))
        if place == 2:
            rows = np.eye(4)[told] + 0.01 * rows
        made_of.keep("features", name, 0, ".npy", lambda path, rows=rows: made._write(path, rows))
    return made_of


def test_images_come_back_by_part(setting):
    pool = setting.pool
    np.testing.assert_array_equal(pool.places["people_train"], np.arange(36, 48))
    np.testing.assert_array_equal(pool.unlabelled, np.arange(12))
    assert set(pool.known["drawn_test"]) == {"expression", "valence_arousal", "action_units"}
    fitted, tested = setting.parts()
    assert sorted([*fitted, *tested]) == list(range(12))


def test_images_are_made_anew_of_other_data(tmp_path, monkeypatch):
    data = [tmp_path / name for name in "ab"]
    for place, each in enumerate(data):
        (each / "faces").mkdir(parents=True)
        (each / "faces" / "labels.csv").write_text("x" * place, encoding="utf-8")

    def parts(data_dir, size):
        pixels = np.full((1, 2, 2, 3), len(data_dir) and ord(data_dir[-1]), np.uint8)
        yield "drawn_train", images.Part(pixels, {})

    monkeypatch.setattr(images, "_parts", parts)
    folder, digests = tmp_path / "study", []
    for data_dir in ("", str(data[0]), str(data[1]), str(data[0])):
        images.make(folder, data_dir, SIZES["quick"])
        digests.append(images.read(folder).digest)
    assert len(set(digests)) == 3 and digests[1] == digests[3]
    monkeypatch.setattr(images, "_parts", None)
    images.make(folder, str(data[0]), SIZES["quick"])
    (data[0] / "faces" / "labels.csv").write_text("changed", encoding="utf-8")
    with pytest.raises(TypeError):
        images.make(folder, str(data[0]), SIZES["quick"])
    monkeypatch.setattr(images, "_parts", parts)
    monkeypatch.setattr(images, "_npz", None)  # As if killed between the two files.
    with pytest.raises(TypeError):
        images.make(folder, str(data[1]), SIZES["quick"])
    assert not (folder / images.MADE).exists()


def test_a_checkpoint_trained_again_has_a_file_of_its_own(tmp_path, monkeypatch):
    checkpoint = tmp_path / "small_faces.keras"
    checkpoint.write_bytes(b"one")
    monkeypatch.setattr(sources, "checkpoint_at", lambda name: checkpoint)
    monkeypatch.setattr(sources, "load_keras", None)
    there = tmp_path / f"small_faces-48px-{fingerprint_of((checkpoint,))[:8]}.keras"
    there.touch()
    assert sources.small_faces(str(tmp_path)) == there
    checkpoint.write_bytes(b"two")
    with pytest.raises(TypeError):  # It is made anew.
        sources.small_faces(str(tmp_path))


def test_every_cell_waits_for_cells_before_it(setting):
    every = cells.cells_of(setting, 2, "make")
    done = set()
    for cell in every:
        assert set(cell.needs) <= done
        assert pickle.loads(pickle.dumps(cell)) == cell  # Workers are other processes.
        done.add(cell.key)
    columns = {cell.plan.column for cell in every}
    assert columns == {*cells.COLUMNS, *(name for name in NAMED if name.startswith("drawn"))}
    swept = [cell for cell in every if cell.plan.row in made.SWEEP]
    assert {cell.plan.seed for cell in swept} == {0}
    assert sum(cell.plan.column == cells.SOURCES for cell in every) == 5
    originals = {cell.plan.column for cell in every if cell.plan.row == transfers.ORIGINAL}
    assert "drawn valence-arousal" not in originals and "drawn expression" in originals


def test_only_brings_what_it_needs(setting):
    found = cells.cells_of(setting, 1, "make", made.STUDENT)
    rows = {(cell.plan.column, cell.plan.row) for cell in found}
    assert (cells.UNLABELLED, made.AE) in rows and (cells.SOURCES, "small_faces") in rows
    assert (cells.UNLABELLED, made.PCA) not in rows


def test_people_of_one_half_train_and_the_others_are_tested():
    known = {"person": np.arange(4), "expression": np.array([0, 1, 0, -1])}
    pool = images.Pool(np.zeros((4, 2, 2, 3)), {"cmu": np.arange(4)}, {"cmu": known}, "d")
    target = Target("halves", CLASSES, "expression", "cmu", "cmu", unit="person", fold=0)
    drawn = set()
    for seed in range(8):
        own = trains(target, pool, seed)
        assert own.sum() == 2
        swapped = dataclasses.replace(target, fold=1)
        np.testing.assert_array_equal(trains(swapped, pool, seed), ~own)
        drawn.add(tuple(own))
        tested = rows_to_test(target, pool, seed).places
        np.testing.assert_array_equal(tested, np.flatnonzero(~own & (known["expression"] >= 0)))
        if 1 in tested:
            with pytest.raises(ValueError, match="'halves' has no training row of class 1, which"):
                training_rows(target, pool, seed)
    assert len(drawn) > 2  # No halves of even and odd numbers.


def test_pairs_of_the_half_that_is_tested():
    person = np.repeat(np.arange(20), 4)
    parts = {"cmu": np.arange(100, 180)}
    pool = images.Pool(np.zeros(0), parts, {"cmu": {"person": person}}, "d")
    target = NAMED["CMU identity"]
    train, test = training_rows(target, pool, 3), rows_to_test(target, pool, 3)
    assert set(train.labels) == set(range(10)) and len(test.places) == 40
    assert not set(person[train.places - 100]) & set(person[test.places - 100])
    first, second, same, fold = pairs_of(target, pool, 3)
    who = person[test.places - 100]
    np.testing.assert_array_equal(who[first] == who[second], same)
    assert set(fold) == {1, 2, 3, 4, 5} and not same.all()
    perfect = verified(np.eye(20)[who] + 0.01, (first, second, same, fold))
    assert perfect["accuracy"] == 1


def test_halves_of_one_pool_have_the_interval_of_resampled_data():
    halved = {target.name for target in NAMED.values() if target.fold == 0}
    assert halved == {name for name in NAMED if name.startswith(("CMU", "CAD"))}
    wide, narrow = (
        summarise({(seed, fold): float(seed) for seed in range(3)}).half_width for fold in (0, None)
    )
    assert wide == pytest.approx(2 * narrow)  # sqrt(1/3 + 1) for sqrt(1/3)


def test_rows_of_the_claim_are_trained_on_both_halves(setting):
    every = cells.cells_of(dataclasses.replace(setting, data_dir="data"), 3, "make")
    assert len(every) == 603 and len({cell.key for cell in every}) == 603
    swapped = {(c.plan.column, c.plan.row) for c in every if c.plan.fold == 1}
    halved = [target.name for target in NAMED.values() if target.unit]
    assert swapped == {(name, row) for name in halved for row in cells.SWAPPED}
    assert {*claim.COMPARED, made.AE} == set(cells.SWAPPED)
    lines = [(target.name, fold) for target in NAMED.values() for fold in (target.fold, 1)]
    frame = pd.DataFrame(lines, columns=["name", "fold"]).astype({"fold": "Int64"})
    kept = page.unswapped(frame)
    assert kept["name"].tolist() == list(NAMED) and not (kept["fold"] == 1).any()


def test_movements_that_nobody_measured_are_left_out():
    known = {"facial_movements": np.array([[0, 1], [-1, -1], [1, 1]])}
    places = {"movements_train": np.arange(3), "lfw_test": np.arange(3, 6)}
    pool = images.Pool(np.zeros(0), places, dict.fromkeys(places, known), "d")
    target = NAMED["LFW facial movements"]
    assert rows_to_test(target, pool, 0).places.tolist() == [3, 5]
    rows = training_rows(target, pool, 0)
    assert rows.places.tolist() == [0, 2] and rows.labels.dtype == np.float32


def test_a_target_without_a_training_row():
    empty = Rows(np.array([], int), np.array([], int))
    with pytest.raises(ValueError, match="'drawn identity' has no training row"):
        require_rows(PEOPLE_TARGET, empty, None)


def test_scores_by_hand_and_by_the_rule():
    classes = NAMED["drawn expression"]
    found = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert scores(classes, found, np.array([0, 1, 1]), np.array([True, False, True])) == (
        pytest.approx({"accuracy": 2 / 3, "accuracy_undetected_wrong": 1 / 3})
    )
    numbers = NAMED["drawn valence-arousal"]
    assert numbers.kind == NUMBERS
    values = scores(numbers, np.ones((2, 1)), np.zeros((2, 1)), np.array([True, False]))
    assert values == {"mae": 1.0, "mae_undetected_wrong": 0.5}  # The middle of [-1, 1] is right.
    labels = NAMED["drawn action units"]
    assert scores(labels, found - 0.5, np.array([[1, 0], [1, 0], [1, 0]])) == (
        pytest.approx({"error_rate": 1 / 3})
    )


def test_the_best_source_is_found_and_kept(setting, monkeypatch):
    job = transfers.Job(setting, PEOPLE_TARGET, 0)
    first, again = transfers.ranked(job), transfers.ranked(job)
    assert first.sources[0] == "drawn_identity" and first.is_new and first.seconds > 0
    assert again == first._replace(is_new=False)
    kept = setting.path("rankings", PEOPLE_TARGET.name, 0, ".json")
    assert json.loads(kept.read_text(encoding="utf-8"))["errors"]["drawn_identity"] == 0
    bt = transfers.trained(setting, PEOPLE_TARGET, transfers.BT, 0)
    assert bt.measure()["target"]["accuracy"] == 1
    # Computed again its cell has the seconds of a search that is not made again.
    wanted = (PEOPLE_TARGET.name, transfers.BT, 0, None)
    cell = next(each for each in cells.cells_of(setting, 1, "make") if each.key == wanted)
    monkeypatch.setattr(cells.time, "process_time", iter([0.0, 3.0, 10.0]).__next__)
    cost = cells.measure(cell).metrics[made.COST]
    assert cost == {made.TRAINING: pytest.approx(3 + first.seconds), made.MEASURING: 7}
    with pytest.raises(FileNotFoundError, match="delete the cell of 'PCA'"):
        transfers.trained(setting, PEOPLE_TARGET, made.PCA, 0)
    for damaged in ("[", "{}", '{"sources": 1, "cpu_seconds": 0}'):
        kept.write_text(damaged, encoding="utf-8")
        with pytest.raises(ValueError, match=r"The ranking .*\.json is damaged .* delete it"):
            transfers.ranked(job)


def test_an_mlp_stops_and_learns():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(320, 1)).astype(np.float32)
    labels = (features[:, 0] > 0).astype(np.int64)
    head = heads.fit_head(features, labels, CLASSES, 2, widths=(64,), epochs=15, seed=0)
    assert (head(features).argmax(axis=1) == labels).mean() > 0.8 and head.epochs <= 15
    assert head(features, layer=-2).shape == (320, 64) and 0 <= head.error <= 1


def test_an_mlp_that_is_not_finite_is_refused():
    features = np.full((20, 1), 1e30, np.float32)
    features[0] = np.nan
    with pytest.raises(ValueError, match="The head has weights that are NaN"):
        heads.fit_head(features, np.zeros(20, np.int64), CLASSES, 2, widths=(2,), epochs=1, seed=0)


def test_a_network_is_trained_whole(setting):
    relu = keras.layers.ReLU(name="re_lu")  # As Keras names the first one of a session.
    backbone = keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(3), relu]
    )
    keras.backend.clear_session()
    before = backbone.get_weights()[0].copy()
    rows = Rows(np.arange(36, 48), np.repeat(np.arange(4), 3))
    pool = setting.pool
    network = heads.fine_tuned(backbone, pool.images, rows, PEOPLE, 4, steps=1, seed=0)
    assert heads.outputs_for(network, pool.images, rows.places[:5]).shape == (5, 4)
    names = [layer.name for layer in network.layers]
    assert "target_hidden" in names and "target_relu" not in names  # A student's code is signed.
    assert (backbone.get_weights()[0] != before).any()


def test_the_claim_needs_an_interval():
    assert claim.verdict(Summary(0.5, float("nan"), 1), 0.02) == "open (one seed)"
    assert claim.verdict(Summary(0.0, 0.01, 3), 0.02) == claim.HOLDS
    assert claim.verdict(Summary(-0.05, 0.01, 3), 0.02) == claim.FAILS
    assert claim.verdict(Summary(-0.02, 0.01, 3), 0.02) == claim.OPEN


def test_the_claim_is_of_tasks_that_no_source_knows(setting):
    for preset in ("demo", "public"):
        new = {t.name for t in NAMED.values() if not knowing(t.label, sources_of(preset))}
        assert new == {"CMU sunglasses", "CAD category"}
    assert set(LABELS) <= {*sources_of("demo"), *sources_of("public")}
    assert {label for known in LABELS.values() for label in known} <= {
        target.label for target in NAMED.values()
    }


def test_what_is_said_of_public_encoders_and_of_steps(setting):
    said = words(dataclasses.replace(setting, preset="public"))
    assert "P-CNN is `small_faces`" in said.table3 and "not said" in said.seen
    assert "P-CNN" not in words(setting).table3 and "250 steps" in said.table3


def test_a_page_of_some_cells(setting):
    values = {"cpu_seconds": 2.0}
    student = {"distillation": {"cosine": 0.7, "cosine_of_constant": -0.01}}
    for cell in cells.cells_of(setting, 1, "make reproduce-transfer"):
        plan = cell.plan
        if plan.column == cells.SOURCES:
            found = {made.SIZE: {"width": 4.0, "parameters": 1e6, "trainable": 1.0}}
        elif plan.column == cells.UNLABELLED:
            errors = {made.NRMSE: 0.5, f"{made.NRMSE}/small_faces": 1.5}
            found = {made.RECONSTRUCTION: errors, made.SIZE: {"width": 4, "parameters": 1e5}}
            found |= student if plan.row == made.STUDENT else {}
        else:
            metric = NAMED[plan.column].metric
            found = {"target": {metric: 0.75 if plan.row == transfers.STUDENT_TUNED else 0.5}}
        run_cell_with(cell, {**found, made.COST: values})
    page.write_page(setting, "make reproduce-transfer")
    text = (setting.folder / page.PAGE).read_text(encoding="utf-8")
    assert "Table 3: targets" in text and "Expr-RAF" in text and "89.30" in text
    assert "not of this claim" in text and "drawn_expression, small_faces" in text
    assert "fine-tuned, as in the paper" in text and "with AE&#x27;s rows and head" in text
    assert "+25.0" in text and "51.0 times fewer" in text
    assert (setting.folder / "figure2_sizes.svg").is_file()
    # Of four targets 2 seconds a cell: what BCT tries counts BT's cells, too.
    bars = (setting.folder / "figure3_seconds.svg").read_text(encoding="utf-8")
    assert "BCT: 16 s" in bars and "CNN: 8 s" in bars and "student, fine-tuned: 12 s" in bars


def run_cell_with(cell, metrics):
    from mtl_dm.runs.cells import run_cell

    folder = cell.setting.folder
    run_cell(folder, cell.plan, lambda: (metrics, 0), command="make", notify=lambda line: None)


def test_printed_tables_have_the_papers_shape():
    lines = tables.printed_performance("table4", tables.TABLE4)
    assert lines[1] == ["Expr-AffectNet", "accuracy (%)", "63.50", "64.00", "64.40"]
    assert ["AgeR-FG", "MAE", "2.85", "2.85", "3.05"] in lines


def test_a_dry_run_says_cells_and_time_and_makes_nothing(tmp_path):
    chosen = Options("demo", 1, "", "", tmp_path / "none", 2, "make", True)
    text = transfer.described(chosen)
    assert text.startswith("87 cells; nothing is trained.")
    assert "unlabelled faces: random; PCA; AE" in text and "About 10 min (an estimate" in text
    assert not (tmp_path / "none").exists()


def test_a_run_without_data_has_a_folder_of_its_own(tmp_path):
    chosen = Options("demo", 1, "", "", tmp_path, 2, "make")
    assert transfer.own_folder(chosen).folder == tmp_path / "drawn"
    chosen = Options("demo", 1, "", "data", tmp_path, 2, "make")
    assert transfer.own_folder(chosen) == chosen
