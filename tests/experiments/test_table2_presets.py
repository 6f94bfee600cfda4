"""What the presets of Table 2 plan; nothing is trained."""

import dataclasses
import json
import sys
import types

import numpy as np
import pytest

from experiments import table2, table2_networks, table2_words
from experiments.engine import running
from experiments.problems import real_faces
from experiments.problems.facial_movements import MOVEMENTS
from experiments.problems.real_faces_data import Faces, RealFaces
from mtl_dm.models import BACKBONES as REGISTERED
from mtl_dm.models.backbones import example_of
from mtl_dm.reporting import published
from mtl_dm.tasks import EXPRESSIONS
from tests.experiments.engine import tiny

NAMED = [*table2_networks.IMAGES.values(), *table2_networks.CLIPS.values()]


# As they are, before every test replaces them.
BACKBONES = [network.backbone for network in NAMED]


@pytest.fixture(autouse=True)
def networks(monkeypatch):
    """Every network is the compact CNN: which it is matters where it trains."""
    for group in (table2_networks.IMAGES, table2_networks.CLIPS):
        for name, network in group.items():
            monkeypatch.setitem(group, name, dataclasses.replace(network, backbone="compact_cnn"))


@pytest.fixture
def photos(monkeypatch):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (7, 48, 48), np.uint8)
    faces = Faces(images, np.arange(7), rng.random((7, 12)).astype(np.float32))
    found = RealFaces(*[faces] * 6, np.full(12, 0.5), 3, 2, 1, "a digest")
    monkeypatch.setattr(real_faces, "real_faces", lambda data_dir, movements=MOVEMENTS: found)


def planned(preset, folder, **changes):
    return table2.study(tiny.options(folder, preset=preset, seeds=table2.SEEDS, **changes))


def test_every_network_has_its_column_of_the_paper():
    names = [network.published for network in NAMED]
    assert sorted(names) == sorted(set(published("table2")["column"]))
    assert all(name.partition(" / ")[2] in table2_networks.IMAGES | table2_networks.CLIPS
               for name in names)  # fmt: skip


def test_every_network_is_the_demo_variant_of_its_own_backbone():
    assert len(set(BACKBONES)) == 7
    for network, text in zip(NAMED, BACKBONES, strict=True):
        asked = REGISTERED.spec(text)
        assert asked.options == {"variant": "demo"}
        assert "demo" in example_of(asked.name, REGISTERED.get(asked.name)).sizes
        paper = network.published.partition(" / ")[2].lower().replace("-", "_")
        assert asked.name == paper


@pytest.mark.usefixtures("photos")
class TestReal:
    def test_cells(self, tmp_path):
        study = planned("real", tmp_path, data_dir="somewhere")
        compact, *others = study.columns
        assert (len(study.rows_of(compact)), len(compact.repeats)) == (len(table2.ROWS) + 1, 3)
        assert [column.name.partition(" / ")[2] for column in others] == list(
            table2_networks.IMAGES
        )
        for column in others:
            assert study.rows_of(column) == ("ST", "NC MT", "C MT (DM)", "default (DM)")
            assert len(column.repeats) == 2
        cells = study.cells(tmp_path, "")
        assert len(cells) == 30 + 48
        # Where the data lie on this machine is no part of what decides a value.
        assert "somewhere" not in json.dumps([cell.plan.config for cell in cells])
        summed = next(cell for cell in cells if cell.plan.row == table2.SUMMED)
        uncoupled = next(cell for cell in cells if cell.plan.row == "NC MT")
        differs = {
            name for name, value in summed.plan.config.items()
            if value != uncoupled.plan.config[name]
        }  # fmt: skip
        assert differs == {"attribute_reduction"}

    def test_movements_are_never_called_action_units(self, tmp_path):
        spec = planned("real", tmp_path).specification("")
        assert {"facial_movements", "facial_movements_lfw"} < set(spec.main_metrics)
        assert "action_units" not in spec.main_metrics
        said = [text for text in (spec.title, spec.intro, *spec.notes) if "action unit" in text]
        # But for the paper's own.
        assert [text for text in said if "paper" not in text] == []
        assert not any(name.startswith("AU") for name in MOVEMENTS)

    def test_says_how_long_it_takes(self, tmp_path):
        text = running.expected(planned("real", tmp_path), 78, workers=2)
        seconds = table2.SECONDS["real"]
        assert text == f"; about {78 * seconds / 2 / 60:.0f} min (an estimate: {seconds} s a cell)"
        assert running.expected(planned("real", tmp_path), 0, workers=2) == ""
        assert running.expected(tiny.study(), 78, workers=2) == ""

    def test_default_is_compared_with_printed(self, tmp_path):
        spec = planned("real", tmp_path).specification("")
        assert spec.across == "networks"
        for kind in ("DM", "DB"):
            against = spec.baselines_of(f"default ({kind})").all
            assert against == ("ST", "NC MT", f"C MT ({kind})")

    def test_what_is_said_is_counted(self, tmp_path):
        notes = " ".join(planned("real", tmp_path).specification("").notes)
        # Of `photos`: seven images in every part.
        assert "alone (7 images; 3 that equal one of PublicTest are dropped)" in notes
        assert "alone (7 images; 1 in which no face was found are dropped)" in notes
        assert "2 images of LFW without a name" in notes
        assert "counted on 7 images" in notes
        assert "0 of the 12 thresholds are 0.1" in notes
        assert "counts the compact CNN as one of 7, beside the 6 of the paper" in notes
        assert "have 2 seeds each, not the 3 that were asked for" in notes


def test_what_is_rare_is_named():
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.2, 1.0, (100, 12)).astype(np.float32)
    scores[4:, 3] = 0.0
    scores[0] = np.nan
    expressions = np.repeat([0, 1, 2, -1], [60, 30, 3, 7])
    faces = Faces(np.zeros((100, 48, 48), np.uint8), expressions, scores)
    other = faces._replace(scores=np.where(np.arange(12) == 5, 0.0, scores).astype(np.float32))
    thresholds = np.full(12, 0.15, np.float32)
    thresholds[3] = 0.1
    found = RealFaces(*[faces] * 5, other, thresholds, 0, 0, 0, "")
    notes = " ".join(table2_words.photo_notes(found))
    assert "1 of the 12 thresholds are 0.1" in notes
    assert f"averages them in: {MOVEMENTS[3]} 3%." in notes
    assert f"most in {MOVEMENTS[5]}: 100% of PublicTest, 0% of LFW's test people" in notes
    assert f"are 97% {EXPRESSIONS[0]} and {EXPRESSIONS[1]}:" in notes
    assert "the 99 in which a face was found" in notes


@pytest.mark.parametrize(
    ("preset", "said", "not_said"),
    [
        ("demo", ["S-T NC MT: ", "(DB)", "two other forms", "that it learns"],
         ["summed", "chained"]),
        ("demo-full", ["C MT: ", "default coupling", "TMIF-FEA's head"],
         ["S-T", "(DB)", "two other forms", "that it learns", "summed"]),
        ("real", ["S-T NC MT: ", "(DB)", "that it learns", "smaller than AffectNet (350,000)"],
         ["chained"]),
    ],
)  # fmt: skip
def test_the_intro_is_of_the_rows(preset, said, not_said):
    text = table2_words.intro(table2.rows_of(preset))
    assert [part for part in said if part not in text] == []
    assert [part for part in not_said if part in text] == []


class TestDemoFull:
    def test_columns(self, faces, tmp_path, monkeypatch):
        clips = types.SimpleNamespace(problem=table2.problem)
        monkeypatch.setitem(sys.modules, "experiments.problems.clips", clips)
        study = planned("demo-full", tmp_path, data_dir=faces)
        *images, film = study.columns
        assert [column.name for column in images] == [
            f"synthetic faces / {name}" for name in table2_networks.IMAGES
        ]
        assert film.name == "synthetic clips / TMIF-FEA"
        assert study.rows_of(film) == (*table2_networks.ROWS, table2_networks.CHAINED)
        assert study.method(film, "NC MT").changes == {}
        assert study.method(film, table2_networks.CHAINED).changes["chain"]
        assert {study.rows_of(column) for column in images} == {table2_networks.ROWS}
        made = images[0].problem(0, None)
        assert made.config.image_size == 48
        assert images[0].changes["steps_per_epoch"] == 300 // table2_networks.EPOCHS
        spec = study.specification("")
        assert spec.across_without == [film.name]
        assert spec.baselines_of("default (DM)").others == ("C MT (DM)",)
        assert any("about 30 CPU-seconds a training, of 40" in line for line in spec.notes)


def test_demo_has_no_verdict_over_networks(faces, tmp_path):
    spec = planned("demo", tmp_path, data_dir=faces).specification("")
    assert spec.across == ""
    assert spec.baselines == {}
    assert spec.columns == [table2.COLUMN]


def test_photos_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"fer2013_blendshapes.csv is not there. DATA_DIR"):
        planned("real", tmp_path, data_dir=str(tmp_path)).cells(tmp_path, "")
