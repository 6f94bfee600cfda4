"""Table 2 on the paper's databases: fake files of each, built, trained, measured."""

import dataclasses
import shlex

import numpy as np
import pytest

from data_prep.build import build
from experiments import table2, table2_paper
from experiments.engine import costs, running
from experiments.engine.building import build as build_model
from experiments.engine.dry_run import describe
from experiments.engine.networks import configuration
from experiments.table2_recipes import RECIPES
from mtl_dm import datasets
from mtl_dm.reporting import published, read_cells
from mtl_dm.tasks import EXPRESSIONS
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.fitting import settings
from mtl_dm.training.flags import define_train_flags, train_config
from tests.datasets import fakes
from tests.experiments.engine import tiny
from tests.training.command_line import isolated_flags, parse

FAKES = {
    "affectnet/manual": "2021",
    "emotionet/manual": "manual",
    "raf_db/basic": "basic",
    "abaw4_lsd": "released",
    "aff_wild2": "challenges",
}
TINY = table2_paper.Size(
    "compact_cnn", "{}(variant=demo)", 5, {"image_size": 16, "batch_size": 4}, 1, 1
)
PSR, AFF_WILD2 = "RAF-DB-EmotioNet / PSR", "Aff-Wild2 / TMIF-FEA"
TRAINED = ("ST", "C MT (DB)")
UNITS = tuple(f"AU{number}" for number in (1, 2, 4, 5, 6, 9, 12, 17, 20, 25, 26))


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("databases")
    for name, layout in FAKES.items():
        source = fakes.layouts(name.partition("/")[0])[layout].write(folder / "raw")
        build(datasets.make_builder(name, folder / "built"), source, folder / "built")
    return str(folder / "built")


def options(folder, data_dir, **changes):
    return tiny.options(folder, data_dir=str(data_dir), **{"preset": "paper", **changes})


def study(chosen, size=TINY):
    return table2_paper.study(chosen, table2.ROWS, size)


@pytest.fixture(scope="module")
def finished(databases, tmp_path_factory):
    """The folder of a study: of one column, networks of one task, and coupled."""
    folder = tmp_path_factory.mktemp("paper")
    with pytest.MonkeyPatch.context() as patch:
        tiny.keep(patch)
        patch.setattr(table2_paper, "ROWS", TRAINED)
        chosen = options(folder, databases, only=PSR)
        running.run_study(study(chosen), chosen)
    return folder


def config_of(line):
    _, _, _, *arguments = shlex.split(line)
    with isolated_flags():
        define_train_flags()
        assert parse(*arguments) == []
        return train_config()


class TestFinished:
    def test_the_cells_are_measured(self, finished):
        cells, damaged = read_cells(finished, "table2")
        assert damaged == []
        found = {(cell.column, cell.row) for cell in cells}
        assert found == {(PSR, row) for row in TRAINED}
        assert {cell.dataset.rpartition(" ")[2] for cell in cells} == {"(real)"}
        assert {cell.steps for cell in cells} == {1}

    def test_only_the_units_of_the_databases_are_measured(self, finished):
        for cell in read_cells(finished, "table2").cells:
            measured = {
                name.partition("/")[2]
                for name, value in cell.metrics["action_units"].items()
                if name.startswith("accuracy/") and value == value
            }
            assert measured and measured <= set(UNITS)
            assert "afa_tuned" in cell.metrics["action_units"]

    def test_the_report_shows_each_database_s_metric_beside_the_published(self, finished):
        text = (finished / "report.md").read_text(encoding="utf-8")
        assert "| expression average_accuracy | action_units afa |" in text
        assert "| expression f1 | action_units afa |" in text  # ABAW4 LSD
        assert "Aff-Wild2 is left out, not built: streams of the videos (" in text
        assert "| ST | 80.8 / 69.6 |" in text  # PSR's, as printed
        assert "a fixed fifth of EmotioNet" in text


class TestDeclaration:
    def test_columns_and_metrics_are_the_published_ones(self):
        frame = published("table2")
        assert list(table2_paper.NETWORKS) == list(dict.fromkeys(frame["column"]))
        assert set(frame["row"]) <= set(table2_paper.ROWS) <= set(table2.ROWS)
        for column in table2_paper.NETWORKS:
            own = frame[frame["column"] == column]
            pairs = set(zip(own["task"], own["metric"], strict=True))
            assert pairs == {
                (task, metric)
                for task, (metric,) in table2_paper._metrics(table2_paper._group(column)).items()
            }
        assert set(table2_paper.NETWORKS.values()) == set(RECIPES)

    def test_trains_as_the_paper_prints(self, databases):
        found = table2_paper.problem("RAF-DB-EmotioNet", table2_paper.PAPER, databases, 3, None)
        config = found.config
        assert (config.image_size, config.optimizer, config.learning_rate) == (112, "adam", 1e-3)
        assert config.datasets == ("raf_db/basic:train", "emotionet/manual:train[:60%]")
        assert (config.shares, config.stages, config.seed) == ((1.0, 1.0), (), 3)
        assert [int(source.cardinality()) for source in found.sources(found.tasks)] == [8, 3]
        coupled = configuration(found, table2.ROWS["C MT (DB)"])
        assert coupled.relatedness == "aff_wild2"

    def test_lsd_has_six_expressions(self, databases):
        found = table2_paper.problem("ABAW4-LSD-EmotioNet", TINY, databases, 0, None)
        assert found.tasks[0].labels == EXPRESSIONS[1:]
        config = configuration(found, table2.ROWS["C MT (DM)"]).replace(backbone="compact_cnn")
        with settings(config):
            model = build_model(found, config, found.tasks, found.sources(found.tasks)[0])
        assert model.heads["expression"].units == 6
        assert len(model.couplings) == 1

    def test_no_image_is_trained_on_and_tested_on(self, databases):
        found = table2_paper.problem("RAF-DB-EmotioNet", TINY, databases, 0, None)
        every = (found.sources(found.tasks)[1], found.validation(found.tasks))
        sizes = [int(source.cardinality()) for source in every]
        assert sum(sizes) + int(found.test(found.tasks).cardinality()) == 5 + 3  # and RAF-DB's test

    @pytest.mark.parametrize("network", RECIPES)
    def test_a_recipe_fits_every_row(self, network, databases):
        recipe = RECIPES[network]
        group = next(
            name.partition(" /")[0] for name, own in table2_paper.NETWORKS.items() if own == network
        )
        found = table2_paper.problem(group, table2_paper.PAPER, databases, 0, None)
        config = found.config.replace(**recipe.changes, stages=recipe.stages)
        assert [name for name, _ in config.stage_configs()]
        assert recipe.said and recipe.ours

    @pytest.mark.parametrize("group", ["AffectNet-EmotioNet", "ABAW4-LSD-EmotioNet"])
    def test_every_network_is_tested_on_the_same_images(self, group, databases):
        found = table2_paper.problem(group, TINY, databases, 0, None)
        tests = [found.test([task]) for task in found.tasks]
        assert len({int(test.cardinality()) for test in tests}) == 1
        annotated = [
            sum(masks[task.name].max() > 0 for _, _, masks in test.as_numpy_iterator())
            for task, test in zip(found.tasks, tests, strict=True)
        ]
        assert annotated == [{"AffectNet-EmotioNet": 3, "ABAW4-LSD-EmotioNet": 6}[group], 1]


class TestClips:
    @pytest.fixture
    def streams(self, tmp_path, databases):
        """The built Aff-Wild2 with two streams, of which one video has one."""
        (tmp_path / "aff_wild2").symlink_to(f"{databases}/aff_wild2")
        values = {"mfcc": ("video1", 3, 2), "words": ("video2_left", 2, 3)}
        rng = np.random.default_rng(0)
        for name, (video, *shape) in values.items():
            folder = tmp_path / "aff_wild2_streams" / name
            folder.mkdir(parents=True)
            np.save(folder / f"{video}.npy", rng.normal(size=shape).astype(np.float32))
        return tmp_path

    def test_a_frame_has_the_streams_around_it(self, streams):
        found = table2_paper.problem("Aff-Wild2", TINY, str(streams), 0, None)
        assert found.input_shape() == {
            "image": (16, 16, 3), "mfcc": (5, 2), "mfcc_mask": (5,), "words": (5, 3),
            "words_mask": (5,),
        }  # fmt: skip
        (source,) = found.sources(found.tasks)
        paths = table2_paper.data.raw_features("aff_wild2:train", ["path"], data_dir=streams)
        mfcc = np.load(streams / "aff_wild2_streams" / "mfcc" / "video1.npy")
        place = [path.decode().endswith("video1/00002.jpg") for path in paths["path"]].index(True)
        inputs, _, _ = next(source.skip(place).as_numpy_iterator())
        # Frame 2 of 3 in a window of 5: one frame is missing at either end.
        np.testing.assert_array_equal(inputs["mfcc_mask"], [0, 1, 1, 1, 0])
        np.testing.assert_array_equal(inputs["mfcc"][1:4], mfcc)
        assert not inputs["words_mask"].any()

    def test_training_and_test_clips_are_alike(self, streams):
        found = table2_paper.problem("Aff-Wild2", TINY, str(streams), 0, None)
        (source,), test = found.sources(found.tasks), found.test(found.tasks)
        assert source.element_spec == test.element_spec
        assert {name: tuple(each.shape) for name, each in test.element_spec[0].items()} == (
            found.input_shape()
        )
        # Clips are not blended, and a shell's command could not name the streams.
        assert (found.config.mix, found.by_name, found.gaps) == ("none", False, True)

    def test_a_malformed_stream(self, streams):
        np.save(streams / "aff_wild2_streams" / "mfcc" / "a.npy", np.zeros(3))
        with pytest.raises(ValueError, match=r"a.npy must hold real numbers \[frames, numbers\]"):
            table2_paper.problem("Aff-Wild2", TINY, str(streams), 0, None)

    def test_no_streams(self, databases):
        assert "streams of the videos" in table2_paper.skipped(databases)["Aff-Wild2"]
        assert set(table2_paper.skipped(databases)) == {"Aff-Wild2"}


class TestMissing:
    def test_nothing_is_built(self, tmp_path):
        with pytest.raises(FileNotFoundError) as error:
            study(options(tmp_path, tmp_path / "none"))
        message = str(error.value)
        assert "PRESET=paper has nothing to train on in" in message
        for name in ("affectnet/manual", "emotionet/manual", "raf_db/basic", "aff_wild2"):
            assert f"python -m data_prep.build --dataset={name} --source=DIR" in message

    @pytest.fixture
    def only_aff_wild2(self, databases, monkeypatch):
        outline = table2_paper.data.outline

        def seen(name, *, data_dir):
            found = outline(name, data_dir=data_dir)
            return found._replace(built=found.built and found.name == "aff_wild2")

        monkeypatch.setattr(table2_paper.data, "outline", seen)
        monkeypatch.setattr(table2_paper, "streams_in", lambda data_dir: {"mfcc": 40})
        return databases

    def test_what_is_not_built_is_left_out_and_named(self, only_aff_wild2, tmp_path, capsys):
        found = study(options(tmp_path, only_aff_wild2))
        assert [column.name for column in found.columns] == [AFF_WILD2]
        said = capsys.readouterr().out
        assert "RAF-DB-EmotioNet is left out, not built: raf_db/basic (python -m data_prep" in said
        assert said.splitlines()[0] in found.report["notes"]

    def test_a_column_that_was_asked_for_is_an_error(self, only_aff_wild2, tmp_path):
        with pytest.raises(FileNotFoundError, match="emotionet/manual") as error:
            study(options(tmp_path, only_aff_wild2, only=PSR))
        assert "AffectNet" not in str(error.value)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What a dry run without any database says."""
    folder = tmp_path_factory.mktemp("dry")
    chosen = options(folder / "runs", folder / "none here", dry_run=True)
    size = dataclasses.replace(TINY, epochs=2, steps_per_epoch=None)
    with pytest.MonkeyPatch.context() as patch:
        # Counted for real in engine/test_dry_run.py.
        patch.setattr(costs, "network_of", lambda *_: costs.Network(10, 20, 10**9, 1000))
        said = describe(study(chosen, size), chosen)
    assert list(folder.iterdir()) == []  # Nothing is written.
    return said


class TestDryRun:
    def test_every_cell_has_its_command(self, said):
        commands = [config_of(line) for line in said.splitlines() if "-m mtl_dm.train" in line]
        rows, columns = len(table2_paper.ROWS), len(table2_paper.NETWORKS)
        # ST has two networks, the network of clips a row more.
        assert len(commands) == columns * (rows + 1) + 1
        coupled = [config for config in commands if config.matching_form == "paper"]
        assert {config.relatedness for config in coupled} == {"facs", "aff_wild2"}
        single = [config for config in commands if config.tasks == ("action_units",)]
        assert ("emotionet/manual:train[:60%]",) in {config.datasets for config in single}

    def test_says_what_is_missing_and_what_waits(self, said):
        assert "data: raf_db/basic (MISSING)" in said
        assert said.count("Missing: emotionet/manual. python -m data_prep.build") == 1
        assert "'" in said.partition("Missing: emotionet")[2].splitlines()[0]  # "none here"
        assert "uses the networks of ST of the same column" in said

    def test_estimates_are_marked_and_explained(self, said):
        assert "on a V100" in said
        assert "(estimates)" in said
        assert "Hours: 3 x multiply-adds" in said
        assert "hours not known before the data are built" in said  # Aff-Wild2 has no known size.


def test_the_recipes_reach_the_columns(databases, tmp_path):
    chosen = options(tmp_path, databases, preset="paper-recipes")
    found = table2_paper.study(chosen, table2.ROWS)
    changes = {column.name: column.changes for column in found.columns}
    assert changes[PSR]["stages"] == RECIPES["psr"].stages
    assert changes[PSR]["backbone"] == "psr(variant=paper)"
    assert "stages" not in changes["RAF-DB-EmotioNet / VGGFACE"]
    assert any("PSR: the source says" in note for note in found.report["notes"])
    assert TrainConfig(("a",), stages=changes[PSR]["stages"]).stage_configs()[1][1].epochs == 20
