"""Worker processes on jobs that need no TensorFlow: deaths, errors, order, threads."""

import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from experiments.engine.pool import NEVER_READY, Inline, Pool
from experiments.engine.scheduling import Schedule
from experiments.engine.worker import ONE_THREAD
from tests.lightly import light_children

__all__ = ["light_children"]
pytestmark = pytest.mark.usefixtures("light_children")


class Job(NamedTuple):
    key: str
    folder: str
    needs: tuple[str, ...] = ()

    @property
    def title(self):
        return f"job {self.key}"

    @property
    def file(self):
        return Path(self.folder) / self.key


def compute(job):
    """What a job does is in its name."""
    tried = len(list(Path(job.folder).glob(f"{job.key}.try*")))
    (Path(job.folder) / f"{job.key}.try{tried}").touch()
    if job.key == "killed" or (job.key == "killed once" and not tried):
        os.kill(os.getpid(), signal.SIGKILL)
    if job.key == "wrong":
        raise ValueError("the reason")
    if job.key == "slow":
        time.sleep(60)
    print(f"computing {job.key}")
    threads = {name: os.environ.get(name) for name in ONE_THREAD}
    job.file.write_text(f"{os.getpid()} {threads == ONE_THREAD}", encoding="utf-8")


def prepare():
    pass


def run(folder, names, size=1, needs=None):
    """Compute jobs; return errors by key, and what was told."""
    jobs = [Job(name, str(folder), (needs or {}).get(name, ())) for name in names]
    told = []
    pool = Pool(size, compute, prepare, folder / "logs", told.append) if size else Inline(compute)
    with pool:
        outcomes = list(pool.outcomes(Schedule(jobs), lambda job: None))
    return {job.key: error for job, error in outcomes}, told


def test_two_workers_share_the_jobs_and_have_a_thread_each(tmp_path):
    before = dict(os.environ)
    errors, told = run(tmp_path, ["a", "b", "c"], size=2)
    assert errors == {"a": "", "b": "", "c": ""}
    assert told == []
    written = [(tmp_path / name).read_text(encoding="utf-8").split() for name in "abc"]
    pids = {pid for pid, _ in written}
    assert len(pids) == 2
    assert str(os.getpid()) not in pids
    assert {threads for _, threads in written} == {"True"}
    assert dict(os.environ) == before
    logs = [path.read_text(encoding="utf-8") for path in (tmp_path / "logs").iterdir()]
    assert sorted(line for log in logs for line in log.split("\n") if line) == [
        f"computing {name}" for name in "abc"
    ]


def test_a_killed_worker_costs_its_job_one_more_try_and_the_others_nothing(tmp_path):
    errors, told = run(
        tmp_path, ["killed", "after", "killed once", "ok"], needs={"after": ("killed",)}
    )
    assert errors["ok"] == errors["killed once"] == ""
    assert "its process ended with -9 (see " in errors["killed"]
    assert errors["after"] == "needs job killed"
    assert [line.partition(": its process ended with -9")[0] for line in told] == [
        "job killed",
        "job killed once",
    ]
    assert sorted(path.name for path in tmp_path.glob("*.try*")) == [
        "killed once.try0", "killed once.try1", "killed.try0", "killed.try1", "ok.try0",
    ]  # fmt: skip


@pytest.mark.parametrize("size", [0, 1])
def test_an_error_is_reported_and_the_others_go_on(tmp_path, size):
    errors, _ = run(tmp_path, ["wrong", "after", "ok"], size, {"after": ("wrong",)})
    assert errors == {"wrong": "ValueError: the reason", "after": "needs job wrong", "ok": ""}
    if size:
        log = (tmp_path / "logs" / "worker0.txt").read_text(encoding="utf-8")
        assert "Traceback" in log


@pytest.mark.parametrize("size", [0, 1])
def test_what_never_gets_ready_has_failed(tmp_path, size):
    errors, _ = run(tmp_path, ["a", "b", "ok"], size, {"a": ("b",), "b": ("a",)})
    assert errors == {"ok": "", "a": NEVER_READY, "b": NEVER_READY}


def test_a_worker_goes_on_before_the_outcome_is_read(tmp_path):
    begun = []
    jobs = [Job(name, str(tmp_path)) for name in ("a", "b")]
    with Pool(1, compute, prepare, tmp_path / "logs") as pool:
        outcomes = pool.outcomes(Schedule(jobs), begun.append)
        assert next(outcomes).job == jobs[0]
        assert begun == jobs
        assert next(outcomes).job == jobs[1]


def test_an_interrupt_ends_the_workers(tmp_path):
    began = time.monotonic()
    pool = Pool(1, compute, prepare, tmp_path / "logs")
    with pytest.raises(KeyboardInterrupt), pool:
        schedule = Schedule([Job("slow", str(tmp_path))])

        def interrupted(job):
            raise KeyboardInterrupt

        list(pool.outcomes(schedule, interrupted))
    assert multiprocessing.active_children() == []
    assert time.monotonic() - began < 30
    assert not (tmp_path / "slow").exists()
