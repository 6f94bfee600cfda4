"""Table 2 on the paper's databases: what it declares, lacks and would do."""

import dataclasses
import itertools
import shlex

import numpy as np
import pytest

from experiments import table2, table2_paper
from experiments.engine import costs
from experiments.engine.building import build as build_model
from experiments.engine.dry_run import describe
from experiments.engine.networks import configuration, groups_of, own_config
from experiments.problems import aff_wild2_clips
from experiments.table2_recipes import RECIPES
from mtl_dm import data
from mtl_dm.data.deferred import parts_of
from mtl_dm.reporting import Baselines, published
from mtl_dm.tasks import EXPRESSIONS
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.fitting import settings
from mtl_dm.training.flags import define_train_flags, train_config
from tests.experiments.paper import AFF_WILD2, PSR, TINY, options, study, with_streams
from tests.training.command_line import isolated_flags, parse


def config_of(line):
    _, _, _, *arguments = shlex.split(line)
    with isolated_flags():
        define_train_flags()
        assert parse(*arguments) == []
        return train_config()


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

    def test_verdicts_are_paired_over_networks(self, tmp_path):
        plan = study(options(tmp_path, tmp_path, dry_run=True)).specification("make")
        assert plan.across == "networks"
        for kind in ("DM", "DB"):
            expected = Baselines("ST", "NC MT", (f"C MT ({kind})",))
            assert plan.baselines_of(f"default ({kind})") == expected
        # Each column's own metric of a task, by which the task is paired.
        pairs = [plan.for_column(column).headlines for column in plan.columns]
        assert [[task for task, _ in each] for each in pairs] == [
            ["expression", "action_units"]
        ] * len(pairs)
        assert len({metric for each in pairs for task, metric in each if task == "expression"}) > 1

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
        paths = [
            data.raw_features(name, ["path"], data_dir=databases)["path"].tolist()
            for name in (table2_paper.TRAINED, table2_paper.HELD, table2_paper.TESTED)
        ]
        every = data.raw_features("emotionet/manual:train", ["path"], data_dir=databases)["path"]
        assert sorted(itertools.chain(*paths)) == sorted(set(every.tolist()))
        assert found.config.datasets[1] == table2_paper.TRAINED
        reads = [each.name for each in found.reads()]
        assert reads == ["raf_db/basic", "emotionet/manual"]

    @pytest.mark.parametrize("network", RECIPES)
    def test_a_recipe_fits_every_row(self, network, databases):
        recipe = RECIPES[network]
        group = next(
            name.partition(" /")[0] for name, own in table2_paper.NETWORKS.items() if own == network
        )
        found = table2_paper.problem(group, table2_paper.PAPER, databases, 0, None)
        found.config = found.config.replace(
            **recipe.changes, stages=recipe.stages, steps_per_epoch=1
        )
        for row in {**table2.ROWS, **table2_paper.FURTHER}.values():
            config = configuration(found, row)
            for tasks in groups_of(found, config, row):
                # A network of one task reads one of two sources.
                sizes = [9, None] if len(tasks) < len(found.tasks) else [9, 9]
                own = own_config(found, config, tasks, sizes[: len(config.datasets)])
                assert len(own.stage_configs()) == max(1, len(recipe.stages))
                assert own.label_smoothing == recipe.changes.get("label_smoothing", 0.0)
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
        return with_streams(tmp_path, databases)

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

    def test_files_of_a_stream_are_alike(self, streams):
        np.save(streams / "aff_wild2_streams" / "mfcc" / "video9.npy", np.zeros((3, 4)))
        with pytest.raises(ValueError, match=r"video9.npy must have 2 numbers a frame, as video1"):
            table2_paper.problem("Aff-Wild2", TINY, str(streams), 0, None)

    def test_the_record_tells_streams_apart(self, streams):
        def record():
            found = table2_paper.problem("Aff-Wild2", TINY, str(streams), 0, None)
            return found.record["streams"]

        file = streams / "aff_wild2_streams" / "mfcc" / "video1.npy"
        first, values = record(), np.load(file)
        assert first == record()
        assert (first["mfcc"]["size"], first["mfcc"]["files"]) == (2, 1)
        np.save(file, values + 1)  # Computed anew.
        changed = record()
        np.save(file, np.concatenate([values, values[:1]]))
        longer = record()
        np.save(file, values)
        np.save(file.with_name("video3.npy"), values)
        found = [first, changed, longer, record()]
        assert len({each["mfcc"]["digest"] for each in found}) == 4
        assert {each["words"]["digest"] for each in found} == {first["words"]["digest"]}

    def test_few_files_are_open(self, streams, monkeypatch):
        monkeypatch.setattr(np, "load", lambda file, **_: np.zeros((1, 2), np.float32))
        for video in range(300):
            aff_wild2_clips._values(streams / f"{video}.npy")
        assert aff_wild2_clips._values.cache_info().currsize <= 128

    def test_streams_are_read_after_shuffling(self, streams):
        found = table2_paper.problem("Aff-Wild2", TINY, str(streams), 0, None)
        (source,) = found.sources(found.tasks)
        stored, make = parts_of(source)
        assert make is not None
        assert "mfcc" not in stored.element_spec
        assert len(list(source)) == int(source.cardinality())

    def test_no_streams(self, databases, tmp_path, capsys):
        assert "streams of the videos" in table2_paper.skipped(databases)["Aff-Wild2"]
        assert set(table2_paper.skipped(databases)) == {"Aff-Wild2"}
        study(options(tmp_path, databases, dry_run=True))
        said = capsys.readouterr().out
        assert "Aff-Wild2 would be left out, not built: streams of the videos (" in said


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
        # ST has two networks, the summed loss is a row more, and the network of clips has another.
        assert len(commands) == columns * (rows + 2) + 1
        assert sum(config.attribute_reduction == "sum" for config in commands) == columns
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
