"""What the presets of Table 2 plan; nothing is trained."""

import dataclasses
import json
import sys
import types

import numpy as np
import pytest

from experiments import table2, table2_networks
from experiments.problems import real_faces
from experiments.problems.facial_movements import MOVEMENTS
from experiments.problems.real_faces_data import Faces, RealFaces
from mtl_dm.reporting import published
from tests.experiments.engine import tiny

NAMED = [*table2_networks.IMAGES.values(), *table2_networks.CLIPS.values()]


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
    found = RealFaces(*[faces] * 6, np.full(12, 0.5), 0)
    monkeypatch.setattr(real_faces, "real_faces", lambda data_dir: found)


def planned(preset, folder, **changes):
    return table2.study(tiny.options(folder, preset=preset, seeds=table2.SEEDS, **changes))


def test_every_network_has_its_column_of_the_paper():
    names = [network.published for network in NAMED]
    assert sorted(names) == sorted(set(published("table2")["column"]))
    assert all(name.partition(" / ")[2] in table2_networks.IMAGES | table2_networks.CLIPS
               for name in names)  # fmt: skip


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
        chosen = tiny.options(tmp_path, preset="real", seeds=3, workers=2)
        text = table2.expected(table2.study(chosen), chosen)
        assert text.startswith(f"Preset real: 78 cells, about {78 * 135 / 2 / 60:.0f} min (")

    def test_default_is_compared_with_printed(self, tmp_path):
        spec = planned("real", tmp_path).specification("")
        assert spec.across == "networks"
        assert spec.baselines_of("default (DM)").all == ("ST", "NC MT", "C MT (DM)")


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


def test_demo_has_no_verdict_over_networks(faces, tmp_path):
    spec = planned("demo", tmp_path, data_dir=faces).specification("")
    assert spec.across == ""
    assert spec.baselines == {}
    assert spec.columns == [table2.COLUMN]


def test_photos_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"fer2013_blendshapes.csv is not there. DATA_DIR"):
        planned("real", tmp_path, data_dir=str(tmp_path)).cells(tmp_path, "")
