import fcntl
import os
import shutil
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow_datasets as tfds

from data_prep.build import check_space, main, needed_bytes
from mtl_dm import datasets
from tests.datasets.fakes import clothing_attributes as fakes

NAME = "clothing_attributes"
MIB = 2**20


class BuildTestNumbers(tfds.core.GeneratorBasedBuilder):
    """Needs no source; `stop` is called after two records."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = (
        tfds.core.BuilderConfig(name="small"),
        tfds.core.BuilderConfig(name="large"),
    )
    stop = staticmethod(lambda: None)

    def _info(self):
        features = tfds.features.FeaturesDict({"x": np.int64})
        return tfds.core.DatasetInfo(builder=self, description="Numbers.", features=features)

    def _split_generators(self, dl_manager):
        del dl_manager
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for number in range(4):
            if number == 2:
                type(self).stop()
            yield number, {"x": number}


@pytest.fixture(autouse=True)
def known_builders(monkeypatch):
    monkeypatch.setattr(datasets, "BUILDERS", (*datasets.BUILDERS, BuildTestNumbers))


@pytest.fixture
def folder(tmp_path):
    return fakes.write_cad(tmp_path / "raw")


def run(data_dir, source=None, name=NAME) -> int:
    arguments = [f"--dataset={name}", f"--data_dir={data_dir}"]
    return main([*arguments, f"--source={source}"] if source else arguments)


def usage_error(capsys, *arguments) -> str:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_builds_what_load_reads(folder, tmp_path, capsys):
    (folder / "images" / "000001.jpg").unlink()
    assert run(tmp_path / "built", folder.parent) == 0
    assert "train 3; 1 image(s) skipped" in capsys.readouterr().out
    data = tfds.as_numpy(tfds.load(NAME, split="all", data_dir=str(tmp_path / "built")))
    assert sorted(record["index"] for record in data) == [1, 2, 3]


def test_a_second_build_says_so(folder, tmp_path, capsys):
    assert run(tmp_path / "built", folder) == 0
    shutil.rmtree(folder)  # what was built needs its source no more
    capsys.readouterr()
    assert run(tmp_path / "built") == 0
    assert capsys.readouterr().out.startswith("Already built: clothing_attributes/1.0.0")


def test_a_configuration(tmp_path):
    assert run(tmp_path, name="build_test_numbers/large") == 0
    assert (tmp_path / "build_test_numbers" / "large" / "1.0.0").is_dir()


def test_bad_data_are_one_line(folder, tmp_path, capsys):
    fakes.write_label(folder, "red", [1, 2, 3, 1])
    assert run(tmp_path / "built", folder) == 1
    errors = capsys.readouterr().err.splitlines()
    assert [line for line in errors if line.startswith("error:")] == [
        f"error: {folder}/labels/red_GT.mat: row 3 of GT is 3; values must be whole numbers from "
        "1 to 2, or NaN (1 row(s) are not)."
    ]
    assert "Traceback" not in "".join(errors)


@pytest.mark.parametrize("make", [True, False])
def test_source_missing_or_empty(tmp_path, capsys, make):
    source = tmp_path / "raw"
    if make:
        source.mkdir()
    assert run(tmp_path / "built", source) == 1
    assert "does not exist or is empty" in capsys.readouterr().err


def test_unknown_names(tmp_path, capsys):
    data_dir = f"--data_dir={tmp_path}"
    message = usage_error(capsys, "--dataset=mnist", data_dir)  # TFDS's own is not ours
    assert "Unknown data set 'mnist'. Known: " in message
    assert NAME in message
    message = usage_error(capsys, "--dataset=build_test_numbers/huge", data_dir)
    assert "Unknown configuration 'huge'" in message
    assert "Known: small, large." in message
    message = usage_error(capsys, f"--dataset={NAME}/x", data_dir)
    assert "Known: none" in message


def test_source_is_needed(tmp_path, capsys):
    message = usage_error(capsys, f"--dataset={NAME}", f"--data_dir={tmp_path}")
    assert "needs --source" in message
    assert "images/000001.jpg" in message


class TestSpace:
    def test_needed_by_the_builders_own_word(self, folder, tmp_path):
        builder = datasets.make_builder(NAME, tmp_path)
        images = sum(len(fakes.jpeg(number)) for number in range(1, 5))
        assert needed_bytes(builder, folder.parent) == 2 * images + 64 * MIB

    def test_needed_by_the_size_of_the_source(self, tmp_path):
        (tmp_path / "raw" / "deep").mkdir(parents=True)
        (tmp_path / "raw" / "deep" / "x").write_bytes(b"12345")
        assert needed_bytes(SimpleNamespace(), tmp_path / "raw") == 10 + 64 * MIB
        assert needed_bytes(SimpleNamespace(), None) == 64 * MIB

    def test_too_little(self, tmp_path, monkeypatch):
        usage = SimpleNamespace(free=3 * MIB)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
        with pytest.raises(ValueError, match="about 5 MiB needed, 3 MiB free"):
            check_space(tmp_path / "not" / "yet", 5 * MIB)
        check_space(tmp_path, 3 * MIB)

    def test_before_anything_is_written(self, folder, tmp_path, monkeypatch, capsys):
        usage = SimpleNamespace(free=MIB)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
        assert run(tmp_path / "built", folder) == 1
        assert "Not enough disk space" in capsys.readouterr().err
        assert not (tmp_path / "built" / NAME / "1.0.0").exists()


class TestInterrupted:
    name = "build_test_numbers/small"

    def check_nothing_is_left(self, data_dir):
        assert list(data_dir.glob("build_test_numbers/small/*")) == []

    def test_keyboard(self, tmp_path, monkeypatch, capsys):
        def stop():
            raise KeyboardInterrupt

        monkeypatch.setattr(BuildTestNumbers, "stop", staticmethod(stop))
        assert run(tmp_path, name=self.name) == 130
        assert "nothing was built" in capsys.readouterr().err
        self.check_nothing_is_left(tmp_path)
        monkeypatch.setattr(BuildTestNumbers, "stop", staticmethod(lambda: None))
        assert run(tmp_path, name=self.name) == 0

    def test_terminated(self, tmp_path, monkeypatch, capsys):
        before = signal.getsignal(signal.SIGTERM)
        stop = staticmethod(lambda: os.kill(os.getpid(), signal.SIGTERM))
        monkeypatch.setattr(BuildTestNumbers, "stop", stop)
        assert run(tmp_path, name=self.name) == 143
        assert "Ended by SIGTERM; nothing was built." in capsys.readouterr().err
        assert signal.getsignal(signal.SIGTERM) is before
        self.check_nothing_is_left(tmp_path)

    def test_another_build_of_it_is_running(self, tmp_path, capsys):
        lock = tmp_path / "build_test_numbers" / "small" / ".lock"
        lock.parent.mkdir(parents=True)
        with lock.open("w") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            assert run(tmp_path, name=self.name) == 1
        assert "is in use by another run" in capsys.readouterr().err

    def test_killed_outright_is_removed_and_not_taken_for_a_data_set(self, tmp_path, capsys):
        half = tmp_path / "build_test_numbers" / "small" / "incomplete.ABC123_1.0.0"
        half.mkdir(parents=True)
        assert run(tmp_path, name=self.name) == 0
        output = capsys.readouterr().out
        assert f"Note: {half} is left from a killed build and removed." in output
        assert not half.exists()
        assert "Built build_test_numbers/small/1.0.0" in output


def test_by_place_in_the_format_that_is_asked_for(tmp_path, capsys):
    arguments = ["--dataset=build_test_numbers/small", f"--data_dir={tmp_path}"]
    assert main([*arguments, "--file_format=array_record"]) == 0
    source = tfds.data_source("build_test_numbers/small", data_dir=tmp_path, split="train")
    assert sorted(source[place]["x"] for place in (3, 0, 2, 1)) == [0, 1, 2, 3]
    assert main(arguments) == 0
    assert "Already built" in capsys.readouterr().out
    assert main([*arguments, "--file_format=tfrecord"]) == 1
    assert "in the file format array_record, not tfrecord" in capsys.readouterr().err
