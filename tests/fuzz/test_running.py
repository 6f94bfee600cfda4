"""What is counted and written down of inputs and kills."""

import json

import numpy as np
import pytest

from tests.fuzz import __main__ as fuzzing
from tests.fuzz import kills
from tests.fuzz.child import Counts, judged
from tests.fuzz.results import left
from tests.fuzz.target import Target


class Quiet:
    """A guard that says what it is told to."""

    seen: tuple = ()

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        pass


def read(data):
    raise {b"v": ValueError("why"), b"t": TypeError("a bug"), b"m": MemoryError()}[data]


def test_inputs_are_counted_and_one_finding_of_a_kind_is_kept(tmp_path):
    findings, guard = tmp_path / "findings" / "it", Quiet()
    findings.mkdir(parents=True)
    counts = Counts(tmp_path / "it.counts")
    counts.bound(7)
    one = judged(Target(lambda folder: ([], read)), read, guard, counts, findings)
    for data in (b"v", b"t", b"t", b"m"):
        one(data)
    guard.seen = ("open /etc/passwd",)
    one(b"v")
    assert Counts.read(tmp_path / "it.counts") == (5, 0, 2, 7)
    (findings / "timeout-1a2b").write_bytes(b"")
    told = fuzzing.record("it", tmp_path, 3.0)
    assert sorted(told["findings"]) == [
        "exception: TypeError", "memory: more than 1,073,741,824 bytes", "outside:", "timeout",
    ]  # fmt: skip
    # What an earlier run found stays, and its time counts.
    assert fuzzing.record("it", tmp_path, 2.0)["seconds"] == 5
    kept = json.loads((tmp_path / "fuzz.json").read_text(encoding="utf-8"))
    assert kept == {"it": {**told, "seconds": 5}}
    inputs = {each.read_bytes() for each in findings.glob("*.input")}
    assert inputs == {b"t", b"m", b"v"}


def test_wrong_options_are_told():
    with pytest.raises(ValueError, match=r"Unknown target 'x'\. Known: arrays"):
        fuzzing.options_of(["--only=x"])
    with pytest.raises(ValueError, match="--inputs must be at least 1"):
        fuzzing.options_of(["--inputs=0"])


def write(folder, weight, seconds):
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"loss": [weight], "seconds": seconds}))
    np.savez(folder / "epoch1.npz", meta=np.array(str(seconds)), v0=np.array([weight]))
    (folder / "report.md").write_text(f"took {seconds} s")
    return left(folder)


def test_results_are_equal_but_for_their_times(tmp_path):
    one, again = write(tmp_path / "a", 0.5, 1), write(tmp_path / "b", 0.5, 2)
    assert one == again
    other = write(tmp_path / "c", 0.25, 1)
    assert sorted(key for key in one if one[key] != other[key]) == ["epoch1.npz", "run.json"]
    (tmp_path / "a" / "report.md").unlink()
    assert left(tmp_path / "a") != again


@pytest.mark.parametrize(
    ("status", "said", "how"),
    [
        (0, "", "done"),
        (1, "W0000 of TensorFlow\nerror: the disk is full\n", "one line"),
        (1, "error: a\nTraceback (most recent call last)\n", "status 1: error: a"),
        (-9, "", "status -9: "),
    ],
)
def test_how_a_command_ended(status, said, how, tmp_path):
    class Ended:
        def wait(self):
            return status

    (tmp_path / "said").write_text(said)
    assert kills._how(Ended(), tmp_path).startswith(how)


def test_whether_a_command_that_was_kept_from_writing_may_be_done(tmp_path):
    whole = write(tmp_path / "whole", 0.5, 1)
    write(tmp_path / "other", 0.25, 1)
    for fault in ("full disk", "read-only", "no permission"):
        how = kills._judged(fault, "done", tmp_path / "whole", whole)
        assert how == "status 0, though nothing can be written"
        assert kills._judged(fault, "one line", tmp_path / "other", whole) == "one line"
    for fault in kills.FITS:
        assert kills._judged(fault, "done", tmp_path / "whole", whole) == "done"
        how = kills._judged(fault, "done", tmp_path / "other", whole)
        assert how == "status 0, but other results: ['epoch1.npz', 'run.json']"


def test_what_counts_as_a_broken_promise():
    right = {"moments": 4, "killed": 2, "different": [], "faults": {"read-only": "one line"}}
    assert not kills.broken_promises(right)
    assert kills.broken_promises(
        {"moments": 4, "killed": 0, "different": ["after 1 s"], "faults": {"full disk": "status 0"}}
    ) == ["after 1 s", "of 4 moments only 0 killed it", "full disk: status 0"]
