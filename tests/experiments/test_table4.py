"""Table 4: what its presets declare, lack and would do."""

import dataclasses

import pytest

from experiments import table4, table4_databases, table4_demo, table4_paper
from experiments.engine import costs
from experiments.engine.dry_run import describe
from experiments.engine.networks import configuration
from experiments.table4_databases import DATABASES
from mtl_dm import data
from mtl_dm.reporting import published
from tests.experiments.engine import tiny


def options(folder, **changes):
    return tiny.options(folder, **{"preset": "paper", **changes})


class TestDemo:
    def test_without_data_it_is_people_alone(self, tmp_path, capsys):
        found = table4.study(options(tmp_path, preset="demo"))
        assert {column.group for column in found.columns} == {table4_demo.PEOPLE}
        said = capsys.readouterr().out
        assert "CAD is left out: give DATA_DIR, the folder that holds Clothing" in said
        assert said.splitlines()[-1] in found.report["notes"]

    def test_networks_and_repeats(self, tmp_path):
        found = table4.study(options(tmp_path, preset="demo", data_dir="raw"))
        assert [column.name for column in found.columns] == [
            f"{group} / {name}"
            for group in ("CAD", "synthetic people")
            for name in table4_demo.NETWORKS
        ]
        assert {len(column.repeats) for column in found.columns} == {2}
        assert {each.side for each in table4_demo.NETWORKS.values()} == {64, 96}
        # What is published is shown beside its own network.
        columns = set(published("table4")["column"])
        for name, beside in found.report["published_columns"].items():
            assert set(beside) <= columns
            assert beside[0].partition(" / ")[2] == name.partition(" / ")[2]

    def test_gives_levels_alone(self, tmp_path):
        found = table4.study(options(tmp_path, preset="demo", data_dir="raw"))
        plan = found.specification("make")
        assert list(plan.levels) == list(plan.columns)

    def test_people_are_read_by_name(self, tmp_path):
        found = table4_demo.people(str(tmp_path), 1, None)
        config = configuration(found, table4_demo.ROWS["default"])
        assert config.relatedness == "inferred:synthetic_people:train"
        assert (config.tasks, config.seed) == (("identity", "attributes"), 1)
        assert found.sizes(found.tasks) == [1_200]
        assert [each.name for each in found.reads()] == ["synthetic_people"]


class TestPaper:
    def test_columns_rows_and_metrics_are_the_published_ones(self, tmp_path):
        frame = published("table4")
        found = table4.study(options(tmp_path, dry_run=True, data_dir=str(tmp_path)))
        names = [column.name for column in found.columns]
        assert sorted(names) == sorted(dict.fromkeys(frame["column"]))
        shown = found.report["published_rows"]
        assert {shown.get(row, row) for row in found.rows} - {"default"} == set(frame["row"])
        called = found.report["published_tasks"]
        for column in names:
            own = frame[frame["column"] == column]
            metrics = found.report["column_metrics"][column]
            pairs = {(called.get(task, task), each) for task in metrics for each in metrics[task]}
            assert pairs == set(zip(own["task"], own["metric"], strict=True))

    @pytest.mark.parametrize(
        ("name", "side", "batch"),
        [("CelebA", 112, 200), ("CUB", 280, 150), ("SADD", 280, 100), ("CAD", 280, 50)],
    )
    def test_trains_as_the_paper_prints(self, name, side, batch, tmp_path):
        found = table4_databases.problem(name, {}, str(tmp_path), tmp_path, 0, None)
        config = found.config
        assert (config.image_size, config.batch_size) == (side, batch)
        assert (config.optimizer, config.learning_rate) == ("adam", 1e-3)
        assert config.label_smoothing == (0.3 if name == "CUB" else 0.0)
        assert config.augment == (name == "CUB")
        assert found.input_shape() == (side, side, 3)
        assert found.sizes(found.tasks) == [DATABASES[name].images]
        counted = configuration(found, table4_demo.ROWS["C MT (printed)"]).relatedness
        if name == "CAD":
            assert counted == "counted on the training half"
        else:
            assert counted == f"inferred:{DATABASES[name].dataset}:train"
        assert len(DATABASES[name].repeats) == (12 if name == "CAD" else 1)

    def test_nothing_is_built(self, tmp_path):
        with pytest.raises(FileNotFoundError) as error:
            table4.study(options(tmp_path, data_dir=str(tmp_path)))
        for name in ("celeb_a_identity", "cub_200_2011", "shoes_sadd", "clothing_attributes"):
            assert f"python -m data_prep.build --dataset={name} --source=DIR" in str(error.value)

    def test_what_is_not_built_is_left_out_and_named(self, tmp_path, monkeypatch, capsys):
        outline = data.outline

        def seen(name, *, data_dir):
            return outline(name, data_dir=data_dir)._replace(built="cub" in name)

        monkeypatch.setattr(data, "outline", seen)
        found = table4.study(options(tmp_path, data_dir=str(tmp_path)))
        assert {column.group for column in found.columns} == {"CUB"}
        said = capsys.readouterr().out.splitlines()
        assert said[0].startswith("CelebA is left out, not built: python -m data_prep.build")
        assert said[0] in found.report["notes"]
        with pytest.raises(FileNotFoundError, match="shoes_sadd") as error:
            table4.study(options(tmp_path, data_dir=str(tmp_path), only="SADD / VGG-16"))
        assert "celeb_a" not in str(error.value)

    def test_a_dry_run_without_any_database(self, tmp_path, monkeypatch):
        # Counted for real in engine/test_dry_run.py.
        monkeypatch.setattr(costs, "network_of", lambda *_: costs.Network(10, 20, 10**9, 1000))
        monkeypatch.setattr(table4_paper, "NETWORKS", {"VGG-16": "vgg16"})
        once = dataclasses.replace(DATABASES["CAD"], repeats=((0, 0),))
        monkeypatch.setitem(DATABASES, "CAD", once)
        (tmp_path / "runs").mkdir()
        chosen = options(
            tmp_path / "runs", dry_run=True, data_dir=str(tmp_path / "none here"), only="ST"
        )
        said = describe(table4_paper.study(chosen), chosen)
        assert said.count("-m mtl_dm.train") == 2 * len(DATABASES)
        line = next(each for each in said.splitlines() if "celeb_a" in each and "-m mtl" in each)
        assert {"--tasks=identity", "--image_size=112", "--batch_size=200"} < set(line.split())
        assert "data: clothing_attributes (MISSING)" in said
        assert said.count("Missing: shoes_sadd. python -m data_prep.build") == 1
        assert "of unknown length" not in said
        assert list(tmp_path.iterdir()) == [tmp_path / "runs"]  # Nothing is written.
        assert list((tmp_path / "runs").iterdir()) == []


def test_the_clothes_need_a_build_to_train(tmp_path):
    planned = table4_databases.problem("CAD", {}, str(tmp_path), tmp_path, 0, 0)
    for read in (planned.sources, planned.test):
        with pytest.raises(FileNotFoundError, match="--dataset=clothing_attributes"):
            read(planned.tasks)
