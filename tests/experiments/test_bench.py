"""The bench's bookkeeping; how fast something is, no test says."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from experiments.bench import load
from experiments.bench.hosts import network, trainings
from experiments.bench.peak import STATUS
from experiments.bench.report import described, markdown
from experiments.bench.timing import Goal, median_interval, pair


@pytest.mark.parametrize(
    ("goal", "ratio", "text", "met"),
    [
        (Goal(1.03), 1.03, "<= 1.03", "met"),
        (Goal(1.03), 1.031, "<= 1.03", "missed"),
        (Goal(0.95, at_least=True), 0.95, ">= 0.95", "met"),
        (Goal(0.95, at_least=True), 0.9, ">= 0.95", "missed"),
    ],
)
def test_a_goal_is_met_up_to_its_bound(goal, ratio, text, met):
    assert goal.fields(ratio) == {"goal": text, "met": met}


@pytest.mark.parametrize(
    ("goal", "interval", "met"),
    [
        (Goal(1.02), (1.0, 1.02), "met"),
        (Goal(1.02), (1.0, 1.021), "missed"),
        (Goal(0.95, at_least=True), (0.95, 1.1), "met"),
        (Goal(0.95, at_least=True), (0.949, 1.1), "missed"),
    ],
)
def test_all_of_the_interval_has_to_keep_the_goal(goal, interval, met):
    assert goal.fields(1.0, interval)["met"] == met


@pytest.mark.parametrize("count", [6, 9, 30, 150])
def test_the_interval_of_a_median_is_that_of_scipy(count):
    values = np.random.default_rng(count).normal(size=count)
    want = stats.quantile_test(values, q=0, p=0.5).confidence_interval(0.95)
    assert median_interval(values) == (want.low, want.high)


def test_few_values_have_their_range():
    assert median_interval([3.0, 1.0, 2.0]) == (1.0, 3.0)


def test_a_pair_takes_turns_in_changing_order():
    calls = []
    row = pair(
        "a / b",
        lambda: calls.append("a"),
        lambda: calls.append("b"),
        repeats=3,
        before=lambda index: calls.append(f"before {'ab'[index]}"),
    )
    expected = [call for name in "baabba" for call in (f"before {name}", name)]
    assert calls == expected
    assert row["low"] <= row["ratio"] <= row["high"]
    assert row["pairs"] == 3


def test_the_table_shows_what_a_row_has():
    rows = [
        {"name": "first", "seconds": 2.0},
        {"name": "speed", "ratio": 0.9, "low": 0.8, "high": 1.0,
         **Goal(0.95, at_least=True).fields(0.9), "pairs": 7,
         "seconds": 1.0, "images_per_second": 1234.5},
        {"name": "memory", "ratio": 1.0, "megabytes": 1300.0, "megabytes_of_other": 1300.0},
    ]  # fmt: skip
    lines = markdown(rows, "2 cores").splitlines()[-3:]
    assert lines == [
        "| first |  |  |  |  | 2.000 s |  |  |  |",
        "| speed | 0.900 | 0.800 to 1.000 | >= 0.95 | missed | 1.000 s | 1,234 | 7 |  |",
        "| memory | 1.000 |  |  |  | 1,300 MB |  |  |  |",
    ]
    assert described(rows[0]) == "first: 2.000 s"
    assert described(rows[1]).startswith(
        "speed: 0.900 [0.800 to 1.000] (goal >= 0.95: missed), 1.000 s, 1,234 im"
    )


@pytest.mark.skipif(not STATUS.is_file(), reason="needs Linux's /proc")
def test_a_program_is_not_as_large_as_who_started_it():
    large = np.ones(25_000_000)  # 200 MB, which a fork of this process has too
    code = "from experiments.bench.peak import peak; print(peak())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(found.stdout) < 100 < large.nbytes / 1024**2


def test_the_load_is_told_by_quarters():
    samples = [load.Sample(second, 100.0 + second, 8, 2048 * second) for second in range(1, 10)]
    lines = load.table([load.Sample(0.5, 50.0, 30, 0), *samples])
    assert [line.split() for line in lines[1:]] == [
        [str(quarter), str(100 + 2 * quarter + 1), "8", "2.0"] for quarter in (1, 2, 3, 4)
    ]
    with pytest.raises(ValueError, match="ended too soon"):
        load.table(samples[:7])


def test_hosts_say_why_there_are_none(monkeypatch):
    monkeypatch.setattr(network.shutil, "which", lambda name: None)
    assert network.obstacle() == "there is no command ip"
    monkeypatch.undo()

    def refused(command, **options):
        raise subprocess.CalledProcessError(1, command, stderr="not\npermitted\n")

    monkeypatch.setattr(network.subprocess, "run", refused)
    monkeypatch.setattr(network.shutil, "which", lambda name: name)
    assert network.obstacle() == "not permitted"


def test_nothing_is_left_of_hosts():
    if (obstacle := network.obstacle()) is not None:
        pytest.skip(f"no network namespaces: {obstacle}")
    own = f"mtl{os.getpid()}"
    listed = ["ip", "-oneline", "link"], ["ip", "netns"]

    def seen():
        return "".join(
            subprocess.run(each, capture_output=True, text=True).stdout for each in listed
        )

    def use_two():
        with network.joined(2) as hosts:
            assert [host.address for host in hosts] == ["10.77.0.1", "10.77.0.2"]
            assert f"{own}h1" in seen()
            subprocess.run([*hosts[1].enter, "true"], check=True)
            hosts[1].set_link("down")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use_two()
    assert own not in seen()


# In place of a training: it saves two epochs, the second once it is told to.
TRAINS = """
import os, pathlib, sys, time
folder = pathlib.Path(next(each for each in sys.argv if each.startswith("--output="))[9:])
(folder / "state").mkdir(parents=True, exist_ok=True)
(folder / "state" / "epoch00001.npz").touch()
while not (folder / "go").exists():
    time.sleep(0.01)
(folder / "state" / "epoch00002.npz").touch()
print("ended")
sys.exit(3)
"""


def test_a_training_is_looked_at_from_outside(tmp_path, monkeypatch):
    program = tmp_path / "program"
    program.write_text(f"#!{sys.executable}\n{TRAINS}", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(trainings.sys, "executable", str(program))
    output = tmp_path / "output"
    seen = trainings.train(
        [network.Host("127.0.0.1")] * 2, [], output, act=lambda launchers: (output / "go").touch()
    )
    assert trainings.saved(output) == 2
    assert 1 in seen.epochs
    assert [(end.status, end.line) for end in seen.ends] == [(3, "ended")] * 2
    assert all(end.moment > seen.acted for end in seen.ends)


def test_the_steps_of_a_device_are_those_of_jax():
    device = pytest.importorskip("experiments.bench.device", reason="needs JAX")
    names = {name for _, *both, _ in device.PAIRS for name in both}
    assert names == set(device.models(lambda: None))
    with pytest.raises(ValueError, match="needs KERAS_BACKEND=jax, got 'tensorflow'"):
        device.main([])
