import os
import subprocess
import sys

import numpy as np
import pytest

from data_prep.faces.one_image import Options
from data_prep.faces.pool import run_local
from data_prep.faces.worker import Job, Setup, read_journals
from tests.data_prep.faces.photos import png, write, write_people
from tests.faces.dots import dots_engine


def deadly_engine(image, min_score):
    if image.shape[1] == 16:
        os.kill(os.getpid(), 9)
    return dots_engine(image, min_score)


def load_deadly_engine():
    return deadly_engine


def failing_engine(image, min_score):
    del image, min_score
    raise ValueError("odd\nlandmarks")


def load_failing_engine():
    return failing_engine


@pytest.fixture
def folders(tmp_path):
    return write_people(tmp_path / "photos", 3), tmp_path / "faces"


def jobs(source):
    paths = sorted(path.relative_to(source).as_posix() for path in source.rglob("*.png"))
    return [Job(path, f"{path}.jpg") for path in paths]


def test_a_dead_worker_is_told_and_its_work_kept(folders):
    source, target = folders
    write(source, "z.png", png(np.zeros((400, 20, 3), np.uint8)))
    setup = Setup(source, target, load_deadly_engine, Options())
    with pytest.raises(RuntimeError, match=r"A worker process died .* goes on from here"):
        list(run_local(jobs(source), setup, 2))
    assert all(record.path != "z.png" for record in read_journals(target))


def test_an_engine_that_fails_on_an_image_is_a_reason(folders):
    source, target = folders
    setup = Setup(source, target, load_failing_engine, Options())
    records = list(run_local(jobs(source), setup, 1))
    assert [record.reason for record in records] == ["failed: ValueError odd landmarks"] * 3


def test_a_target_that_cannot_be_written_ends_the_run(folders, monkeypatch):
    source, target = folders

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data_prep.faces.worker.write_atomically", full)
    setup = Setup(source, target, load_deadly_engine, Options())
    with pytest.raises(OSError, match="No space left"):
        list(run_local(jobs(source), setup, 1))
    assert list(read_journals(target)) == []


def test_who_finds_faces_does_without_tensorflow():
    code = "import sys, data_prep.align; sys.exit('tensorflow' in sys.modules)"
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )
