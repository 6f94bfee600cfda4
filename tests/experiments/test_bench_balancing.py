"""The rows of balancing methods and of peers; how fast a step is, no test says."""

import sys

import pytest

from experiments.bench import balancing, peers
from experiments.bench.report import described, markdown
from mtl_dm.balancing import BALANCING


def test_every_method_is_timed_with_the_fewest_tasks_and_the_chosen_with_all():
    few, many = (balancing.methods(count) for count in (2, 40))
    assert {BALANCING.spec(each).name for each in few} == set(BALANCING)
    assert len(few) == len(set(few))
    assert many == list(balancing.CHOSEN)


@pytest.mark.parametrize(
    ("spec", "count", "goal"),
    [
        ("pcgrad", 2, "<= 1.7"),
        ("gradnorm(scope=shared)", 10, "<= 6.8"),
        ("mgda(scope=features)", 40, "<= 1.4"),
    ],
)
def test_a_goal_is_that_of_the_scope(spec, count, goal):
    assert balancing.goal_of(BALANCING.create(spec), count).fields(1.0)["goal"] == goal


@pytest.mark.parametrize("spec", ["gradnorm", "uncertainty", "equal"])
def test_what_takes_no_gradients_of_all_weights_or_features_has_no_goal(spec):
    assert balancing.goal_of(BALANCING.create(spec), 2) is None


def test_recorded_ratios_are_of_methods_that_are_timed():
    assert set(peers.RECORDED) <= set(balancing.methods(10))
    for count in balancing.PAIRS:
        assert all(peers.recorded(method, count) for method in peers.RECORDED)
    assert peers.recorded("mgda", 40) == {"recorded": "TorchJD 58, LibMTL 27"}
    assert peers.recorded("equal", 40) == {}


def test_rows_are_read_from_the_last_line():
    text = 'A warning.\n[{"name": "step", "ratio": 2.0, "seconds": 0.5}]\n'
    assert peers.parsed(text) == [{"name": "step", "ratio": 2.0, "seconds": 0.5}]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no JSON but ''"),
        ("Segmentation fault", "no JSON but 'Segmentation fault'"),
        ("{}", "no list of rows"),
        ("[]", "no list of rows"),
        ('[{"name": "step"}]', "no list of rows"),
        ('[{"seconds": 1.0}]', "no list of rows"),
        ("[1]", "no list of rows"),
    ],
)
def test_what_is_no_list_of_rows_is_named(text, fault):
    with pytest.raises(ValueError, match=fault):
        peers.parsed(text)


def test_a_peer_that_is_not_installed_is_a_row(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "PYTHON", tmp_path / "python")
    steps, memory = peers.steps(10, 3), peers.memory(40)
    assert steps == [{"name": "TorchJD, 10 tasks", "note": "not installed"}]
    assert memory == [{"name": "TorchJD's memory, 40 tasks", "note": "not installed"}]
    assert described(steps[0]) == "TorchJD, 10 tasks: not installed"
    assert markdown(steps, "2 cores").endswith(
        "| TorchJD, 10 tasks |  |  |  |  | not installed |  |  |  |\n"
    )


def test_a_peer_that_fails_is_a_row_that_says_why(monkeypatch):
    monkeypatch.setattr(peers, "PYTHON", sys.executable)
    monkeypatch.setattr(peers, "PROGRAM", "no_such_peer")
    (row,) = peers.steps(2, 3)
    assert row["note"].endswith("No module named no_such_peer")


def test_a_peer_that_hangs_is_a_row(monkeypatch):
    monkeypatch.setattr(peers, "PYTHON", sys.executable)
    monkeypatch.setattr(peers, "SECONDS", 0)
    (row,) = peers.steps(2, 3)
    assert row["note"] == "given up after 0 s"


def test_memory_of_a_peer_is_over_its_own_plain_step(monkeypatch):
    found = {"--method=plain": 80.0, "--method=mgda": 200.0}
    monkeypatch.setattr(
        peers,
        "measured",
        lambda name, arguments: [{"name": arguments[-1], "megabytes": found[arguments[-1]]}],
    )
    assert peers.memory(40) == [
        {"name": "--method=mgda", "megabytes": 200.0, "megabytes_of_other": 80.0, "ratio": 2.5}
    ]


def test_recorded_ratios_stand_beside_a_row():
    row = {"name": "mgda", "ratio": 2.0, "seconds": 1.0, **peers.recorded("mgda", 2)}
    assert described(row) == "mgda: 2.000, 1.000 s; recorded: TorchJD 2.2, LibMTL 1.9"
    assert markdown([row], "2 cores").endswith("|  |  | TorchJD 2.2, LibMTL 1.9 |\n")
