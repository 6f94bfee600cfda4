import sys

import keras
import pytest

from experiments import table3
from experiments.engine.networks import configuration
from experiments.problems import clips
from mtl_dm.models import BACKBONES
from mtl_dm.reporting import published, read_results
from tests.built_clips import built_clips
from tests.experiments.engine import tiny

SMALL = table3.Preset(None, 1, 2)
CO_ANNOTATED = "inferred:synthetic_clips/co_annotated"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(built_clips(tmp_path_factory))


@pytest.fixture
def cheap(monkeypatch):
    """A network on clips that costs nothing; tmif_fea itself has tests of its own."""

    def network(input_shape):
        inputs = {name: keras.Input(shape, name=name) for name, shape in input_shape.items()}
        image = keras.layers.AveragePooling2D(12)(inputs["image"])
        parts = [image, inputs["words"], inputs["mfcc_mask"]]
        flat = keras.layers.Concatenate()([keras.layers.Flatten()(each) for each in parts])
        return keras.Model(inputs, keras.layers.Dense(8, activation="relu")(flat))

    monkeypatch.setitem(BACKBONES._entries, "cheap", network)
    monkeypatch.setattr(clips, "BACKBONE", "cheap")


def test_a_small_table_from_clips_to_report(folder, cheap, tmp_path, monkeypatch):
    rows = ("no coupling", "both (DB)")
    tiny.keep(monkeypatch)
    monkeypatch.delenv("MTL_DM_COMMAND", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(table3, "PRESETS", {"demo": SMALL})
    monkeypatch.setattr(table3, "ROWS", {row: table3.ROWS[row] for row in rows})
    monkeypatch.setattr(
        sys, "argv", ["table3.py", f"--data_dir={folder}", "--seeds=1", "--workers=0"]
    )
    table3.main()
    frame = read_results(tmp_path / "runs" / "table3" / "results.csv")
    assert set(frame["row"]) == set(rows)
    assert set(frame["task"]) == {"expression", "action_units", clips.UNSEEN}
    assert frame["value"].between(0, 1).all()
    text = (tmp_path / "runs" / "table3" / "report.md").read_text(encoding="utf-8")
    assert "**Synthetic data**" in text
    assert "Aff-Wild2 / TMIF-FEA" in text


def test_rows_are_the_papers_and_ours(folder):
    found = clips.problem(SMALL, folder, "test", 0, None)
    configs = {row: configuration(found, method) for row, method in table3.ROWS.items()}
    printed = list(dict.fromkeys(published("table3")["row"]))
    assert list(configs)[: len(printed)] == printed
    assert configs["no coupling"] == found.config
    assert found.config.chain == ()
    assert found.config.backbone == "tmif_fea(variant=demo)"
    for relatedness, name in (("facs", "DM"), (CO_ANNOTATED, "DB")):
        soft, matching, both = (
            configs[f"{row} ({name})"] for row in ("soft co-annotation", "distr-matching", "both")
        )
        assert (soft.matching, soft.co_annotation) == (0, None)
        assert (matching.matching, matching.co_annotation) == (None, 0)
        assert (both.matching, both.co_annotation) == (None, None)
        for each in (soft, matching, both):
            assert each.relatedness == relatedness
            assert each.matching_form == each.co_annotation_form == "paper"
    chained = configs["chained heads"]
    assert chained.chain == ("action_units", "expression")
    assert chained.replace(chain=()) == found.config


def test_what_is_ours_is_compared_with_what_it_starts_from(tmp_path):
    spec = table3.study(tiny.options(tmp_path)).specification("")
    assert spec.baselines_of("default (DM)").all == (table3.UNCOUPLED, "both (DM)")
    assert spec.baselines_of("default (DB)").all == (table3.UNCOUPLED, "both (DB)")
    chained = spec.baselines_of("default (DM), chained heads")
    assert (chained.single_task, chained.nearest) == (table3.UNCOUPLED, "chained heads")


def test_the_test_set_is_no_training_set(folder):
    found = clips.problem(SMALL, folder, "test", 0, None)
    assert found.record == {
        "test": "synthetic_clips/fully_annotated:test",
        "thresholds_from": "synthetic_clips/fully_annotated:validation",
    }
    assert clips.problem(SMALL, folder, "validation", 0, None).record["thresholds_from"] is None
